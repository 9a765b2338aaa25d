"""Whole pipelines in a copy of the project: what runs, what does not, and what comes out.

The tests go on from one another's state, so they stand in the order in which they run; each
leaves the pipeline up to date.
"""

import hashlib
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
import torch
from pipeline_clone import CLASSIFICATION, GAN, MODELS, REGRESSION, Clone, Finished, kill_group
from pipeline_photographs import GOOD, KINDS, MUTED
from ruamel.yaml import YAML

from photochrom.files import read_json
from photochrom.measures import MEASURES
from photochrom.params import BASELINES
from photochrom.tracking.store import prepare

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
LONGER = {"epochs": 4, "batch_size": 1, "ema": 0.9, "keep": "best"}
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
    names = ("comparison.csv", "comparison.md", "differences.csv")
    tables = {f"results/report/{name}" for name in names}
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
    shown = only(runs(clone, REGRESSION))
    assert shown.data.params["optimizer.lr"] == "0.0005"
    assert numbers_of(shown) >= {f"test/{measure.key}" for measure in MEASURES}


def test_mlflow_holds_the_models_side_by_side(clone: Clone) -> None:
    clone.having(PHOTOCHROM_TRACKING="on").photochrom("runs", "sync")
    found = {name: only(runs(clone, name)) for name in (*MODELS, *BASELINES)}
    assert len({run.data.tags["mlflow.parentRunId"] for run in found.values()}) == 1
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    tested = [numbers_of(found[name]) for name in MODELS]
    assert tested[0] == tested[1] == tested[2]
    assert tested[0] >= {f"test/{measure.key}" for measure in MEASURES}
    assert all("validation/loss" in found[name].data.metrics for name in MODELS)


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


def test_another_filter_reruns_everything_after_the_download(clone: Clone) -> None:
    clone.set("filter.min_colorfulness", 60)
    outcome = clone.dvc("repro")
    assert sorted(outcome.ran) == sorted(AFTER_FILTER), outcome.told
    numbers = read_json(clone.root / "data/filtered/summary.json")
    assert numbers["rejected_not_colorful"] >= MUTED


# What goes wrong.


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (f"models.{GAN}.optimizer.lrr", 1e-4, "{key}: unknown key (did you mean lr?)"),
        (f"models.{GAN}.optimizer.lr", "1e-4", "{key}: must be a number, not '1e-4'"),
        (f"models.{GAN}.epochs", ..., "'{key}' are missing from 'params.yaml'"),
        (f"models.{GAN}.network.levels", 7, "{key}: 7 halvings need a side that is a multiple"),
        (f"models.{REGRESSION}.decoding", {"kind": "argmax"}, "does not fit objective regression"),
        ("filter.split.test", 1.5, "{key}: must be less than or equal to 1, not 1.5"),
    ],
    ids=["unknown", "text", "missing", "too deep", "unfitting", "too much"],
)
def test_a_wrong_params_yaml_is_refused_in_one_line(
    clone: Clone, key: str, value: Any, reason: str
) -> None:
    with clone.restored():
        clone.set(key, value)
        refused = clone.dvc("repro", status=255)
    assert len(refused.ran) <= 1, refused.told
    assert len(refused.reasons) == 1, refused.told
    assert reason.format(key=key) in refused.reasons[0], refused.told


def test_what_was_refused_lost_nothing(clone: Clone) -> None:
    restored = clone.dvc("repro")
    assert restored.ran == [], restored.told


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


# What the tests ask of a pipeline.


def digests(clone: Clone) -> dict[str, str]:
    """Return the SHA-256 of every model's weights."""
    files = {name: clone.root / f"models/{name}/weights.safetensors" for name in MODELS}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def keys_inside(value: Any) -> Iterator[str]:
    """Yield the dotted keys of all that a section holds."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield key
        yield from (f"{key}.{deeper}" for deeper in keys_inside(inner))


def listed(clone: Clone) -> set[str]:
    """Return the names of all stages."""
    return set(clone.dvc("stage", "list", "--all", "--name-only").text.split())


def runs(clone: Clone, name: str) -> list[Any]:
    """Return the runs of MLflow that bear a name, as anyone else would see them."""
    from mlflow import MlflowClient

    prepare()
    client = MlflowClient(tracking_uri=f"sqlite:///{clone.root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(clone.get("tracking.experiment"))
    return client.search_runs([experiment.experiment_id], f"attributes.run_name = '{name}'")


def only(found: list[Any]) -> Any:
    assert len(found) == 1, [run.info.run_name for run in found]
    return found[0]


def numbers_of(run: Any) -> set[str]:
    return {name for name in run.data.metrics if name.startswith("test/")}


def wait_for_checkpoint(clone: Clone, process: subprocess.Popen[str]) -> int:
    """Wait for a checkpoint in the midst of an epoch; return the step it was made at.

    Where the machine is too fast for one, the end of an epoch that is not the last will do.
    """
    state = clone.root / ".checkpoints" / GAN / "state.pt"
    epoch = read_json(clone.root / "data/lab/lab.json")["train"] // LONGER["batch_size"]
    while process.poll() is None:
        step = torch.load(state, weights_only=True)["progress"]["step"] if state.is_file() else 0
        if step % epoch or 2 * epoch <= step < LONGER["epochs"] * epoch:
            return step
        time.sleep(0.02)
    pytest.fail(f"The training ended before it was killed: {process.communicate()[0]}")


def closed_port() -> int:
    """Return a port of this machine at which nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
