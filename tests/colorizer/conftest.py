"""What tests of the colorizer share."""

from pathlib import Path

import pytest
from colorizer_kit import FIRST, write_model


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """The folder of a model that was trained in no time."""
    write_model(FIRST, tmp_path / "model")
    return tmp_path / "model"
