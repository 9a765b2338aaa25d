"""Reading what other stages wrote: whole, or one line that says which stage to run."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from photochrom.files import read_json
from photochrom.params import BASELINES

T = TypeVar("T")


class ReportError(Exception):
    """The report cannot be made. The message is one line that names the stage to run."""


def stage_of(name: str) -> str:
    """Return the stage that measures a colorizer: a model, by its name, or a baseline."""
    return "baselines" if name in BASELINES else f"evaluate@{name}"


def found(path: Path, stage: str) -> Path:
    """Return ``path``, which ``stage`` writes.

    Raises
    ------
    ReportError
        If it is not there.
    """
    if not path.exists():
        raise ReportError(f"{path} is missing: run `dvc repro {stage}` first.")
    return path


def json_of(path: Path, stage: str, keys: Iterable[str] = ()) -> dict[str, Any]:
    """Read a JSON object that has at least these keys.

    Raises
    ------
    ReportError
        If the file is missing, is not a JSON object, or lacks a key.
    """
    value = _read(path, stage, read_json)
    absent = [key for key in keys if key not in value] if isinstance(value, dict) else ["an object"]
    if absent:
        raise _unusable(path, stage, f"it lacks {', '.join(absent)}")
    return dict(value)


def list_of(path: Path, stage: str, keys: Iterable[str]) -> list[dict[str, Any]]:
    """Read a JSON list of objects that each have these keys; errors as :func:`json_of`."""
    value = _read(path, stage, read_json)
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _unusable(path, stage, "it lacks a list of objects")
    absent = [key for key in keys if any(key not in entry for entry in value)]
    if absent:
        raise _unusable(path, stage, f"it lacks {', '.join(absent)}")
    return value


def array_of(path: Path, stage: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Read the array ``name`` of an NPZ file, of this shape; errors as :func:`json_of`."""
    array = _read(path, stage, lambda file: _array(file, name))
    if array.shape != shape:
        raise _unusable(path, stage, f"{name} has the shape {array.shape}, not {shape}")
    return array


def csv_of(path: Path, stage: str, columns: Iterable[str]) -> pd.DataFrame:
    """Read a CSV file that has at least these columns; errors as :func:`json_of`."""
    return _with_columns(_read(path, stage, pd.read_csv), columns, path, stage)


def parquet_of(path: Path, stage: str, columns: Iterable[str]) -> pd.DataFrame:
    """Read these columns of a Parquet file; errors as :func:`json_of`."""
    return _with_columns(_read(path, stage, pd.read_parquet), columns, path, stage)


def _with_columns(
    table: pd.DataFrame, columns: Iterable[str], path: Path, stage: str
) -> pd.DataFrame:
    absent = [column for column in columns if column not in table.columns]
    if absent:
        raise _unusable(path, stage, f"it lacks {', '.join(absent)}")
    return table


def _array(path: Path, name: str) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            array: np.ndarray = arrays[name]
    except (KeyError, BadZipFile) as error:
        raise ValueError(str(error)) from None
    return array


def _read(path: Path, stage: str, read: Callable[[Path], T]) -> T:
    try:
        return read(found(path, stage))
    except (OSError, ValueError) as error:
        raise _unusable(path, stage, " ".join(str(error).split())) from None


def _unusable(path: Path, stage: str, fault: str) -> ReportError:
    return ReportError(f"{path} cannot be used ({fault}): run `dvc repro --force {stage}`.")
