"""Interrupted trainings: what they come to is what they would have come to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from training_kit import (
    MODELS,
    Disturbed,
    Watcher,
    assert_equal_states,
    model_of,
    trainer_of,
    without_seconds,
)

from photochrom.data.shards import LabSet
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.engine import Trainer
from photochrom.training.errors import TrainingError
from photochrom.training.history import Row
from photochrom.training.signals import WATCHED

Result = tuple[dict[str, Tensor], list[Row], int]
every_model = pytest.mark.parametrize("name", MODELS)


class StoppedError(Exception):
    """Something from outside that the engine knows nothing of."""


def stop() -> None:
    raise StoppedError


def send(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def result_of(trainer: Trainer, watcher: Watcher | None = None) -> Result:
    kept = trainer.run(watcher or Watcher())
    return kept, without_seconds(trainer.progress.history), trainer.kept_epoch


def assert_same(one: Result, other: Result) -> None:
    assert_equal_states(one[0], other[0])
    assert one[1:] == other[1:]


@pytest.fixture(scope="module")
def whole(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Result]:
    """Return what a model comes to when nothing interrupts it."""
    found: dict[str, Result] = {}

    def of(name: str) -> Result:
        if name not in found:
            scratch = tmp_path_factory.mktemp("whole")
            found[name] = result_of(trainer_of(model_of(MODELS[name]), lab, scratch))
        return found[name]

    return of


def saved_step(scratch: Path) -> int:
    state = Checkpoints(scratch, "same").load()
    return 0 if state is None else int(state["progress"]["step"])


@every_model
@pytest.mark.parametrize("after", [1, 2])
def test_stopped_after_an_epoch(
    name: str, after: int, lab: Path, tmp_path: Path, whole: Callable[[str], Result]
) -> None:
    model = model_of(MODELS[name])
    with pytest.raises(StoppedError):
        trainer_of(model, lab, tmp_path).run(Watcher(after, stop))
    # The observer is told before the state is saved: the epoch it stopped in is done again.
    assert saved_step(tmp_path) == 4 * (after - 1)
    watcher = Watcher()
    assert_same(result_of(trainer_of(model, lab, tmp_path), watcher), whole(name))
    assert [row["epoch"] for row in watcher.rows] == list(range(after, 4))


@every_model
@pytest.mark.parametrize("at", [0, 4, 5, 11])
def test_stopped_within_an_epoch(
    name: str,
    at: int,
    lab: Path,
    tmp_path: Path,
    whole: Callable[[str], Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of(MODELS[name])
    monkeypatch.setattr("photochrom.environment.checkpoint_seconds", lambda: 0.0)
    train = Disturbed(LabSet.open(lab, "train"), at, stop)
    with pytest.raises(StoppedError):
        trainer_of(model, lab, tmp_path, train=train).run(Watcher())
    assert saved_step(tmp_path) == at
    assert_same(result_of(trainer_of(model, lab, tmp_path)), whole(name))


@pytest.fixture
def _obeyed() -> Iterator[None]:
    """Signals are obeyed, also where whoever started the tests ignores them."""
    former = {number: signal.getsignal(number) for number in WATCHED}
    for number in WATCHED:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


@every_model
@pytest.mark.usefixtures("_obeyed")
@pytest.mark.parametrize(
    ("number", "at"),
    [
        (signal.SIGINT, 6),
        (signal.SIGHUP, 6),
        (signal.SIGTERM, 6),
        (signal.SIGTERM, 3),
        (signal.SIGTERM, 11),
    ],
    ids=["SIGINT", "SIGHUP", "SIGTERM", "last step of an epoch", "last step of all"],
)
def test_asked_to_stop_by_a_signal(
    name: str,
    number: signal.Signals,
    at: int,
    lab: Path,
    tmp_path: Path,
    whole: Callable[[str], Result],
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, handler = model_of(MODELS[name]), signal.getsignal(number)
    train = Disturbed(LabSet.open(lab, "train"), at, send(number))
    with pytest.raises(TrainingError) as caught:
        trainer_of(model, lab, tmp_path, train=train).run(Watcher())
    message = str(caught.value)
    assert f"Stopped by {number.name} after step {at + 1}" in message
    assert "run the same command again" in message
    assert "\n" not in message
    assert signal.getsignal(number) is handler
    assert saved_step(tmp_path) == at + 1
    assert_same(result_of(trainer_of(model, lab, tmp_path)), whole(name))
    assert f"Continuing after step {at + 1} of 12." in capsys.readouterr().err


@every_model
def test_interrupted_again_and_again(
    name: str, lab: Path, tmp_path: Path, whole: Callable[[str], Result]
) -> None:
    model = model_of(MODELS[name])
    for _ in range(11):
        train = Disturbed(LabSet.open(lab, "train"), 0, send(signal.SIGTERM))
        with pytest.raises(TrainingError):
            trainer_of(model, lab, tmp_path, train=train).run(Watcher())
    assert saved_step(tmp_path) == 11
    assert_same(result_of(trainer_of(model, lab, tmp_path)), whole(name))


@every_model
def test_finished_already(
    name: str, lab: Path, tmp_path: Path, whole: Callable[[str], Result]
) -> None:
    """Killed between the last checkpoint and the writing of what came of it."""
    model = model_of(MODELS[name])
    trainer_of(model, lab, tmp_path).run(Watcher())
    watcher = Watcher()
    assert_same(result_of(trainer_of(model, lab, tmp_path), watcher), whole(name))
    assert watcher.rows == []


def test_another_training_starts_afresh(
    lab: Path, tmp_path: Path, whole: Callable[[str], Result]
) -> None:
    model = model_of(MODELS["gan"])
    with pytest.raises(StoppedError):
        trainer_of(model, lab, tmp_path, seed=1, fingerprint="other").run(Watcher(2, stop))
    assert_same(result_of(trainer_of(model, lab, tmp_path)), whole("gan"))


def test_seconds_add_up_over_interruptions(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]

    def pass_by(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    model = model_of(MODELS["gan"], epochs=2)
    train = Disturbed(LabSet.open(lab, "train"), 2, lambda: (pass_by(7.0), send(15)()))
    with pytest.raises(TrainingError):
        trainer_of(model, lab, tmp_path, train=train).run(Watcher())
    pass_by(5000.0)
    clock[0] -= 100.0  # another process, another clock
    watcher = Watcher()
    train = Disturbed(LabSet.open(lab, "train"), 3, lambda: pass_by(20.0))
    trainer = trainer_of(model, lab, tmp_path, train=train)
    pass_by(50.0)  # before it runs
    trainer.run(watcher)
    assert [row["seconds"] for row in watcher.rows] == [7.0, 27.0]
    assert trainer.progress.seconds == 27.0
    again = trainer_of(model, lab, tmp_path)
    again.run(Watcher())
    assert again.progress.seconds == 27.0


@every_model
def test_low_precision_goes_on_the_same(
    name: str, lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_PRECISION", "bfloat16")
    model = model_of(MODELS[name])
    expected = result_of(trainer_of(model, lab, tmp_path / "a"))
    train = Disturbed(LabSet.open(lab, "train"), 6, send(signal.SIGTERM))
    with pytest.raises(TrainingError):
        trainer_of(model, lab, tmp_path / "b", train=train).run(Watcher())
    assert_same(result_of(trainer_of(model, lab, tmp_path / "b")), expected)


KILLED = """
import sys, time
from pathlib import Path
import torch
sys.path.insert(0, {kit!r})
from photochrom.data.shards import LabSet
from training_kit import *

