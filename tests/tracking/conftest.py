import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from photochrom.tracking.store import _create_database, prepare

VARIABLES = (
    "MLFLOW_TRACKING_URI",
    "PHOTOCHROM_TRACKING",
    "DVC_STAGE",
    "DVC_EXP_NAME",
    "GIT_DIR",
    "GIT_WORK_TREE",
)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Making MLflow's tables takes seconds, so they are made once and copied."""
    prepare()
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    _create_database(path, str(path.parent / "mlartifacts"))
    return path


@pytest.fixture
def root(tmp_path: Path, empty_database: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(empty_database, folder / "mlflow.db")
    return folder


@pytest.fixture
def client_of() -> Callable[[Path], Any]:
    """Look into a project's store as anyone else would."""

    def open_client(root: Path) -> Any:
        from mlflow import MlflowClient

        prepare()
        return MlflowClient(tracking_uri=f"sqlite:///{root / 'mlflow.db'}")

    return open_client
