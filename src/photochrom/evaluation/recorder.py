"""What looks on while the test photographs are measured, and keeps more than their means."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from torch import Tensor

from photochrom.evaluation.metrics import Comparison
from photochrom.uncertainty import Statistic, bootstrap_statistic, interval

Summary = tuple[dict[str, float], dict[str, tuple[float, float]]]
"""Measures of the whole set and their 95 % intervals, where they can be told."""


class Recorder(Protocol):
    """Looks on at a pass over the test photographs; what a subclass does not override is empty."""

    def measure(self, pair: Comparison, rows: np.ndarray) -> Mapping[str, Tensor]:
        """Take in photographs; return what is measured of each of them, (n,) by key.

        Parameters
        ----------
        rows : (n,) their positions in the test split; every row comes once, in order.
        """
        return {}

    def summarise(self, resamples: int, seed: int) -> Summary:
        """Return what is measured of all photographs together, after the last of them."""
        return {}, {}

    def save(self, details: Path) -> None:
        """Write what was kept into the folder ``details``, after the last photograph."""
        return


def percentage(
    key: str, group: pd.Series, sums: np.ndarray, statistic: Statistic, resamples: int, seed: int
) -> Summary:
    """Return a percentage of the whole set and its interval, kept within 0..100.

    Parameters
    ----------
    key : the measure.
    group, sums, statistic, resamples, seed : see
        :func:`photochrom.uncertainty.bootstrap_statistic`.
    """
    value, draws = bootstrap_statistic(group, sums, statistic, resamples, seed)
    bounds = interval(draws)
    if bounds is None:
        return {key: value}, {}
    return {key: value}, {key: (max(0.0, bounds[0]), min(100.0, bounds[1]))}
