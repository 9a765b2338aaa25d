"""What all trainings of these tests have in common: the CPU, one thread, no MLflow."""

from pathlib import Path

import pytest
from training_kit import write_lab_set


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_DEVICE", "cpu")
    monkeypatch.setenv("PHOTOCHROM_PRECISION", "float32")
    monkeypatch.setenv("PHOTOCHROM_TRACKING", "off")
    monkeypatch.delenv("PHOTOCHROM_CHECKPOINT_SECONDS", raising=False)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lab_set(tmp_path_factory.mktemp("training") / "lab")
