import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tracking_project import EXPERIMENT, make_record, write_model

from photochrom.tracking import Mirror, TrainingRecord, open_run
from photochrom.tracking.store import PROBE_SECONDS

ROWS = [
    {"epoch": 1, "step": 4, "images_seen": 64, "seconds": 1.5, "train/loss": 0.9, "lr": 1e-3},
    {"epoch": 2, "step": 8, "images_seen": 128, "seconds": 3.0, "train/loss": 0.7, "lr": 1e-4},
]
PICTURE = np.zeros((16, 24, 3), np.uint8)
Clients = Callable[[Path], Any]


def train(mirror: Mirror, folder: Path | None = None, rows: list[dict[str, float]] = ROWS) -> float:
    """Do what a trainer does; return the seconds that tracking took of it."""
    started = time.monotonic()
    for row in rows:
        mirror.epoch(row)
        mirror.picture(PICTURE, int(row["images_seen"]))
    mirror.close(folder=folder, timeout=60.0 if folder else 10.0)
    return time.monotonic() - started


def runs(client: Any, **tags: str) -> list[Any]:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    found = client.search_runs([experiment.experiment_id])
    return [run for run in found if tags.items() <= run.data.tags.items()]


def test_a_training_is_shown_whole(root: Path, client_of: Clients) -> None:
    record = make_record()
    folder = write_model(root, record)
    mirror = open_run(record, root, EXPERIMENT)
    train(mirror, folder)
    client = client_of(root)
    run = client.get_run(mirror.run_id)
    assert run.info.run_name == "unet6_gan"
    assert run.info.status == "FINISHED"
    assert run.data.params == {"network.kind": "unet", "epochs": "3"}
    assert run.data.metrics == {"train/loss": 0.7, "lr": 1e-4}
    losses = client.get_metric_history(mirror.run_id, "train/loss")
    assert [(point.step, point.value) for point in losses] == [(64, 0.9), (128, 0.7)]
    files = {file.path for file in client.list_artifacts(mirror.run_id)}
    assert files == {"config.json", "history.csv", "images"}
    assert len(client.list_artifacts(mirror.run_id, "images")) == 4
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("samples 64 px", "0123456789abcdef")
    assert data.tags[0].value == "training"


def test_tags_tell_code_data_and_study(root: Path, client_of: Clients) -> None:
    record = make_record()
    mirror = open_run(record, root, EXPERIMENT)
    mirror.close(timeout=60)
    tags = client_of(root).get_run(mirror.run_id).data.tags
    told = {
        "mlflow.source.git.commit": "c0ffee",
        "mlflow.parentRunId": mirror.parent_run_id,
        "photochrom.key": record.key,
        "photochrom.state": record.provenance.state,
        "photochrom.dirty": "false",
        "photochrom.data_md5": "1.dir",
        "photochrom.study": "001",
        "photochrom.objective": "adversarial",
    }
    assert told.items() <= tags.items()
    assert "photochrom.restored" not in tags
    assert "photochrom.dvc_stage" not in tags


def test_models_of_one_state_share_a_parent(root: Path, client_of: Clients) -> None:
    records = [make_record("one"), make_record("two")]
    mirrors = [open_run(record, root, EXPERIMENT) for record in records]  # both at once
    for mirror in mirrors:
        mirror.close(timeout=60)
    other = open_run(
        make_record("three", provenance=type(records[0].provenance)(lab_md5="9")), root, EXPERIMENT
    )
    other.close(timeout=60)
    assert mirrors[0].parent_run_id == mirrors[1].parent_run_id != other.parent_run_id
    parents = runs(client_of(root), **{"photochrom.kind": "state"})
    state = records[0].provenance.state or ""
    assert f"samples 64 px · {state[:8]}" in {run.info.run_name for run in parents}
    assert len(parents) == 2


