"""What the machine decides: defaults, settings, and settings that cannot be used."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom import environment
from photochrom.environment import SettingError

COUNTS = {
    "PHOTOCHROM_WORKERS": environment.workers,
    "PHOTOCHROM_CHECKPOINT_SECONDS": environment.checkpoint_seconds,
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in list(os.environ):
        if name.startswith("PHOTOCHROM_"):
            monkeypatch.delenv(name)


def test_defaults():
    assert environment.workers() >= 1
    if hasattr(os, "sched_getaffinity"):
        assert environment.workers() == len(os.sched_getaffinity(0))
    assert environment.checkpoint_seconds() == 60.0
    assert environment.device() is None
    assert environment.precision() is None
    assert environment.tracking_wanted()


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_taken_from_the_environment(name, monkeypatch):
    default = COUNTS[name]()
    monkeypatch.setenv(name, "7")
    assert COUNTS[name]() == 7
    monkeypatch.setenv(name, "")
    assert COUNTS[name]() == default


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", " ", "1e3", "0x2"])
def test_impossible_counts_are_refused_by_name(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=f"{name} is .*: set it to a whole number of at least 1"):
        COUNTS[name]()


def test_device_and_precision_are_taken_from_the_environment(monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_DEVICE", "cuda:1")
    assert environment.device() == "cuda:1"
    for value in ("bfloat16", "float32"):
        monkeypatch.setenv("PHOTOCHROM_PRECISION", value)
        assert environment.precision() == value
    monkeypatch.setenv("PHOTOCHROM_PRECISION", "half")
    with pytest.raises(SettingError, match="'half': set it to bfloat16 or float32"):
        environment.precision()


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("off", False), ("OFF", False), ("0", False), ("no", False), ("on", True), ("1", True)],
)
def test_tracking_can_be_turned_off(value, wanted, monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_TRACKING", value)
    assert environment.tracking_wanted() == wanted


@given(st.integers(0, 10**7), st.integers(1, 4096), st.integers(1, 64))
def test_pieces_of_work_are_small_enough_and_give_every_worker_some(items, most, processes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOTOCHROM_WORKERS", str(processes))
        size = environment.chunk_size(items, most)
    assert 1 <= size <= most
    pieces = -(-items // size)
    assert pieces >= min(items, processes)
