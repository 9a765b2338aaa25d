import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tracking_project import CODE, EXPERIMENT, make_record, params_of, write_model

from photochrom.tracking import Mirror, TrainingRecord, open_run, sync
from photochrom.tracking.processes import is_gone, this_process

Clients = Callable[[Path], Any]
pytestmark = pytest.mark.skipif(this_process() is None, reason="needs /proc")
TRAINING = """
import json, sys, time
from pathlib import Path
from photochrom.tracking import TrainingRecord, open_run
record = TrainingRecord.from_json(json.loads(sys.argv[1]))
mirror = open_run(record, Path("."), "photochrom")
while mirror.run_id is None:
    time.sleep(0.01)
print(mirror.run_id, flush=True)
time.sleep(600)
"""


def killed_training(root: Path, record: TrainingRecord) -> str:
    """Begin a training in a process of its own, and kill it; return its run."""
    told = json.dumps(record.to_json())
    with subprocess.Popen(
        [sys.executable, "-c", TRAINING, told], cwd=root, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        run_id = process.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
    return run_id


def begun(mirror: Mirror) -> str:
    """Wait until a training's run is there; return its name."""
    end = time.monotonic() + 60
    while mirror.run_id is None and time.monotonic() < end:
        time.sleep(0.01)
    assert mirror.run_id is not None
    return mirror.run_id


def test_a_killed_training_is_told_by_the_next(root: Path, client_of: Clients) -> None:
    run_id = killed_training(root, make_record())
    client = client_of(root)
    assert client.get_run(run_id).info.status == "RUNNING"
    live = open_run(make_record(), root, EXPERIMENT)
    living = begun(live)
    other = open_run(make_record("other"), root, EXPERIMENT)
    other.close(timeout=60)
    assert client.get_run(run_id).info.status == "KILLED"
    assert client.get_run(living).info.status == "RUNNING"
    live.close(timeout=60)


def test_a_killed_training_is_told_by_sync(root: Path, client_of: Clients) -> None:
    record = make_record()
    run_id = killed_training(root, record)
    told = str(sync(root, params_of(), CODE))
    assert told == "Runs that were cut off are marked as killed now: 1."
    client = client_of(root)
    assert client.get_run(run_id).info.status == "KILLED"
    assert str(sync(root, params_of(), CODE)) == "MLflow lacked nothing."
    write_model(root, record)  # It was continued where MLflow was off.
    sync(root, params_of(), CODE)
    assert client.get_run(run_id).info.status == "FINISHED"


def test_this_process_is_alive_and_another_start_is_gone() -> None:
    told = this_process()
    assert told is not None
    machine, boot, namespace, number, start = told.split(" ")
    assert not is_gone(told)
    assert is_gone(f"{machine} {boot} {namespace} {number} {int(start) + 1}")
    assert is_gone(f"{machine} another-boot {namespace} {number} {start}")


@pytest.mark.parametrize("changed", [0, 2])
def test_what_cannot_be_known_counts_as_alive(changed: int) -> None:
    """A process on another machine, or in another container."""
    words = str(this_process()).split(" ")
    words[changed] = "other"
    words[4] = "0"
    assert not is_gone(" ".join(words))


@pytest.mark.parametrize("told", ["", "unknown", "a b c", "a b c d e"])
def test_words_that_name_no_process(told: str) -> None:
    assert not is_gone(told)


def test_a_process_that_ended_is_gone() -> None:
    code = "from photochrom.tracking.processes import this_process; print(this_process())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert is_gone(done.stdout.strip())


def test_a_process_that_nobody_waited_for_is_gone() -> None:
    code = (
        "from photochrom.tracking.processes import this_process; print(this_process(), flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = process.stdout.readline().strip()
        stat = Path(f"/proc/{process.pid}/stat")
        while ") Z " not in stat.read_text():
            time.sleep(0.01)
        assert is_gone(told)
