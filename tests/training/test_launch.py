"""The stage ``train`` in two processes: one is killed, both are asked to stop, it resumes."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from safetensors.torch import load_file
from training_kit import GAN, assert_equal_states, write_lab_set

from photochrom.files import read_json

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 25

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="the processes are found through /proc"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as the stages before training leave it, with a GAN to train."""
    yaml = YAML(typ="safe")
    values = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["models"] = {"gan": {**GAN, "epochs": EPOCHS, "batch_size": 5, "study": "test"}}
    with (tmp_path / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)
    write_lab_set(tmp_path / "data/lab")
    return tmp_path


def start(project: Path) -> "subprocess.Popen[str]":
    environment = {
        **os.environ,
        "PHOTOCHROM_PROCESSES": "2",
        "PHOTOCHROM_DEVICE": "cpu",
        "PHOTOCHROM_PRECISION": "float32",
        "PHOTOCHROM_TRACKING": "off",
    }
    command = [sys.executable, str(ROOT / "stages/train.py"), "gan"]
    return subprocess.Popen(
        command, cwd=project, env=environment, stderr=subprocess.PIPE, text=True
    )


def wait_for_a_checkpoint(project: Path, after: float) -> None:
    state = project / ".checkpoints/gan/state.pt"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if state.is_file() and state.stat().st_mtime > after:
            return
        time.sleep(0.02)
    raise AssertionError("no checkpoint was written")


def workers(launcher: "subprocess.Popen[str]") -> list[int]:
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text()
    trains = [int(pid) for pid in children.split()]
    return [pid for pid in trains if b"train.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def is_running(pid: int) -> bool:
    """A process that nobody has fetched the exit status of has no command line any more."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


def wait_until_gone(pids: list[int]) -> None:
    """Processes whose launcher was killed stop by themselves: else two trainings would write."""
    deadline = time.monotonic() + 60
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, "they go on without their launcher"
        time.sleep(0.05)


def finish(project: Path) -> str:
    process = start(project)
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said
    return said


def test_killed_stopped_and_resumed(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = tmp_path_factory.mktemp("whole")
    (whole / "params.yaml").write_bytes((project / "params.yaml").read_bytes())
    write_lab_set(whole / "data/lab")
    finish(whole)

    process = start(project)
    wait_for_a_checkpoint(project, 0.0)
    os.kill(workers(process)[1], signal.SIGKILL)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    last = said.strip().splitlines()[-1]
    assert last.startswith("train: Process ")
    assert "of 2 was stopped by SIGKILL" in last
    assert "Run the same command again" in last
    assert "Traceback" not in said

    before = time.time()
    process = start(project)
    wait_for_a_checkpoint(project, before)
    left = workers(process)
    process.kill()
    process.communicate(timeout=120)
    wait_until_gone(left)

    before = time.time()
    process = start(project)
    wait_for_a_checkpoint(project, before)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=120)[1]
    assert process.returncode != 0
    assert len(re.findall(r"train: Stopped by SIGTERM after step \d+", said)) == 1
    assert "death signal" not in said
    assert "Traceback" not in said

    assert "Continuing after step" in finish(project)
    files = [folder / "models/gan/weights.safetensors" for folder in (whole, project)]
    assert_equal_states(*map(load_file, files))
    assert read_json(project / "models/gan/run.json")["processes"] == 2