torch.set_num_threads(1)
lab, scratch, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]


class Slow(Disturbed):
    def batches(self, orders):
        for number, batch in enumerate(super().batches(orders)):
            # A checkpoint is due within three steps; the fourth waits to be killed.
            time.sleep(0.4 if number < 3 else 600)
            yield batch


train = Slow(LabSet.open(lab, "train"), -1, lambda: None)
trainer_of(model_of(MODELS[name]), lab, scratch, train=train).run(Watcher())
"""


@every_model
def test_killed_within_an_epoch(
    name: str, lab: Path, tmp_path: Path, whole: Callable[[str], Result]
) -> None:
    scratch = tmp_path / "scratch"
    script = KILLED.format(kit=str(Path(__file__).parent))
    command: list[Any] = [sys.executable, "-c", script, lab, scratch, name]
    environment = {**os.environ, "PHOTOCHROM_CHECKPOINT_SECONDS": "1"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while not (scratch / "state.pt").is_file():
            assert process.poll() is None, "it ended before it was killed"
            assert time.monotonic() < deadline, "no checkpoint within five minutes"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 0 < saved_step(scratch) < 4, "the first checkpoint falls within the first epoch"
    assert_same(result_of(trainer_of(model_of(MODELS[name]), lab, scratch)), whole(name))


def test_no_state_is_shared_between_a_checkpoint_and_the_training(
    lab: Path, tmp_path: Path
) -> None:
    trainer = trainer_of(model_of(MODELS["regression"], epochs=2), lab, tmp_path)
    trainer.run(Watcher())
    best = {name: tensor.clone() for name, tensor in trainer.progress.best.items()}
    with torch.no_grad():
        for parameter in trainer.task.parameters():
            parameter.add_(1.0)
    assert_equal_states(trainer.progress.best, best)


def test_a_signal_that_is_ignored_stays_so(lab: Path, tmp_path: Path) -> None:
    """As nohup wants it."""
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        train = Disturbed(LabSet.open(lab, "train"), 2, send(signal.SIGHUP))
        trainer = trainer_of(model_of(MODELS["regression"]), lab, tmp_path, train=train)
        trainer.run(Watcher())
        assert len(trainer.progress.history) == 3
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, former)
