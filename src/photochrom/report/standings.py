"""Who is best at what, decided on the numbers as they are printed."""

from collections.abc import Iterable, Mapping

from photochrom.measures import MEASURES, Measure
from photochrom.report.collect import Row

MEASURE: Mapping[str, Measure] = {measure.key: measure for measure in MEASURES}
ARROWS = {"higher": "↑", "lower": "↓", "closest to 0": "→ 0", "none": ""}


def heading(measure: Measure) -> str:
    """Return the title of a column with its unit and the direction that is better."""
    return " ".join(part for part in (measure.title, measure.unit, ARROWS[measure.better]) if part)


def printed(measure: Measure, value: float | None) -> str:
    """Return a value as it is printed: a dash where there is none, a sign on differences."""
    if value is None:
        return "–"
    sign = "+" if measure.better == "closest to 0" else ""
    text = format(_rounded(measure, value), f"{sign},.{measure.digits}f")
    return text.lstrip("+") if _rounded(measure, value) == 0 else text.replace("-", "−")


def leaders(rows: Iterable[Row], measure: Measure) -> frozenset[str]:
    """Return the names of the trained models that are best at a measure.

    Models that print the same number share the lead. Baselines never lead. Empty where the
    measure has no direction.
    """
    merits = {
        row.name: merit
        for row in rows
        if row.trained and (merit := _merit(row, measure)) is not None
    }
    best = max(merits.values(), default=None)
    return frozenset(name for name, merit in merits.items() if merit == best)


def beats(row: Row, other: Row, measure: Measure) -> bool | None:
    """Return whether ``row`` prints a better number than ``other``; None if it cannot be said."""
    mine, theirs = _merit(row, measure), _merit(other, measure)
    return None if mine is None or theirs is None else mine > theirs


def _merit(row: Row, measure: Measure) -> float | None:
    if (value := row.metrics.get(measure.key)) is None or measure.better == "none":
        return None
    number = _rounded(measure, value)
    return {"higher": number, "lower": -number, "closest to 0": -abs(number)}[measure.better]


def _rounded(measure: Measure, value: float) -> float:
    # Adding zero turns -0.0, which would print as "-0", into 0.0.
    return round(value, measure.digits) + 0.0
