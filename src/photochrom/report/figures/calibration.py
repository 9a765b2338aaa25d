"""Reliability diagrams: whether a classifier is right as often as it believes."""

from collections.abc import Mapping
from itertools import cycle

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from photochrom.report.figures.style import COLORS, INK, STYLE

SMALLEST, LARGEST = 2.0, 9.0
"""Markers in points: their area is the share of the pixels."""


def calibration(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw accuracy against confidence, both in percent, a line for each classifier.

    Parameters
    ----------
    tables : by classifier, an interval of confidence to a row: ``pixels``, ``confidence``,
        ``accuracy``. Intervals without pixels are left out.
    """
    with mpl.rc_context(STYLE):
        figure = Figure((5.4, 3.4), dpi=72, layout="constrained")
        axes = figure.subplots()
        axes.plot((0, 100), (0, 100), ":", color=INK, lw=0.9, label="as sure as right")
        for (name, table), color in zip(tables.items(), cycle(COLORS), strict=False):
            held = table[table["pixels"] > 0]
            axes.plot(held["confidence"], held["accuracy"], color=color, lw=1.2, label=name)
            sizes = LARGEST * (held["pixels"] / held["pixels"].sum()) ** 0.5
            area = sizes.clip(lower=SMALLEST) ** 2
            axes.scatter(held["confidence"], held["accuracy"], area, color=color, lw=0)
        axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        axes.set(xlabel="confidence in the likeliest bin %", ylabel="how often it is right %")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
