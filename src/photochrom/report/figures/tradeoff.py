"""The trade-off of accuracy against colorfulness."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from photochrom.report.collect import Row
from photochrom.report.figures.labels import label
from photochrom.report.figures.style import ACCENT, INK, STYLE
from photochrom.report.standings import MEASURE, heading


def tradeoff(rows: Sequence[Row]) -> Figure:
    """Draw rebalanced AuC against colorfulness, with their 95 % intervals.

    The truth, exact by definition, is a line.
    """
    auc, colorfulness = MEASURE["auc_rebalanced"], MEASURE["colorfulness"]
    places = {row.title: (row.metrics[colorfulness.key], row.metrics[auc.key]) for row in rows}
    true_colorfulness, _ = places.pop("truth")
    _, gray_auc = places["gray"]
    with mpl.rc_context(STYLE):
        figure = Figure((6.8, 3.4 + 0.1 * len(places)), dpi=72, layout="constrained")
        axes = figure.subplots()
        axes.set(xlabel=heading(colorfulness), ylabel=heading(auc))
        axes.margins(x=0.08, y=0.08)
        for row in rows:
            if row.title in places:
                _point(axes, row, colorfulness.key, auc.key)
        axes.axhline(gray_auc, color=INK, lw=0.8, ls=":")
        axes.axvline(true_colorfulness, color=INK, lw=0.8, ls="--")
        top = (true_colorfulness, 1)
        axes.annotate(
            "truth", top, (4, -8), xycoords=("data", "axes fraction"), textcoords="offset points"
        )
        figure.draw_without_rendering()
        label(axes, [(name, x, y) for name, (x, y) in places.items()], INK)
    return figure


def _point(axes: Axes, row: Row, across: str, up: str) -> None:
    edge, face = (ACCENT, ACCENT) if row.trained else (INK, "none")
    x, y = row.metrics[across], row.metrics[up]
    bars = [_reach(row, across, x), _reach(row, up, y)]
    axes.errorbar(x, y, bars[1], bars[0], fmt="none", ecolor=edge, elinewidth=1, alpha=0.4)
    axes.plot(x, y, "o", ms=7, mfc=face, mec=edge)


def _reach(row: Row, key: str, value: float) -> list[list[float]]:
    """Return how far the interval reaches below and above a value, as error bars take it."""
    low, high = row.intervals.get(key, (value, value))
    return [[max(0.0, value - low)], [max(0.0, high - value)]]
