"""How far every other colorizer lies from the leader, in the main measures."""

from collections.abc import Sequence
from dataclasses import dataclass

from photochrom.measures import Measure
from photochrom.report.collect import COMPARED, Results, Row
from photochrom.report.differences import FROM_ZERO
from photochrom.report.standings import ARROWS, MEASURE, signed
from photochrom.report.tables import MAIN
from photochrom.uncertainty import Difference


@dataclass(frozen=True)
class Margin:
    """A difference and its interval, as printed; ``sure`` if the interval excludes 0."""

    text: str
    interval: str
    sure: bool


@dataclass(frozen=True)
class Margins:
    """The paired differences of all others to the leader.

    Attributes
    ----------
    leader : the best model by rebalanced AuC.
    columns : the main measures that were compared, each with its title and the better direction.
    lines : a row and its margins, one for each measure: the models, then the baselines.
    """

    leader: Row
    columns: tuple[tuple[Measure, str, str], ...]
    lines: tuple[tuple[Row, tuple[Margin, ...]], ...]


def margins(results: Results) -> Margins:
    """Return how much more the other models, gray and the mean color have than the leader.

    Of a measure that is best at 0, how much farther from 0 they are.
    """
    leader, *rest = results.models
    others = [*rest, *map(results.row, COMPARED)]
    measures = _compared(results, leader, others)
    lines = (
        (row, tuple(_margin(results, row, leader, measure) for measure in measures))
        for row in others
    )
    return Margins(leader, tuple(map(_column, measures)), tuple(lines))


def _column(measure: Measure) -> tuple[Measure, str, str]:
    """Return a column; that of a measure that is best at 0 has the distances from it."""
    if measure.key in FROM_ZERO:
        return measure, f"|{measure.title}|", ARROWS["lower"]
    return measure, measure.title, ARROWS[measure.better]


def _compared(results: Results, leader: Row, others: Sequence[Row]) -> tuple[Measure, ...]:
    return tuple(
        MEASURE[key]
        for key in MAIN
        if any(results.differences.between(row.name, leader.name, key) for row in others)
    )


def _margin(results: Results, row: Row, leader: Row, measure: Measure) -> Margin:
    found = results.differences.between(row.name, leader.name, measure.key)
    if found is None:
        return Margin("–", "", sure=False)
    return Margin(signed(measure, found.value), _interval(measure, found), found.distinguishable)


def _interval(measure: Measure, found: Difference) -> str:
    """Return the interval in brackets; nothing where none can be told."""
    if found.low != found.low:
        return ""
    return f"[{signed(measure, found.low)}, {signed(measure, found.high)}]"
