"""Learning curves, the trade-off plot and the sheet of samples.

Drawn in one middle gray on a transparent ground, so that the files read on light and dark pages
alike; on the report's own page the gray becomes the color of the text around it.
"""

import io
import re
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter
from PIL import Image

from photochrom.files import whole_file
from photochrom.pictures import sheet, to_rgb
from photochrom.report.collect import Photograph, Row, Training
from photochrom.report.labels import label
from photochrom.report.standings import MEASURE, heading

INK = "#7d7d7d"
ACCENT = "#cf6a32"
STYLE: Any = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "font.size": 8,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.4,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "photochrom",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.color": INK,
    "ytick.major.width": 0.6,
    "ytick.minor.width": 0.4,
}
PANEL = (3.4, 2.6)
DASHES = ("-", "--", ":", "-.")
SHEET_SIDE = 128


class Series(NamedTuple):
    """A line of a learning curve."""

    label: str
    column: str
    color: str
    dashes: str


def learning_curves(trainings: Sequence[Training]) -> Figure:
    """Draw the losses of each model over its epochs, in a panel each: losses do not compare."""
    wide = min(3, len(trainings))
    high = -(-len(trainings) // wide)
    with mpl.rc_context(STYLE):
        figure = Figure((PANEL[0] * wide, PANEL[1] * high), dpi=72, layout="constrained")
        panels = list(figure.subplots(high, wide, squeeze=False).flat)
        for training, axes in zip(trainings, panels, strict=False):
            axes.set_title(training.name)
            _curves(axes, training)
        for axes in panels[len(trainings) :]:
            axes.set_axis_off()
    return figure


def learning_curve(training: Training) -> Figure:
    """Draw the losses of one model over its epochs."""
    with mpl.rc_context(STYLE):
        figure = Figure(PANEL, dpi=72, layout="constrained")
        _curves(figure.subplots(), training)
    return figure


def _curves(axes: Axes, training: Training) -> None:
    history = training.history
    every = _series(history)
    for line in every:
        axes.plot(
            history["epoch"], history[line.column], line.dashes, color=line.color, label=line.label
        )
    kept = history[history["epoch"] == training.run["kept_epoch"]]
    axes.plot(kept["epoch"], kept["validation/loss"], "o", color=ACCENT, ms=5, label="kept")
    if _spread(history[[line.column for line in every]]) > 30:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("epoch", loc="right")
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.legend(loc="upper left", bbox_to_anchor=(-0.04, -0.24), ncols=2, borderaxespad=0)


def _series(history: pd.DataFrame) -> list[Series]:
    # Accuracies, which a GAN logs of its discriminator, have another scale.
    losses = [str(n) for n in history if str(n).startswith("train/") and "accuracy" not in str(n)]
    losses.sort(key=lambda name: name != "train/loss")
    lines = [
        Series(f"training {name.removeprefix('train/').replace('_', ' ')}", name, INK, dash)
        for name, dash in zip(losses, cycle(DASHES), strict=False)
    ]
    return [*lines, Series("validation loss", "validation/loss", ACCENT, "-")]


def _spread(values: pd.DataFrame) -> float:
    numbers = values.to_numpy(dtype=np.float64)
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    return high / low if low > 0 else 0.0


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


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure, transparent, the same bytes for the same figure."""
    with mpl.rc_context(STYLE), whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=200, metadata={"Software": None})


def as_svg(figure: Figure) -> str:
    """Return a figure as an SVG element for the page: its text and ink in the page's own."""
    text = io.StringIO()
    nothing = {"Creator": None, "Date": None, "Format": None, "Type": None}
    with mpl.rc_context(STYLE):
        figure.savefig(text, format="svg", metadata=nothing)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    # Inside a page an id must be unique, and a style sheet would reach everything.
    svg = re.sub(r'<g id="[^"]*"', "<g", re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL))
    return re.sub(r"'DejaVu Sans',.*?sans-serif", "system-ui, sans-serif", svg)


def sample_sheet(photographs: Sequence[Photograph], titles: Sequence[str]) -> Image.Image:
    """Draw each colorizer's renderings in a row under its title, a photograph to a column."""
    columns = [list(_opened(photograph)) for photograph in photographs]
    return sheet(list(zip(*columns, strict=True)), names=titles, side=SHEET_SIDE)


def save_sheet(image: Image.Image, path: Path) -> None:
    """Write a sheet as a JPEG that keeps color at full resolution."""
    with whole_file(path) as temporary:
        image.save(temporary, "JPEG", quality=92, subsampling=0)


def _opened(photograph: Photograph) -> Iterator[np.ndarray]:
    for path in photograph.pictures.values():
        with Image.open(path) as image:
            yield np.asarray(to_rgb(image))