def test_a_resumed_training_keeps_its_run(root: Path, client_of: Clients) -> None:
    record = make_record()
    first = open_run(record, root, EXPERIMENT)
    first.epoch(ROWS[0])
    first.picture(PICTURE, 64)
    first.close("KILLED", timeout=60)
    second = open_run(record, root, EXPERIMENT)
    train(second, write_model(root, record))
    assert second.run_id == first.run_id
    client = client_of(root)
    assert client.get_run(first.run_id).info.status == "FINISHED"
    steps = [point.step for point in client.get_metric_history(first.run_id, "train/loss")]
    assert steps == [64, 128]
    assert len(client.list_artifacts(first.run_id, "images")) == 4


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_a_failed_training_is_shown_as_failed(
    root: Path, client_of: Clients, error: type[BaseException], status: str
) -> None:
    mirror = open_run(make_record(), root, EXPERIMENT)
    while mirror.run_id is None:
        time.sleep(0.01)
    with pytest.raises(error), mirror:
        raise error
    assert client_of(root).get_run(mirror.run_id).info.status == status


def test_closing_twice_is_closing_once(root: Path) -> None:
    mirror = open_run(make_record(), root, EXPERIMENT)
    with mirror:
        mirror.close("KILLED", timeout=60)
    mirror.close()


def test_identity_is_what_run_json_needs(root: Path) -> None:
    record = make_record()
    mirror = open_run(record, root, EXPERIMENT)
    mirror.close(timeout=60)
    told = mirror.identity()
    assert told["key"] == record.key
    assert told["run_id"] == mirror.run_id is not None
    assert told["parent_run_id"] == mirror.parent_run_id is not None
    assert told["experiment"] == EXPERIMENT
    assert TrainingRecord.from_json(told["record"]) == record


def test_a_first_run_makes_the_store_and_says_nothing(tmp_path: Path) -> None:
    """In a process of its own, with every warning shown and no database yet."""
    root = tmp_path / "a b é"
    root.mkdir()
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from tracking_project import *
from photochrom.tracking import open_run
record = make_record()
mirror = open_run(record, Path("."), EXPERIMENT)
mirror.epoch({ROWS[0]})
mirror.picture(np.zeros((8, 8, 3), np.uint8), 64)
mirror.close(folder=write_model(Path("."), record), timeout=120)
assert mirror.run_id
"""
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {path.name for path in root.iterdir()} == {"mlflow.db", "mlartifacts", "models"}
    assert len(list((root / "mlartifacts").glob("*/artifacts/images/*.png"))) == 1


def test_off_means_off(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_TRACKING", "off")
    (root / "mlflow.db").unlink()
    record = make_record()
    with open_run(record, root, EXPERIMENT) as mirror:
        train(mirror)
    assert mirror.identity()["run_id"] is None
    assert mirror.identity()["record"] == record.to_json()
    assert list(root.iterdir()) == []


def test_without_mlflow_one_line_is_said_once(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("photochrom.tracking.store.find_spec", lambda name: None)
    for _ in range(2):
        train(open_run(make_record(), root, EXPERIMENT))
    assert capsys.readouterr().err.count("MLflow is not installed") == 1


@contextmanager
def silent_server() -> Iterator[str]:
    """Accept connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://user:secret@127.0.0.1:{server.getsockname()[1]}"


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def assert_given_up(
    mirror: Mirror, capsys: pytest.CaptureFixture[str], reason: str, seconds: float = 8.0
) -> None:
    taken = train(mirror)
    said = capsys.readouterr().err.splitlines()
    assert mirror.run_id is None
    assert taken < seconds
    assert len(said) == 1, said
    assert reason in said[0]
    assert "models/unet6_gan; run `photochrom runs sync` later." in said[0]
    assert "secret" not in said[0]


