"""Checkpoints: whole or absent, of this training or thrown away."""

import pickle
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

import photochrom
from photochrom import files
from photochrom.files import fingerprint
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.train import CODE

CPU = torch.device("cpu")
STATE = {"step": 3, "best": float("inf"), "weights": {"a": torch.arange(4.0)}}


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    made = Checkpoints(tmp_path / "scratch", "one")
    made.prepare()
    return made


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Make writes beyond so many bytes fail, as they do where there is no room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_there_is_nothing_at_the_beginning(checkpoints: Checkpoints) -> None:
    assert checkpoints.load() is None


def test_a_state_comes_back(checkpoints: Checkpoints) -> None:
    checkpoints.save(STATE)
    found = checkpoints.load()
    assert found is not None
    assert (found["step"], found["best"]) == (3, float("inf"))
    assert torch.equal(found["weights"]["a"], STATE["weights"]["a"])  # type: ignore[index]


def test_the_last_state_counts(checkpoints: Checkpoints) -> None:
    for step in (1, 2):
        checkpoints.save({"step": step})
    assert checkpoints.load() == {"step": 2}


def test_the_same_training_finds_its_state_and_another_does_not(checkpoints: Checkpoints) -> None:
    checkpoints.save(STATE)
    (checkpoints.folder / "samples").mkdir()
    checkpoints.prepare()
    assert checkpoints.load() is not None
    other = Checkpoints(checkpoints.folder, "another")
    other.prepare()
    assert other.load() is None
    assert not (checkpoints.folder / "samples").exists()


def test_the_state_of_another_training_is_set_aside(checkpoints: Checkpoints) -> None:
    checkpoints.prepare()
    checkpoints.save(STATE)
    Checkpoints(checkpoints.folder, "another").prepare()
    previous = checkpoints.folder.with_name(f"{checkpoints.folder.name}.previous")
    assert Checkpoints(previous, checkpoints.fingerprint).load() is not None


def test_a_state_without_its_fingerprint_is_thrown_away(checkpoints: Checkpoints) -> None:
    checkpoints.save(STATE)
    (checkpoints.folder / "fingerprint").unlink()
    checkpoints.prepare()
    assert checkpoints.load() is None


def test_half_written_files_are_neither_read_nor_kept(checkpoints: Checkpoints) -> None:
    checkpoints.save(STATE)
    whole = (checkpoints.folder / "state.pt").read_bytes()
    (checkpoints.folder / "samples").mkdir()
    leftovers = [
        checkpoints.folder / ".state.pt.4711.part",
        checkpoints.folder / "samples/.epoch-001.jpg.4711.part",
    ]
    for path in leftovers:
        path.write_bytes(whole[: len(whole) // 2])
    checkpoints.prepare()
    assert not any(path.exists() for path in leftovers)
    found = checkpoints.load()
    assert found is not None
    assert found["step"] == 3


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99, 0.999])
def test_a_write_that_fails_leaves_the_former_state(checkpoints: Checkpoints, share: float) -> None:
    """Wherever in the file the room ends, it is an error of the system, not RuntimeError."""
    large = {"step": 2, "weights": torch.zeros(30_000), "rows": [{"loss": 0.5}] * 100}
    checkpoints.save(large)
    size = (checkpoints.folder / "state.pt").stat().st_size
    checkpoints.save({"step": 1})
    with files_of_at_most(round(share * size)), pytest.raises(OSError, match="too large"):
        checkpoints.save(large)
    assert checkpoints.load() == {"step": 1}
    assert {path.name for path in checkpoints.folder.iterdir()} == {"fingerprint", "state.pt"}


def test_what_no_disk_could_hold_is_another_error(checkpoints: Checkpoints) -> None:
    checkpoints.save({"step": 1})
    with pytest.raises((AttributeError, pickle.PicklingError)):
        checkpoints.save({"step": lambda: 2})
    assert checkpoints.load() == {"step": 1}


def test_a_finished_training_is_forgotten(checkpoints: Checkpoints) -> None:
    checkpoints.save(STATE)
    checkpoints.clear()
    assert not checkpoints.folder.exists()
    checkpoints.clear()


def test_the_fingerprint_follows_values_but_not_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": 2}, ()) == fingerprint({"b": 2, "a": 1}, ())
    assert fingerprint({"a": 1}, ()) != fingerprint({"a": 2}, ())
    assert fingerprint([{"a": 1}, None], ()) != fingerprint([{"a": 1}, [0.5]], ())


def test_the_fingerprint_follows_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = tmp_path / "photochrom"
    shutil.copytree(Path(photochrom.__file__).parent, copied)
    before = fingerprint("same", CODE)
    monkeypatch.setattr(files, "PACKAGE", copied)
    assert fingerprint("same", CODE) == before
    for part in (*CODE, "networks/resnet.py", "objectives/regression/task.py"):
        file = copied / part
        changed = file if file.is_file() else file / "__init__.py"
        text = changed.read_text(encoding="utf-8")
        changed.write_text(text + "\n# changed\n", encoding="utf-8")
        assert fingerprint("same", CODE) != before, part
        changed.write_text(text, encoding="utf-8")
    report = copied / "report/build.py"
    report.write_text(report.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert fingerprint("same", CODE) == before
