"""All that is known of a model, and of this installation."""

import platform
from pathlib import Path
from typing import Any

import torch

from photochrom import __version__, environment, hardware
from photochrom.cli.refusal import RefusalError
from photochrom.colorizer import catalog
from photochrom.colorizer.catalog import Entry, find
from photochrom.colorizer.places import TRAINED
from photochrom.colorizer.stored import WEIGHTS, ColorizerError
from photochrom.environment import SettingError
from photochrom.files import file_digest, read_json

CARD = "MODEL_CARD.md"
Facts = dict[str, Any]


def about(name: str | None, root: Path = Path()) -> Facts:
    """Return all that is known of a model as plain values; what is not known is null.

    Parameters
    ----------
    name : of the model; None takes the default one and adds what is known of the installation.
    root : the project.

    Raises
    ------
    RefusalError
        When the model cannot be had.
    """
    try:
        entry = find(name, root)
        facts: Facts = {
            "model": _model(entry),
            "weights": _weights(entry),
            "training": _read(entry.folder / "run.json"),
            "measures": _measures(entry, root),
            "card": _card(entry),
        }
        return facts if name is not None else {**facts, "installation": _installation(root)}
    except (ColorizerError, SettingError) as error:
        raise RefusalError(str(error)) from None


def _model(entry: Entry) -> Facts:
    config = entry.config
    return {
        "name": entry.name,
        "origin": entry.origin,
        "why": entry.why or None,
        "folder": str(entry.folder),
        "answer": "distribution" if entry.classifies else "colors",
        "size": config.image_size,
        "parameters": config.parameters,
        "study": config.study or None,
        "network": config.network.model_dump(),
        "objective": config.objective,
        "decoding": config.decoding.model_dump(),
    }


def _weights(entry: Entry) -> Facts:
    path = entry.folder / WEIGHTS
    digest = file_digest(path)
    recorded = entry.config.sha256
    return {
        "bytes": path.stat().st_size,
        "sha256": digest,
        "intact": None if recorded is None else digest == recorded,
    }


def _measures(entry: Entry, root: Path) -> Facts | None:
    if entry.origin != "trained" or entry.folder.parent != root / TRAINED:
        return None
    from photochrom.tracking.champion import measured

    return measured(root, (entry.name,)).get(entry.name)


def _read(path: Path) -> Facts | None:
    try:
        return dict(read_json(path))
    except (OSError, ValueError, TypeError):
        return None


def _card(entry: Entry) -> str | None:
    try:
        return (entry.folder / CARD).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _installation(root: Path) -> Facts:
    where = hardware.device()
    return {
        "photochrom": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": hardware.name(where),
        "training precision": str(hardware.precision(where)).removeprefix("torch."),
        "CPUs": environment.workers(),
        "package": str(Path(catalog.__file__).parents[1]),
        "shipped models": str(catalog.SHIPPED),
        "trained models": str((root / TRAINED).resolve()),
        "MLflow": _store(root),
    }


def _store(root: Path) -> str:
    from photochrom.tracking.registered import has_store
    from photochrom.tracking.store import address

    return address(root).shown if has_store(root) else "no store here"
