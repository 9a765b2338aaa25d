"""What all trainings of these tests have in common: the CPU, one thread, no MLflow."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from training_kit import write_lab_set


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_DEVICE", "cpu")
    monkeypatch.setenv("PHOTOCHROM_PRECISION", "float32")
    monkeypatch.setenv("PHOTOCHROM_TRACKING", "off")
    monkeypatch.delenv("PHOTOCHROM_CHECKPOINT_SECONDS", raising=False)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Small networks compute faster on one thread than on threads that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lab_set(tmp_path_factory.mktemp("training") / "lab")
