"""Whole pipelines in a copy of the project: what runs, what does not, and what comes out.

The tests go on from one another's state, so they stand in the order in which they run; each
leaves the pipeline up to date.
"""

import hashlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from conftest import CLASSIFICATION, GAN, MODELS, REGRESSION, Finished
from pipeline_clone import Clone, Outcome, kill_group
from pipeline_photographs import GOOD, KINDS, MUTED

from photochrom.files import read_json
from photochrom.measures import MEASURES
from photochrom.params import BASELINES

AFTER_FILTER = {
    "filter",
    "lab",
    "prior",
    *(f"train@{name}" for name in MODELS),
    "baselines",
    *(f"evaluate@{name}" for name in MODELS),
    "report",
}
STAGES = {"download", *AFTER_FILTER}
TEMPERATURE = f"models.{CLASSIFICATION}.decoding.temperature"


# What the first run left.


def test_the_first_run_runs_every_stage_once(finished: Finished) -> None:
    print(f"dvc repro: {finished.first.seconds:.1f} s")
    assert sorted(finished.first.ran) == sorted(STAGES), finished.first.told


def test_every_broken_photograph_is_accounted_for(clone: Clone) -> None:
    table = pd.read_parquet(clone.root / "data/filtered/manifest.parquet").set_index("id")
    judged = {name: table.loc[f"odd/{name}", "reason"] for name in KINDS}
    assert judged == {name: reason for name, (_, reason) in KINDS.items()}
    assert len(table) == GOOD + len(KINDS)
    assert (table["reason"][table.index.str.startswith("good/")] == "").all()


def test_the_counts_of_the_filter_add_up(clone: Clone) -> None:
    numbers = read_json(clone.root / "data/filtered/summary.json")
    rejected = sum(value for name, value in numbers.items() if name.startswith("rejected_"))
    kept = GOOD + sum(reason == "" for _, reason in KINDS.values())
    assert numbers["photographs"] == GOOD + len(KINDS)
    assert (numbers["kept"], rejected) == (kept, numbers["photographs"] - kept)
    assert kept == numbers["train"] + numbers["validation"] + numbers["test"]


def test_the_comparison_has_every_model_and_baseline(clone: Clone) -> None:
    table = pd.read_csv(clone.root / "results/report/comparison.csv").set_index("name")
    assert set(table.index) == {*MODELS, *BASELINES}
    assert {measure.key for measure in MEASURES} <= set(table.columns)
    assert table.loc[list(MODELS)].notna().all().all()
    assert table.loc["truth", "auc"] == 100.0


def test_the_report_is_one_page_that_shows_every_model(clone: Clone) -> None:
    page = (clone.root / "results/report/index.html").read_text(encoding="utf-8")
    assert all(name in page for name in MODELS)
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_git_sees_nothing_but_the_lock_and_the_numbers(finished: Finished) -> None:
    numbers = {f"results/evaluate/{name}/metrics.json" for name in (*MODELS, *BASELINES)}
    tables = {"results/report/comparison.csv", "results/report/comparison.md"}
    expected = {"dvc.lock", "data/filtered/summary.json", *numbers, *tables}
    assert set(finished.litter) == {f"?? {name}" for name in expected}


def test_without_tracking_nothing_of_mlflow_appears(clone: Clone) -> None:
    assert not (clone.root / "mlflow.db").exists()
    assert all(read_json(clone.root / f"models/{m}/run.json")["run_id"] is None for m in MODELS)


# What a change runs again.


def test_a_second_run_runs_nothing(clone: Clone) -> None:
    again = clone.dvc("repro")
    print(f"dvc repro, nothing to do: {again.seconds:.1f} s (meant to stay under 3 s)")
    assert again.ran == [], again.told
    assert "up to date" in again.text, again.told


def test_another_temperature_evaluates_that_model_and_trains_nothing(clone: Clone) -> None:
    trained = digests(clone)
    outcome = clone.dvc("exp", "run", "--set-param", f"{TEMPERATURE}=0.5")
    assert outcome.ran == [f"evaluate@{CLASSIFICATION}", "report"], outcome.told
    assert clone.get(TEMPERATURE) == 0.5
    assert digests(clone) == trained


def test_a_training_knob_trains_that_model_alone_and_shows_it_in_mlflow(clone: Clone) -> None:
    clone.set(f"models.{REGRESSION}.optimizer.lr", 5e-4)
    outcome = clone.having(PHOTOCHROM_TRACKING="on").dvc("repro")
    stages = [f"train@{REGRESSION}", f"evaluate@{REGRESSION}", "report"]
    assert outcome.ran == stages, outcome.told
    assert [run.data.tags.get("photochrom.restored") for run in runs(clone, REGRESSION)] == [None]


