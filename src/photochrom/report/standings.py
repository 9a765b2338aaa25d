"""Who is best at what, decided on the numbers as they are printed and on what they can tell."""

from collections.abc import Iterable, Mapping

from photochrom.measures import MEASURES, Measure
from photochrom.report.collect import Results, Row
from photochrom.report.differences import Differences

MEASURE: Mapping[str, Measure] = {measure.key: measure for measure in MEASURES}
VERY_FEW, FEW = 6, 30
"""Scenes: in simulations the interval covers 84 % of the time with 5, 94 % with 9, not 95 %."""
ARROWS = {"higher": "↑", "lower": "↓", "closest to 0": "→ 0", "none": ""}


def heading(measure: Measure) -> str:
    """Return the title of a column with its unit and the direction that is better."""
    return " ".join(part for part in (measure.title, measure.unit, ARROWS[measure.better]) if part)


def printed(measure: Measure, value: float | None) -> str:
    """Return a value as it is printed: a dash where there is none, a sign on differences."""
    if value is None:
        return "–"
    return signed(measure, value) if measure.better == "closest to 0" else _text(measure, value, "")


def signed(measure: Measure, value: float) -> str:
    """Return a value with the digits of its measure and its sign; 0 has none."""
    return _text(measure, value, "+" if _rounded(measure, value) else "")


def spread(row: Row, measure: Measure) -> str:
    """Return half the width of the interval as "± 0.8"; nothing where there is none."""
    low, high = row.intervals.get(measure.key, (0.0, 0.0))
    if low == high:
        return ""
    return f"± {(high - low) / 2:,.{measure.digits}f}"


def certainty(results: Results) -> str:
    """Return the sentence that says what ± is."""
    if not results.row("gray").intervals:
        return f"How sure the numbers are cannot be told from {results.sample}."
    few = "; of so few it is a little too narrow" if results.scenes < FEW else ""
    if results.scenes < VERY_FEW:
        few = "; of so few it is far too narrow"
    return (
        f"±: half the width of the 95\u00a0% interval, by a bootstrap over {results.sample}{few}. "
        "It does not cover what another seed of the training would change; and of twenty pairs "
        "of equals, one is told apart by chance."
    )


def first(rows: Iterable[Row], measure: Measure) -> frozenset[str]:
    """Return the names of the trained models that print the best number of a measure.

    Baselines never lead. Empty where the measure has no direction.
    """
    merits = _merits(rows, measure)
    best = max(merits.values(), default=None)
    return frozenset(name for name, merit in merits.items() if merit == best)


def leaders(rows: Iterable[Row], measure: Measure, differences: Differences) -> frozenset[str]:
    """Return the names of the best trained models, as far as the photographs tell.

    Those that print the best number, and all their :func:`rivals`. Nobody where a paired
    difference among them is unknown, as in time: the best number alone does not tell who is best.
    """
    merits, front = _merits(rows, measure), first(rows, measure)
    known = all(
        differences.tell(name, best, measure.key) is not None
        for best in front
        for name in merits
        if name != best
    )
    return front | rivals(rows, measure, differences) if known else frozenset()


def rivals(rows: Iterable[Row], measure: Measure, differences: Differences) -> frozenset[str]:
    """Return the names of the trained models that do not print the best number but equal it.

    Those whose paired difference to one of the :func:`first` cannot be told from 0.
    """
    merits, front = _merits(rows, measure), first(rows, measure)
    return frozenset(
        name
        for name in merits.keys() - front
        if any(differences.tell(name, best, measure.key) is False for best in front)
    )


def beats(row: Row, other: Row, measure: Measure) -> bool | None:
    """Return whether ``row`` prints a better number than ``other``; None if it cannot be said."""
    mine, theirs = _merit(row, measure), _merit(other, measure)
    return None if mine is None or theirs is None else mine > theirs


def _merits(rows: Iterable[Row], measure: Measure) -> dict[str, float]:
    found = {row.name: _merit(row, measure) for row in rows if row.trained}
    return {name: merit for name, merit in found.items() if merit is not None}


def _merit(row: Row, measure: Measure) -> float | None:
    if (value := row.metrics.get(measure.key)) is None or measure.better == "none":
        return None
    number = _rounded(measure, value)
    return {"higher": number, "lower": -number, "closest to 0": -abs(number)}[measure.better]


def _text(measure: Measure, value: float, sign: str) -> str:
    text = format(_rounded(measure, value), f"{sign},.{measure.digits}f")
    return text.replace("-", "−")


def _rounded(measure: Measure, value: float) -> float:
    # Adding zero turns -0.0, which would print as "-0", into 0.0.
    return round(value, measure.digits) + 0.0
