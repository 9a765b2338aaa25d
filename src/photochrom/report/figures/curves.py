"""Learning curves: the losses of each model over its epochs."""

from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from photochrom.report.collect import Training
from photochrom.report.figures.style import ACCENT, INK, STYLE

PANEL = (3.4, 2.6)
DASHES = ("-", "--", ":", "-.")
MOST_POINTS = 200
"""More epochs than a line can show are thinned out."""


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
    history = _thinned(training.history, training.run["kept_epoch"])
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


def _thinned(history: pd.DataFrame, kept: int) -> pd.DataFrame:
    """Return evenly spread epochs, with the last one and the kept one among them."""
    rows = np.linspace(0, len(history) - 1, min(len(history), MOST_POINTS)).round()
    chosen = history.index.isin(rows.astype(int)) | (history["epoch"] == kept)
    return history[chosen]


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
