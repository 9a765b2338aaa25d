"""Registered models, read back from MLflow's registry; nothing is made or changed there."""

import importlib
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photochrom.tracking.logged import DECODING, MODEL, WEIGHTS
from photochrom.tracking.store import TrackingError, address, prepare, probe, reason

ADDRESS = re.compile(r"models:/(?P<name>[^/@]+)(?:/(?P<version>\d+)|@(?P<alias>[^/@]+))")
PARTS = ("config.json", WEIGHTS)
TEST = "test/"


class RegistryError(Exception):
    """A registered model cannot be read; the message is a sentence that says why."""


@dataclass(frozen=True)
class Version:
    """A version of a registered model.

    Attributes
    ----------
    address : how it is named, ``models:/NAME/VERSION``.
    model : the name it was trained under.
    aliases : the names that point to it, such as ``champion``.
    decoding : how its output becomes colors, in words.
    params : of its training, as text.
    measures : of its evaluation, by the keys of metrics.json.
    """

    address: str
    model: str
    aliases: tuple[str, ...]
    decoding: str
    params: Mapping[str, str]
    measures: Mapping[str, float]


def has_store(root: Path) -> bool:
    """Tell whether there is an MLflow store to ask: named in the environment, or mlflow.db."""
    if os.environ.get("MLFLOW_TRACKING_URI", "").strip():
        return True
    database = address(root).database
    return database is not None and database.is_file()


def versions(root: Path) -> list[Version]:
    """Return all versions of models that this project registered, by name, the newest first.

    Raises
    ------
    RegistryError
        When the store does not answer.
    """
    client = _client(root)
    try:
        aliases = {model.name: dict(model.aliases) for model in client.search_registered_models()}
        found = [version for version in client.search_model_versions("") if MODEL in version.tags]
        found.sort(key=lambda version: (version.name, -int(version.version)))
        return [_version(client, version, aliases.get(version.name, {})) for version in found]
    except Exception as error:
        raise _refusal(root, error) from None


def fetch(wanted: str, root: Path, into: Path) -> Path:
    """Copy a registered model's config.json and weights.safetensors.

    Parameters
    ----------
    wanted : ``models:/NAME/VERSION`` or ``models:/NAME@alias``.
    root : the project whose store is asked, unless MLFLOW_TRACKING_URI names another.
    into : a folder, in which one is made for the version.

    Returns
    -------
    The folder of the two files.

    Raises
    ------
    RegistryError
        When the address is none, the registry has no such version, or the files cannot be read.
    """
    parts = ADDRESS.fullmatch(wanted)
    if parts is None:
        raise RegistryError("write it as models:/NAME/VERSION or models:/NAME@alias.")
    if not has_store(root):
        raise RegistryError("there is no mlflow.db here, and MLFLOW_TRACKING_URI names no store.")
    client = _client(root)
    try:
        return _fetched(client, address(root).uri, parts, into)
    except Exception as error:
        raise _refusal(root, error) from None


def _fetched(client: Any, uri: str, parts: re.Match[str], into: Path) -> Path:
    name, number = parts["name"], parts["version"]
    number = number or client.get_model_version_by_alias(name, parts["alias"]).version
    source = client.get_model_version_download_uri(name, str(number))
    folder = into / f"{name}-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    artifacts = importlib.import_module("mlflow.artifacts")
    for part in PARTS:
        artifacts.download_artifacts(
            artifact_uri=f"{source}/artifacts/{part}", dst_path=str(folder), tracking_uri=uri
        )
    return folder


def _version(client: Any, found: Any, aliases: Mapping[str, str]) -> Version:
    run = client.get_run(found.run_id).data
    return Version(
        address=f"models:/{found.name}/{found.version}",
        model=found.tags[MODEL],
        aliases=tuple(sorted(a for a, at in aliases.items() if str(at) == str(found.version))),
        decoding=found.tags.get(DECODING, ""),
        params=dict(run.params),
        measures={
            key.removeprefix(TEST): value
            for key, value in run.metrics.items()
            if key.startswith(TEST) and math.isfinite(value)
        },
    )


def _client(root: Path) -> Any:
    place = address(root)
    prepare()
    try:
        probe(place)
        mlflow = importlib.import_module("mlflow")
        return mlflow.MlflowClient(tracking_uri=place.uri, registry_uri=place.uri)
    except Exception as error:
        raise _refusal(root, error) from None


def _refusal(root: Path, error: Exception) -> RegistryError:
    shown = address(root).shown
    if isinstance(error, TrackingError):
        return RegistryError(f"{error}.")
    if isinstance(error, ImportError):
        return RegistryError("MLflow is not installed: run `python -m pip install mlflow`.")
    return RegistryError(f"MLflow at {shown} says: {reason(error)}.")
