"""Runs as they are kept, and what has become slower since."""

import datetime
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from machine import commit, machine, versions
from measuring import Row, Setting, Spread
from photochrom.files import read_json, write_json

FORMAT = 2
SLOWER = 0.1
"""A change for the worse by more than this share, and by more than both spreads, is marked."""


def stamped(command: str) -> dict[str, Any]:
    """Return when, by what command, of which code and where something is measured."""
    return {
        "format": FORMAT,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        **commit(),
        "hardware": machine(),
        "versions": versions(),
    }


def facts(rows: Iterable[Row], setting: Setting, command: str) -> dict[str, Any]:
    """Return all that is kept of a run."""
    return {
        **stamped(command),
        "settings": settings(setting),
        "rounds": setting.rounds,
        "rows": [asdict(row) for row in rows],
    }


def settings(setting: Setting) -> dict[str, Any]:
    """Return what decides the sizes, so that only like is compared with like."""
    used = None if setting.photographs is None else setting.photographs.name
    return {"quick": setting.quick, "photographs": used}


def keep(run: dict[str, Any], folder: Path) -> Path:
    """Write a run under its date and return the file."""
    moment = datetime.datetime.fromisoformat(run["date"])
    path = folder / f"{moment:%Y%m%d-%H%M%S}.json"
    write_json(path, run)
    return path


def earlier(run: dict[str, Any], folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Find the latest earlier value of each row on the same hardware with the same settings.

    Returns
    -------
    By group and name: the row as it was kept, with the run's ``date`` and ``commit``.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json"), reverse=True):
        other = read_json(path)
        if not _comparable(run, other):
            continue
        stamp = {"date": other["date"], "commit": other["commit"]}
        for row in other["rows"]:
            found.setdefault((row["group"], row["name"]), {**row, **stamp})
    return found


def _comparable(run: dict[str, Any], other: dict[str, Any]) -> bool:
    same = ("format", "hardware", "settings")
    return all(run[key] == other.get(key) for key in same) and other["date"] < run["date"]


def change(row: Row, before: dict[str, Any]) -> float:
    """Return by which share the value has grown since (0.1: by 10 %)."""
    return row.value.median / float(before["value"]["median"]) - 1


def is_slower(row: Row, before: dict[str, Any]) -> bool:
    """Return whether a row became worse by more than chance explains."""
    former = Spread(**before["value"])
    grown = row.value.median - former.median
    worse = grown if row.better == "lower" else -grown
    return worse > max(SLOWER * former.median, row.value.width, former.width)
