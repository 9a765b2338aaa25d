"""The MLflow store: where it is, and whether it answers.

Nothing here waits long for a store that is dead: the database file is probed with sqlite3 and a
server with one short request before MLflow, which would retry for minutes, is asked anything.
"""

import importlib
import logging
import os
import re
import sqlite3
import threading
import warnings
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from photochrom.environment import tracking_wanted
from photochrom.progress import say
from photochrom.tracking.runs import Store

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_UV_AUTO_DETECT": "false",
}
"""Environment that MLflow reads when it is imported; what the user has set stays."""
MODULES = ("mlflow", "mlflow.entities", "mlflow.store.tracking.sqlalchemy_store", "alembic.command")
PROBE_SECONDS = 3.0
KIND, MODELS_KIND = "mlflow.experimentKind", "custom_model_development"
"""Tells MLflow's pages that the experiment trains models and does not talk to one."""

_importing = threading.RLock()
if hasattr(os, "register_at_fork"):
    # A process forked while another thread imports would inherit that module's lock for ever.
    os.register_at_fork(
        before=_importing.acquire,
        after_in_parent=_importing.release,
        after_in_child=_importing.release,
    )


class TrackingError(Exception):
    """MLflow cannot be used. The message says where and why, without a full stop."""


@dataclass(frozen=True)
class Address:
    """Where the store is.

    Attributes
    ----------
    uri : as MLflow takes it.
    shown : as people are told, without passwords.
    database : the file of a SQLite store.
    artifacts : where files of a new experiment go; None leaves it to the server.
    """

    uri: str
    shown: str
    database: Path | None
    artifacts: str | None


def address(root: Path) -> Address:
    """Return the store of MLFLOW_TRACKING_URI, or else mlflow.db in the project ``root``."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    if not uri:
        path = root.resolve() / "mlflow.db"
        return Address(f"sqlite:///{path}", path.name, path, _artifacts(root))
    if uri.startswith("sqlite:///") and (name := uri.removeprefix("sqlite:///").split("?")[0]):
        return Address(uri, uri, Path(name), _artifacts(root))
    return Address(uri, re.sub(r"//[^/]*@", "//", uri), None, None)


def tracking_possible() -> bool:
    """Tell whether MLflow is wanted and installed; say so once if it is only not installed."""
    if not tracking_wanted():
        return False
    if find_spec("mlflow") is None:
        _say_once("MLflow is not installed, so nothing is shown there: the numbers are in files.")
        return False
    return True


def prepare() -> None:
    """Set what keeps MLflow short-spoken and patient for seconds, not minutes."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(mlflow|alembic|sqlalchemy)(\.|$)")


def open_store(root: Path, experiment: str) -> Store:
    """Open the store and make its database and the experiment where they do not exist yet.

    Raises
    ------
    TrackingError
        If the store does not answer, is locked, damaged or not writable.
    """
    place = address(root)
    prepare()
    try:
        probe(place)
        with _importing:
            mlflow, *_ = [importlib.import_module(name) for name in MODULES]
        if place.database is not None and not place.database.exists():
            _create_database(place.database, place.artifacts or "")
        client = mlflow.MlflowClient(tracking_uri=place.uri, registry_uri=place.uri)
        return Store(client, _experiment(client, place, experiment))
    except Exception as error:
        raise explained(place, error) from error


def explained(place: Address, error: Exception) -> TrackingError:
    """Turn whatever went wrong at ``place`` into one clause."""
    if isinstance(error, TrackingError):
        return error
    if "database is locked" in str(error):
        return TrackingError(f"MLflow at {place.shown} is locked by another process")
    if "not a database" in str(error) or "malformed" in str(error):
        return TrackingError(f"MLflow at {place.shown} is damaged (move that file away)")
    return TrackingError(f"MLflow at {place.shown} could not be filled ({reason(error)})")


def reason(error: Exception) -> str:
    """Return the first line of what an error says, without a full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160].rstrip(".")


def _artifacts(root: Path) -> str:
    return str(root.resolve() / "mlartifacts")


def probe(place: Address) -> None:
    """Ask the store briefly whether it answers and can be written; raise whatever it says."""
    if place.database is not None and set("%?#") & set(str(place.database)):
        raise TrackingError(
            f"MLflow at {place.shown} cannot be in a folder with %, ? or # in its path (set "
            "MLFLOW_TRACKING_URI to another place)"
        )
    if place.database is not None and place.database.exists():
        mode = f"{place.database.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(mode, timeout=PROBE_SECONDS, uri=True)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
    elif urlsplit(place.uri).scheme in ("http", "https"):
        _ask(place)


def _ask(place: Address) -> None:
    try:
        requests.get(f"{place.uri.rstrip('/')}/health", timeout=PROBE_SECONDS, stream=True).close()
    except requests.exceptions.SSLError:
        return  # It is there; MLflow has its own settings for certificates.
    except requests.exceptions.RequestException:
        raise TrackingError(f"MLflow at {place.shown} does not answer") from None


def _create_database(path: Path, artifacts: str) -> None:
    """Make the tables under another name: whoever finds ``path`` finds all of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.touch()  # Where this is refused, MLflow would go on trying for minutes.
    try:
        module = importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
        module.SqlAlchemyStore(f"sqlite:///{part}", artifacts).engine.dispose()
        with suppress(FileExistsError):  # Another process was faster.
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def _experiment(client: Any, place: Address, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            made = client.create_experiment(name, place.artifacts, {KIND: MODELS_KIND})
            return str(made)
        except Exception:
            # Another process may have made it in the meantime.
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"MLflow at {place.shown} has the experiment {name} among the deleted (restore it "
            "there, or name another under tracking.experiment in params.yaml)"
        )
    if place.shown == "mlflow.db" and found.artifact_location != place.artifacts:
        raise TrackingError(
            "MLflow at mlflow.db was made when the project lay elsewhere (delete mlflow.db and "
            "mlartifacts)"
        )
    if KIND not in found.tags:
        client.set_experiment_tag(found.experiment_id, KIND, MODELS_KIND)
    return str(found.experiment_id)


@cache
def _say_once(message: str) -> None:
    say(message)
