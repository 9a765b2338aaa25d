"""A small set of photographs as the stages lab and prior leave it."""

from pathlib import Path

import pytest
from evaluation_kit import write_lab_set

from photochrom.data.counting import count_colors
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet
from photochrom.params.data import PriorParams


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_DEVICE", "cpu")
    monkeypatch.setenv("PHOTOCHROM_TRACKING", "off")
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lab_set(tmp_path_factory.mktemp("evaluation") / "lab")


@pytest.fixture(scope="session")
def test_set(lab: Path) -> LabSet:
    return LabSet.open(lab, "test")


@pytest.fixture(scope="session")
def prior(lab: Path) -> Prior:
    params = PriorParams(neighbours=5, sigma=5.0, smoothing=5.0, pseudo_photographs=1.0, mix=0.5)
    train = LabSet.open(lab, "train")
    return Prior.from_histogram(count_colors(train), len(train), params)
