"""The table of all measures, a group of them at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from photochrom.measures import MEASURES, Measure
from photochrom.report.collect import Results, Row
from photochrom.report.standings import beats, leaders, printed, spread
from photochrom.report.tables import MAIN, measured

GROUPS: Mapping[str, str] = {
    "color": "Color",
    "pixels": "Pixel errors",
    "perception": "Perception",
    "failures": "Failures",
    "classifier": "Classifiers",
    "cost": "Cost",
}
"""What the groups of measures are called, in their order."""
UNLIKE_GRAY = frozenset({"failures", "cost"})
"""Groups in which gray is no mark to beat: it strays and bleeds nowhere, and costs nothing."""


@dataclass(frozen=True)
class Column:
    """A measure and the switches that show it, by their keys."""

    measure: Measure
    shown: str


@dataclass(frozen=True)
class Cell:
    """A number of the table: as printed, with its ± if any, as sorted, and how it stands."""

    text: str
    spread: str
    value: float | None
    standing: str
    shown: str


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    row: Row
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Comparison:
    """The table.

    Attributes
    ----------
    switches : key and words of each choice of columns; the first is shown at the start.
    absent : measures that no row has.
    """

    columns: tuple[Column, ...]
    switches: tuple[tuple[str, str], ...]
    models: tuple[Line, ...]
    baselines: tuple[Line, ...]
    absent: tuple[Measure, ...]


def comparison(results: Results) -> Comparison:
    """Return the table; measures that no row has are left out of its columns."""
    known = measured(results.rows)
    columns = tuple(Column(measure, _shown(measure)) for measure in known)
    groups = {measure.group for measure in known}
    words = [(key, word) for key, word in GROUPS.items() if key in groups]
    return Comparison(
        columns=columns,
        switches=(("main", "Main"), *words, ("all", "All")),
        models=_lines(results, columns, results.models),
        baselines=_lines(results, columns, results.baselines),
        absent=tuple(measure for measure in MEASURES if measure not in known),
    )


def _shown(measure: Measure) -> str:
    return f"main {measure.group}" if measure.key in MAIN else measure.group


def _lines(results: Results, columns: Sequence[Column], rows: Sequence[Row]) -> tuple[Line, ...]:
    best = {c.measure.key: leaders(results.rows, c.measure, results.differences) for c in columns}
    gray = results.row("gray")
    return tuple(
        Line(row, tuple(_cell(row, gray, column, best[column.measure.key]) for column in columns))
        for row in rows
    )


def _cell(row: Row, gray: Row, column: Column, best: frozenset[str]) -> Cell:
    measure = column.measure
    value = row.metrics.get(measure.key)
    against_gray = row.trained and measure.group not in UNLIKE_GRAY
    behind = against_gray and beats(row, gray, measure) is False
    standing = " ".join(
        word for word, holds in (("best", row.name in best), ("behind", behind)) if holds
    )
    return Cell(printed(measure, value), spread(row, measure), value, standing, column.shown)
