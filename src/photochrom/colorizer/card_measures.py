"""What was measured of a model, beside gray, the truth and the best of the others."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photochrom.colorizer.places import TRAINED, model_folders
from photochrom.files import read_json
from photochrom.measures import MEASURES, Measure

RESULTS = "results/evaluate"
NOTHING = "–"
WORDS = {"higher": "higher", "lower": "lower", "closest to 0": "closer to 0", "none": NOTHING}
Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class MeasureRow:
    """A measure in words: its name and what it means, and the numbers that have it."""

    title: str
    definition: str
    better: str
    own: str
    interval: str
    gray: str
    truth: str
    best: str


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes
    ----------
    photographs : how many, in words.
    others : how many other models were measured on as many.
    current : whether nothing of what it depends on changed since, as far as dvc.lock tells.
    rows : one for each measure.
    """

    photographs: str
    others: int
    current: bool
    rows: list[MeasureRow]


def measured(root: Path, name: str) -> Measured | None:
    """Read what the stage ``evaluate`` wrote of the model ``name`` of the project ``root``.

    Returns
    -------
    None where it was not evaluated.
    """
    from photochrom.tracking.provenance import is_current

    own = _metrics(root, name)
    if not own:
        return None
    names = [folder.name for folder in model_folders(root / TRAINED) if folder.name != name]
    others = {other: _like(root, other, own) for other in names}
    others = {other: metrics for other, metrics in others.items() if metrics}
    gray, truth = _like(root, "gray", own), _like(root, "truth", own)
    rows = [
        _row(measure, own, gray, truth, others)
        for measure in MEASURES
        if measure.group != "cost" and _value(own, measure) is not None
    ]
    current = is_current(root, f"{RESULTS}/{name}")
    return Measured(f"{own.get('photographs', 0):,}", len(others), current, rows)


def _metrics(root: Path, name: str) -> Metrics:
    try:
        return dict(read_json(root / RESULTS / name / "metrics.json"))
    except (OSError, ValueError, TypeError):
        return {}


def _like(root: Path, name: str, own: Metrics) -> Metrics:
    """Return the measures of another on as many photographs; none where it saw others."""
    metrics = _metrics(root, name)
    return metrics if metrics.get("photographs") == own.get("photographs") else {}


def _row(
    measure: Measure, own: Metrics, gray: Metrics, truth: Metrics, others: Mapping[str, Metrics]
) -> MeasureRow:
    unit = f" ({measure.unit})" if measure.unit else ""
    ends = own.get("interval", {}).get(measure.key)
    return MeasureRow(
        title=f"{measure.title}{unit}",
        definition=measure.definition,
        better=WORDS[measure.better],
        own=_shown(measure, _value(own, measure)),
        interval=" to ".join(_shown(measure, end) for end in ends) if ends else NOTHING,
        gray=_shown(measure, _value(gray, measure)),
        truth=_shown(measure, _value(truth, measure)),
        best=_best(measure, others),
    )


def _best(measure: Measure, others: Mapping[str, Metrics]) -> str:
    values = {name: _value(metrics, measure) for name, metrics in others.items()}
    found = {name: value for name, value in values.items() if value is not None}
    ranks = {"higher": lambda v: -v, "lower": lambda v: v, "closest to 0": abs}
    if not found or measure.better not in ranks:
        return NOTHING
    name = min(sorted(found), key=lambda other: ranks[measure.better](found[other]))
    return f"{_shown(measure, found[name])} (`{name}`)"


def _value(metrics: Metrics, measure: Measure) -> float | None:
    value = metrics.get(measure.key)
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _shown(measure: Measure, value: float | None) -> str:
    if value is None:
        return NOTHING
    # Adding 0 makes a plain zero of one that was rounded from below.
    return f"{round(value, measure.digits) + 0.0:,.{measure.digits}f}".replace("-", "−")
