from pathlib import Path

import pytest
from cli_kit import Run, runner, write_model

from photochrom.colorizer import catalog, places


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test stands in an empty folder, with nothing shipped and no MLflow."""
    for name in ("MLFLOW_TRACKING_URI", "PHOTOCHROM_TRACKING", "PHOTOCHROM_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    for module in (catalog, places):
        monkeypatch.setattr(module, "SHIPPED", tmp_path / "shipped")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)


@pytest.fixture
def here() -> Path:
    """The folder that the process stands in."""
    return Path()


@pytest.fixture(scope="session")
def stored_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models: ``painter`` predicts colors, ``guesser`` a distribution."""
    folder = tmp_path_factory.mktemp("stored") / "models"
    write_model(folder / "painter")
    write_model(folder / "guesser", classifies=True)
    return folder


@pytest.fixture
def models(here: Path, stored_models: Path) -> Path:
    """The two models as those that were trained here."""
    (here / "models").symlink_to(stored_models)
    return here / "models"


@pytest.fixture
def photochrom(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run ``photochrom`` in this process."""
    return runner(monkeypatch, capsysbinary)
