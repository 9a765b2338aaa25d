import json
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tracking_project import (
    CODE,
    EXPERIMENT,
    make_record,
    params_of,
    write_evaluation,
    write_model,
    write_report,
    write_study,
)

from photochrom.tracking import (
    Summary,
    TrackingError,
    TrainingRecord,
    open_run,
    record_evaluation,
    record_report,
    record_study,
    sync,
)

Clients = Callable[[Path], Any]


def runs(client: Any) -> dict[str, Any]:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def trained(root: Path, record: TrainingRecord) -> str:
    """Train as a stage does, so that files and MLflow tell the same."""
    mirror = open_run(record, root, EXPERIMENT)
    for images, train, validation, lr in ((64, 0.9, 0.8, 0.001), (192, 0.5, 0.6, 0.0001)):
        row = {"images_seen": images, "train/loss": train, "validation/loss": validation, "lr": lr}
        mirror.epoch(row)
    mirror.epoch(
        {"images_seen": 128, "train/loss": 0.7, "validation/loss": float("nan"), "lr": 5e-4}
    )
    folder = write_model(root, record)
    mirror.close(folder=folder, timeout=60)
    told = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**told, **mirror.identity()}))
    assert mirror.run_id is not None
    return mirror.run_id


def test_only_a_few_intervals_are_shown(root: Path, client_of: Clients) -> None:
    run_id = trained(root, make_record())
    folder = write_evaluation(root, "unet6_gan")
    numbers = json.loads((folder / "metrics.json").read_text())
    numbers["interval"] = {"auc": [59.5, 61.0], "ssim": [0.8, 0.9]}
    (folder / "metrics.json").write_text(json.dumps(numbers))
    record_evaluation(root, EXPERIMENT, "unet6_gan")
    shown = client_of(root).get_run(run_id).data.metrics
    assert shown["test/auc"] == 60.5
    ends = {key: value for key, value in shown.items() if key.startswith("test interval/")}
    assert ends == {"test interval/auc low": 59.5, "test interval/auc high": 61.0}


def history(client: Any, run_id: str) -> dict[str, list[tuple[int, float]]]:
    keys = client.get_run(run_id).data.metrics
    return {
        key: sorted((point.step, point.value) for point in client.get_metric_history(run_id, key))
        for key in keys
    }


def test_an_evaluation_joins_its_training(root: Path, client_of: Clients) -> None:
    run_id = trained(root, make_record())
    write_evaluation(root, "unet6_gan")
    record_evaluation(root, EXPERIMENT, "unet6_gan", {"decoding": "direct"})
    client = client_of(root)
    run = client.get_run(run_id)
    assert run.data.metrics["test/auc"] == 60.5
    assert run.data.metrics["test/ciede2000"] == 9.25
    assert run.data.metrics["train/loss"] == 0.5
    assert run.data.tags["photochrom.decoding"] == "direct"
    assert "photochrom.restored" not in run.data.tags
    names = [Path(file.path).name for file in client.list_artifacts(run_id, "images")]
    assert sum(name.startswith("test~000+step+0+") for name in names) == 2  # and a thumbnail


def test_another_evaluation_replaces_the_numbers(root: Path, client_of: Clients) -> None:
    run_id = trained(root, make_record())
    for auc in (60.5, 61.5, 60.5):
        write_evaluation(root, "unet6_gan", level=int(auc), auc=auc)
        record_evaluation(root, EXPERIMENT, "unet6_gan")
        assert client_of(root).get_run(run_id).data.metrics["test/auc"] == auc
        time.sleep(0.002)  # MLflow orders by milliseconds


def test_an_evaluation_whose_run_is_gone_is_shown_anew(root: Path, client_of: Clients) -> None:
    run_id = trained(root, make_record())
    client_of(root).delete_run(run_id)
    write_evaluation(root, "unet6_gan")
    record_evaluation(root, EXPERIMENT, "unet6_gan")
    run = runs(client_of(root))["unet6_gan"]
    assert run.info.run_id != run_id
    assert run.data.tags["photochrom.restored"] == "true"
    assert run.data.metrics["test/auc"] == 60.5
    assert run.data.metrics["train/loss"] == 0.5


def test_baselines_stand_beside_the_models(root: Path, client_of: Clients) -> None:
    for name in ("gray", "truth"):
        write_evaluation(root, name)
        record_evaluation(root, EXPERIMENT, name)
        record_evaluation(root, EXPERIMENT, name)
    found = runs(client_of(root))
    assert set(found) == {"gray", "truth", "photographs · not from DVC"}
    parent = found["photographs · not from DVC"].info.run_id
    assert {found[name].data.tags["mlflow.parentRunId"] for name in ("gray", "truth")} == {parent}
    assert found["gray"].data.metrics == found["truth"].data.metrics
    assert found["gray"].info.status == "FINISHED"


