"""Where each model fails: the indicators against those of the others, and the sheets."""

from collections.abc import Mapping
from dataclasses import dataclass

from photochrom.measures import Measure
from photochrom.report.collect import Results, Row
from photochrom.report.details import ENDS, FailureSheet
from photochrom.report.naming import class_name
from photochrom.report.standings import MEASURE, beats, printed, spread

INDICATORS: Mapping[str, str] = {
    "gray_collapse": "leaving colored things gray",
    "stray_color": "stray color",
    "wrong_hue": "wrong hues",
    "bleeding": "color over the edges of things",
}
"""The failures that are counted, in words."""


@dataclass(frozen=True)
class Indication:
    """The failures of a model: a number and its ± for each, and what that means."""

    name: str
    numbers: tuple[tuple[str, str], ...]
    words: str


@dataclass(frozen=True)
class Sheet:
    """A sheet of one model; ``cells`` are the value and the name of each photograph."""

    model: str
    measure: Measure
    source: FailureSheet
    cells: tuple[tuple[str, str], ...]


def indicators(results: Results) -> tuple[Measure, ...]:
    """Return the counted failures that at least one model has."""
    keys = {key for row in results.models for key in row.metrics}
    return tuple(MEASURE[key] for key in INDICATORS if key in keys)


def indications(results: Results) -> tuple[Indication, ...]:
    """Return how much each model fails, best first by rebalanced AuC."""
    measures = indicators(results)
    return tuple(
        Indication(
            row.title,
            tuple((printed(m, row.metrics.get(m.key)), spread(row, m)) for m in measures),
            _words(results, row, measures),
        )
        for row in results.models
    )


def sheets(results: Results) -> tuple[Sheet, ...]:
    """Return all sheets: by measure, the worst before the best, one model after the other."""
    found = [
        _sheet(row.name, sheet)
        for row in results.models
        for sheet in results.details[row.name].failures
    ]
    order = list(MEASURE)
    return tuple(
        sorted(found, key=lambda s: (order.index(s.measure.key), ENDS.index(s.source.end)))
    )


def _sheet(model: str, source: FailureSheet) -> Sheet:
    measure = MEASURE[source.measure]
    cells = tuple(
        (printed(measure, one.value), class_name(one.label) if one.label else one.id)
        for one in source.photographs
    )
    return Sheet(model, measure, source, cells)


def _words(results: Results, row: Row, measures: tuple[Measure, ...]) -> str:
    """Say where a model does worse, or better, than most others for sure."""
    others = [other for other in results.models if other is not row]
    parts = [
        ("More than most others", [m for m in measures if _most(results, row, others, m, False)]),
        ("Less than most others", [m for m in measures if _most(results, row, others, m, True)]),
    ]
    said = [
        f"{word}: {', '.join(INDICATORS[m.key] for m in which)}" for word, which in parts if which
    ]
    return f"{'. '.join(said)}." if said else "Much like the others."


def _most(results: Results, row: Row, others: list[Row], measure: Measure, better: bool) -> bool:
    """Return whether a model beats, or is beaten by, more than half of the others for sure."""
    sure = [
        other
        for other in others
        if results.differences.tell(row.name, other.name, measure.key)
        and beats(*((row, other) if better else (other, row)), measure)
    ]
    return 2 * len(sure) > len(others)
