"""A project of their own for the tests of presets."""

from pathlib import Path

import pytest
from preset_kit import copy_project, default_text


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return params.yaml as preset samples makes it, whatever it says at the moment."""
    return default_text(tmp_path_factory.mktemp("default"))


@pytest.fixture
def project(tmp_path: Path, default: str) -> Path:
    """A folder with the default params.yaml and the presets."""
    copy_project(tmp_path)
    (tmp_path / "params.yaml").write_text(default, encoding="utf-8")
    return tmp_path