def test_a_report_is_replaced_and_never_appended(root: Path, client_of: Clients) -> None:
    for auc in (60.5, 61.5):
        folder = write_report(root, auc)
        record_report(root, params_of(), CODE)
    client = client_of(root)
    (run,) = runs(client).values()
    table = json.loads(
        Path(client.download_artifacts(run.info.run_id, "leaderboard.json")).read_text()
    )
    assert table == {
        "columns": ["model", "auc", "note"],
        "data": [["unet6_gan", 61.5, None], ["gray", 55.0, "none"]],
    }
    page = client.download_artifacts(run.info.run_id, "index.html")
    assert Path(page).read_text() == (folder / "index.html").read_text()
    tagged = json.loads(run.data.tags["mlflow.loggedArtifacts"])
    assert tagged == [{"path": "leaderboard.json", "type": "table"}]


def test_mlflow_reads_the_leaderboard_as_its_own_table(
    root: Path, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    # MLflow's own reader looks for the runs at the address of the environment.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{root / 'mlflow.db'}")
    write_report(root)
    record_report(root, params_of(), CODE)
    client = client_of(root)
    (run,) = runs(client).values()
    table = client.load_table(run.info.experiment_id, "leaderboard.json", [run.info.run_id])
    assert list(table["auc"]) == [60.5, 55.0]


def test_sync_adds_nothing_to_a_store_that_has_all(root: Path) -> None:
    trained(root, make_record())
    for name in ("unet6_gan", "gray"):
        write_evaluation(root, name)
        record_evaluation(root, EXPERIMENT, name)
    write_report(root)
    record_report(root, params_of("unet6_gan"), CODE)
    assert sync(root, params_of("unet6_gan"), CODE) == Summary()
    assert str(sync(root, params_of("unet6_gan"), CODE)) == "MLflow lacked nothing."


def test_an_empty_store_is_filled_with_equal_numbers(
    root: Path, tmp_path: Path, empty_database: Path, client_of: Clients
) -> None:
    run_id = trained(root, make_record())
    write_evaluation(root, "unet6_gan")
    record_evaluation(root, EXPERIMENT, "unet6_gan")
    write_evaluation(root, "gray")
    write_report(root)
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(empty_database, other / "mlflow.db")
    for name in ("models", "results"):
        shutil.copytree(root / name, other / name)
    done = sync(other, params_of("unet6_gan"), CODE)
    assert done.runs == 4  # two states: the training's and that of a project without DVC
    assert "4 runs" in str(done)
    client = client_of(other)
    run = runs(client)["unet6_gan"]
    assert run.data.tags["photochrom.restored"] == "true"
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == 5000
    assert history(client, run.info.run_id) == history(client_of(root), run_id)
    old = client_of(root).get_run(run_id)
    assert run.data.params == old.data.params
    assert run.data.metrics == old.data.metrics
    assert runs(client)["gray"].data.metrics["test/auc"] == 60.5
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"config.json", "history.csv", "evaluation", "images"}
    assert sync(other, params_of("unet6_gan"), CODE) == Summary()


def test_a_run_cut_short_is_completed(root: Path, client_of: Clients) -> None:
    record = make_record()
    mirror = open_run(record, root, EXPERIMENT)
    mirror.epoch({"images_seen": 64, "train/loss": 0.9, "validation/loss": 0.8, "lr": 0.001})
    while mirror.run_id is None:
        time.sleep(0.01)
    mirror.close("KILLED", timeout=60)
    write_model(root, record)
    done = sync(root, params_of("unet6_gan"), CODE)
    assert (done.runs, done.metrics, done.pictures, done.files) == (0, 5, 3, 2)
    run = client_of(root).get_run(mirror.run_id)
    assert run.info.status == "FINISHED"
    assert history(client_of(root), mirror.run_id)["train/loss"] == [
        (64, 0.9),
        (128, 0.7),
        (192, 0.5),
    ]
    assert "photochrom.restored" not in run.data.tags


def test_a_deleted_parent_is_made_anew_for_its_children(root: Path, client_of: Clients) -> None:
    run_id = trained(root, make_record())
    client = client_of(root)
    client.delete_run(client.get_run(run_id).data.tags["mlflow.parentRunId"])
    sync(root, params_of("unet6_gan"), CODE)
    parent = client.get_run(run_id).data.tags["mlflow.parentRunId"]
    assert client.get_run(parent).info.lifecycle_stage == "active"


