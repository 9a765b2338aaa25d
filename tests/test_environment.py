"""What the machine decides: defaults, settings, and settings that cannot be used."""

import os

import pytest

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


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("PHOTOCHROM_PROCESSES", environment.processes),
        ("PHOTOCHROM_DEVICE_BATCH", environment.device_batch),
    ],
)
def test_numbers_that_may_be_left_out(name, asked, monkeypatch):
    monkeypatch.delenv(name, raising=False)
    assert asked() is None
    monkeypatch.setenv(name, "3")
    assert asked() == 3
    for wrong in ("0", "-1", "two"):
        monkeypatch.setenv(name, wrong)
        with pytest.raises(SettingError, match=f"{name} is '{wrong}': set it to a whole number"):
            asked()


def test_torchrun_is_known_by_what_it_sets(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert not environment.launched()
    assert environment.local_rank() == 0
    monkeypatch.setenv("RANK", "5")
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert environment.launched()
    assert environment.local_rank() == 1