def test_mlflow_holds_the_models_side_by_side(clone: Clone) -> None:
    clone.having(PHOTOCHROM_TRACKING="on").photochrom("runs", "sync")
    found = {name: only(runs(clone, name)) for name in (*MODELS, *BASELINES)}
    assert len({run.data.tags["mlflow.parentRunId"] for run in found.values()}) == 1
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    tested = [tested_by(found[name]) for name in MODELS]
    assert tested[0] == tested[1] == tested[2]
    assert tested[0] >= {f"test/{measure.key}" for measure in MEASURES}
    assert all("validation/loss" in found[name].data.metrics for name in MODELS)


def test_a_new_model_adds_its_stages_and_its_removal_removes_them(clone: Clone) -> None:
    with clone.restored():
        clone.set("models.twin", clone.get(f"models.{GAN}"))
        assert listed(clone) == STAGES | {"train@twin", "evaluate@twin"}
        planned = clone.dvc("repro", "--dry")
        assert planned.ran == ["train@twin", "evaluate@twin", "report"], planned.told
        clone.set("models.twin", ...)
        assert listed(clone) == STAGES
        assert clone.dvc("repro", "--dry").ran == []


def test_a_new_photograph_is_noticed(clone: Clone) -> None:
    added = clone.root / "data/photographs/good/new.png"
    added.write_bytes(KINDS["alpha.png"][0]())
    try:
        assert "download" in clone.dvc("repro", "--dry").ran
    finally:
        added.unlink()


def test_another_filter_reruns_everything_after_the_download(clone: Clone) -> None:
    clone.set("filter.min_colorfulness", 60)
    outcome = clone.dvc("repro")
    assert sorted(outcome.ran) == sorted(AFTER_FILTER), outcome.told
    numbers = read_json(clone.root / "data/filtered/summary.json")
    assert numbers["rejected_not_colorful"] >= MUTED


# What goes wrong.


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (f"models.{GAN}.optimizer.lrr", 1e-4, "unknown key (did you mean lr?)"),
        (f"models.{GAN}.optimizer.lr", "1e-4", "write it without quotes"),
        (f"models.{GAN}.ema", 1.5, "less than 1"),
        (f"models.{GAN}.epochs", ..., "missing"),
        (f"models.{GAN}.network.levels", 7, "take at most 5"),
        (f"models.{REGRESSION}.decoding", {"kind": "argmax"}, "does not fit objective regression"),
        ("lab.size", "large", "must be a whole number"),
        ("filter.split.test", 1.5, "less than or equal to 1"),
    ],
)
def test_a_wrong_params_yaml_is_refused_in_one_line(
    clone: Clone, key: str, value: Any, words: str
) -> None:
    with clone.restored():
        clone.set(key, value)
        refused = clone.dvc("repro", status=None)
    assert refused.status != 0, refused.told
    assert len(refused.said) == 1, refused.told
    assert key in refused.said[0], refused.told
    assert words in refused.said[0], refused.told
    assert clone.dvc("status", "--quiet", status=None).status == 0, "a result was lost"


def test_a_killed_training_is_continued_to_the_same_weights(clone: Clone) -> None:
    clone.set(f"models.{GAN}", {**clone.get(f"models.{GAN}"), **LONGER})
    impatient = clone.having(PHOTOCHROM_CHECKPOINT_SECONDS="1")
    with impatient.started("python", "-m", "dvc", "repro", f"train@{GAN}") as process:
        step = wait_for_checkpoint(clone, process)
        kill_group(process)
    assert not (clone.root / "models" / GAN / "run.json").exists()
    continued = impatient.dvc("repro", f"train@{GAN}")
    assert f"Continuing after step {step} of" in continued.text, continued.told
    weights = digests(clone)[GAN]
    dead = f"http://127.0.0.1:{closed_port()}"
    whole = clone.having(PHOTOCHROM_TRACKING="on", MLFLOW_TRACKING_URI=dead).dvc(
        "repro", "--force", "--single-item", f"train@{GAN}"
    )
    assert "Continuing" not in whole.text
    assert f"MLflow at {dead} does not answer; the training goes on" in whole.text, whole.told
    assert digests(clone)[GAN] == weights


LONGER = {"epochs": 4, "batch_size": 1, "ema": 0.9, "keep": "best"}


def digests(clone: Clone) -> dict[str, str]:
    return {
        name: hashlib.sha256((clone.root / f"models/{name}/weights.safetensors").read_bytes()).hexdigest()
        for name in MODELS
    }