def test_results_older_than_their_model_are_left_out(root: Path) -> None:
    write_model(root, make_record())
    write_evaluation(root, "unet6_gan")
    stages = {
        "train@unet6_gan": {"outs": [{"path": "models/unet6_gan", "md5": "new"}]},
        "evaluate@unet6_gan": {
            "deps": [{"path": "models/unet6_gan", "md5": "old"}],
            "outs": [{"path": "results/evaluate/unet6_gan/metrics.json", "md5": "x"}],
        },
    }
    YAML().dump({"schema": "2.0", "stages": stages}, root / "dvc.lock")
    done = sync(root, params_of("unet6_gan"), CODE)
    assert done.runs == 2
    older, alias = done.skipped
    assert "results/evaluate/unet6_gan is older" in older
    assert "stays where it is" in alias


def test_a_report_that_was_just_made_is_shown(root: Path, client_of: Clients) -> None:
    # While a stage runs, dvc.lock holds what the last run of it read.
    write_report(root)
    stages = {
        "filter": {"outs": [{"path": "data/filtered", "md5": "new"}]},
        "report": {
            "deps": [{"path": "data/filtered", "md5": "old"}],
            "outs": [{"path": "results/report/comparison.csv", "md5": "x"}],
        },
    }
    YAML().dump({"schema": "2.0", "stages": stages}, root / "dvc.lock")
    assert "results/report is older" in str(sync(root, params_of(), CODE))
    record_report(root, params_of(), CODE)
    (run,) = runs(client_of(root)).values()
    assert "photochrom.report" in run.data.tags


def test_damaged_files_do_not_stop_the_others(root: Path, client_of: Clients) -> None:
    write_model(root, make_record("good"))
    (write_model(root, make_record("bad")) / "history.csv").unlink()
    (write_evaluation(root, "gray") / "metrics.json").write_text("{")
    done = sync(root, params_of("unet6_gan"), CODE)
    assert [sentence.split()[0] for sentence in done.skipped[:2]] == [
        "models/bad",
        "results/evaluate/gray",
    ]
    assert "good" in runs(client_of(root))


def test_sync_without_anything_to_show(root: Path) -> None:
    assert sync(root, params_of("unet6_gan"), CODE) == Summary()


def test_sync_says_why_it_cannot(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(root / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TrackingError, match=r"mlflow\.db is locked"):
            sync(root, params_of("unet6_gan"), CODE)
    monkeypatch.setenv("PHOTOCHROM_TRACKING", "off")
    with pytest.raises(TrackingError, match="PHOTOCHROM_TRACKING"):
        sync(root, params_of("unet6_gan"), CODE)


def test_evaluation_and_report_do_not_wait_for_a_dead_store(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "mlflow.db").write_bytes(b"not a database at all" * 500)
    write_evaluation(root, "gray")
    write_report(root)
    started = time.monotonic()
    record_evaluation(root, EXPERIMENT, "gray")
    record_report(root, params_of(), CODE)
    assert time.monotonic() - started < 8
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "the numbers are in results/evaluate/gray; run `photochrom runs sync`" in said[0]


def test_a_missing_result_is_said_and_not_raised(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_evaluation(root, EXPERIMENT, "gray")
    assert "metrics.json" in capsys.readouterr().err


def test_evaluation_and_report_are_off_with_tracking(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_TRACKING", "off")
    (root / "mlflow.db").unlink()
    record_evaluation(root, EXPERIMENT, "gray")
    record_report(root, params_of(), CODE)
    assert not (root / "mlflow.db").exists()


def test_slow_stores_are_told_of_and_then_left(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    module = sys.modules["photochrom.tracking.sync"]
    monkeypatch.setattr(module, "LINE_SECONDS", 0.1)
    monkeypatch.setattr(module, "open_store", lambda *_: released.wait(60))
    started = time.monotonic()
    record_report(root, params_of(), CODE, timeout=0.25)
    assert time.monotonic() - started < 5
    released.set()
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("MLflow is being filled: 0 s")
    assert "too slow to wait for; the numbers are in results/report" in said[-1]


def test_a_study_does_not_wait_for_a_dead_store(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "mlflow.db").write_bytes(b"not a database at all" * 500)
    write_study(root)
    record_study(root, EXPERIMENT)
    assert "the numbers are in results/study/study.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        (Summary(), "MLflow lacked nothing."),
        (Summary(changes=("Now this.",)), "Now this."),
        (Summary(skipped=("Not this.",)), "MLflow lacked nothing.\nNot this."),
        (
            Summary(1, 2, 3, 4, 5, 6, changes=("Now this.",)),
            "MLflow got 1 runs, 2 numbers, 3 pictures, 4 files, 5 models and 6 registered "
            "versions.\nNow this.",
        ),
    ],
)
def test_a_summary_in_words(summary: Summary, told: str) -> None:
    assert str(summary) == told
