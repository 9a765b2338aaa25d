"""Dots with whiskers: an estimate of each colorizer and the interval that it lies in."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from photochrom.report.figures.style import ACCENT, INK, STYLE


class Whisker(NamedTuple):
    """An estimate and its interval; ``leads`` marks the best and what equals it."""

    name: str
    value: float
    interval: tuple[float, float] | None
    leads: bool


def whiskers(rows: Sequence[Whisker], axis: str, reference: tuple[str, float] | None) -> Figure:
    """Draw estimates below one another, the first on top.

    Parameters
    ----------
    axis : what the numbers are.
    reference : name and value of a dotted line to compare with.
    """
    with mpl.rc_context(STYLE):
        figure = Figure((5.6, 0.75 + 0.24 * len(rows)), dpi=72, layout="constrained")
        axes = figure.subplots()
        for place, row in enumerate(rows):
            _row(axes, row, place)
        if reference:
            axes.axvline(reference[1], color=INK, lw=0.8, ls=":", zorder=0)
            axes.annotate(
                reference[0],
                (reference[1], 1),
                (3, 2),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
            )
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        axes.set(xlabel=axis, ylim=(len(rows) - 0.4, -0.6))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    return figure


def _row(axes: Axes, row: Whisker, place: int) -> None:
    color = ACCENT if row.leads else INK
    if row.interval:
        axes.plot(row.interval, (place, place), color=color, lw=1.1, alpha=0.6)
    axes.plot(row.value, place, "o", ms=6, color=color)