def test_a_locked_store(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(root / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        mirror = open_run(make_record(), root, EXPERIMENT)
        assert_given_up(mirror, capsys, "mlflow.db is locked by another process")


def test_a_store_locked_while_it_is_in_use(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mirror = open_run(make_record(), root, EXPERIMENT)
    while mirror.run_id is None:
        time.sleep(0.01)
    with closing(sqlite3.connect(root / "mlflow.db", isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout = 20000")
        other.execute("BEGIN EXCLUSIVE")
        mirror.epoch(ROWS[0])
        started = time.monotonic()
        mirror.close(timeout=1.0)
        assert time.monotonic() - started < 5
        assert "too slow to wait for" in capsys.readouterr().err
        assert mirror.identity()["run_id"] is not None


def test_a_store_locked_for_a_moment_is_waited_for(root: Path, client_of: Clients) -> None:
    with closing(sqlite3.connect(root / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        mirror = open_run(make_record(), root, EXPERIMENT)
        time.sleep(PROBE_SECONDS / 3)
        other.rollback()
    train(mirror, root)
    assert client_of(root).get_run(mirror.run_id).data.metrics["train/loss"] == 0.7


def test_a_damaged_store(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "mlflow.db").write_bytes(b"not a database at all" * 500)
    assert_given_up(open_run(make_record(), root, EXPERIMENT), capsys, "is damaged")


def test_a_folder_in_place_of_the_store(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "mlflow.db").unlink()
    (root / "mlflow.db").mkdir()
    assert_given_up(open_run(make_record(), root, EXPERIMENT), capsys, "could not be filled")


def test_a_folder_whose_name_breaks_addresses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_given_up(open_run(make_record(), tmp_path / "50%", EXPERIMENT), capsys, "another place")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "mlflow.db").chmod(0o444)
    root.chmod(0o555)
    try:
        assert_given_up(open_run(make_record(), root, EXPERIMENT), capsys, "could not be filled")
    finally:
        root.chmod(0o755)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write to")
def test_a_store_that_cannot_be_made(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////proc/photochrom/mlflow.db")
    assert_given_up(open_run(make_record(), root, EXPERIMENT), capsys, "could not be filled")


def test_files_that_cannot_be_stored(
    root: Path, capsys: pytest.CaptureFixture[str], client_of: Clients
) -> None:
    (root / "mlartifacts").write_text("a file where a folder belongs")
    mirror = open_run(make_record(), root, EXPERIMENT)
    train(mirror, root)
    assert "the training goes on" in capsys.readouterr().err
    assert client_of(root).get_run(mirror.run_id).data.metrics["train/loss"] == 0.9


def test_a_dead_server(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", closed_port())
    assert_given_up(open_run(make_record(), root, EXPERIMENT), capsys, "does not answer")


def test_a_server_that_never_answers(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with silent_server() as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert_given_up(open_run(make_record(), root, EXPERIMENT), capsys, "does not answer")


@pytest.mark.parametrize("uri", ["file:///tmp/mlruns", "nonsense://x"])
def test_an_address_mlflow_refuses(
    root: Path, uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert_given_up(open_run(make_record(), root, EXPERIMENT), capsys, "could not be filled")


def test_a_database_elsewhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    shutil.copy(empty_database, elsewhere)
    (root / "mlflow.db").unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{elsewhere}")
    mirror = open_run(make_record(), root, EXPERIMENT)
    mirror.close(timeout=60)
    assert mirror.run_id is not None
    assert not (root / "mlflow.db").exists()


def test_a_project_that_was_moved(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_run(make_record(), root, EXPERIMENT).close(timeout=60)
    moved = root.rename(root.with_name("moved"))
    assert_given_up(open_run(make_record(), moved, EXPERIMENT), capsys, "lay elsewhere")


def test_an_experiment_that_was_deleted(
    root: Path, client_of: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(root)
    client.delete_experiment(client.create_experiment(EXPERIMENT))
    assert_given_up(open_run(make_record(), root, EXPERIMENT), capsys, "among the deleted")


def test_a_backlog_is_given_up(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = threading.Event()
    monkeypatch.setattr("photochrom.tracking.mirror.BACKLOG", 4)
    monkeypatch.setattr("photochrom.tracking.mirror.open_store", lambda *_: gate.wait(30))
    mirror = open_run(make_record(), root, EXPERIMENT)
    for row in ROWS * 4:
        mirror.epoch(row)
    gate.set()
    assert "too slow to follow" in capsys.readouterr().err
    mirror.close()


def test_a_process_ends_although_mlflow_hangs(root: Path) -> None:
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from tracking_project import *
from photochrom.tracking import open_run
mirror = open_run(make_record(), Path("."), EXPERIMENT)
mirror.close(timeout=0.5)
"""
    with silent_server() as uri:
        environment = {**os.environ, "MLFLOW_TRACKING_URI": uri}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
