"""What the evaluation kept of each colorizer besides its means: colors, hues, failures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from photochrom.measures import MEASURES
from photochrom.params.models import ModelParams
from photochrom.report.reading import array_of, csv_of, found, list_of, parquet_of

End = Literal["worst", "best"]
ENDS: tuple[End, ...] = ("worst", "best")
HUE_COLUMNS = ("id", "group", "hue", "pixels", "auc", "chroma", "true_chroma")
BINS, LATTICE = 313, 256
CALIBRATION_COLUMNS = ("low", "high", "pixels", "confidence", "accuracy")
SHEET_KEYS = ("measure", "end", "sheet", "photographs")
_PLACES = {measure.key: place for place, measure in enumerate(MEASURES)}


@dataclass(frozen=True)
class Failed:
    """A photograph on a sheet of the worst or the best, with its value of the measure."""

    id: str
    label: str | None
    value: float


@dataclass(frozen=True)
class FailureSheet:
    """The photographs at one end of a measure, a column each; rows: gray, the model, the truth."""

    measure: str
    end: End
    sheet: Path
    photographs: tuple[Failed, ...]


@dataclass(frozen=True, eq=False)
class Details:
    """What details/ of a colorizer holds.

    Attributes
    ----------
    bins : (N, 313), pixels of each test photograph by the nearest bin of their color, in the order
        of per_image.parquet.
    histogram : (256, 256), pixels by their rounded a and b, each plus 128.
    hues : a row for each photograph and true hue, see :data:`HUE_COLUMNS`: pixels, and sums over
        them of the AuC share in percent, of the output's chroma and of the true chroma.
    calibration : an interval of confidence to a row, in percent; None but for classifiers.
    failures : of trained models, in the order of the measures, the worst before the best.
    """

    bins: np.ndarray
    histogram: np.ndarray
    hues: pd.DataFrame
    calibration: pd.DataFrame | None
    failures: tuple[FailureSheet, ...]


def details_of(
    folder: Path, stage: str, photographs: int, model: ModelParams | None = None
) -> Details:
    """Read the details of a colorizer from its folder of results.

    Parameters
    ----------
    stage : what writes them.
    photographs : on how many it was measured.
    model : its entry in params.yaml; None for a baseline, which has no failures.

    Raises
    ------
    ReportError
        In one line that names the stage to run, when a file is missing or cannot be used.
    """
    details = folder / "details"
    distribution, classifies = details / "distribution.npz", is_classifier(model)
    return Details(
        bins=array_of(distribution, stage, "bins", (photographs, BINS)),
        histogram=array_of(distribution, stage, "histogram", (LATTICE, LATTICE)),
        hues=parquet_of(details / "hues.parquet", stage, HUE_COLUMNS),
        calibration=csv_of(details / "calibration.csv", stage, CALIBRATION_COLUMNS)
        if classifies
        else None,
        failures=_failures(details, stage) if model else (),
    )


def is_classifier(model: ModelParams | None) -> bool:
    """Return whether a model chooses among bins, and so has a confidence."""
    return model is not None and model.objective.kind == "classification"


def _failures(details: Path, stage: str) -> tuple[FailureSheet, ...]:
    entries = list_of(details / "failures.json", stage, SHEET_KEYS)
    sheets = [_sheet(entry, details, stage) for entry in entries]
    return tuple(sorted(sheets, key=lambda s: (_PLACES[s.measure], ENDS.index(s.end))))


def _sheet(entry: Mapping[str, Any], details: Path, stage: str) -> FailureSheet:
    photographs = tuple(
        Failed(str(one["id"]), one["label"], float(one["value"])) for one in entry["photographs"]
    )
    sheet = found(details / entry["sheet"], stage)
    return FailureSheet(entry["measure"], entry["end"], sheet, photographs)
