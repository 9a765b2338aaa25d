"""Which differences between two colorizers the test photographs can tell from 0."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from photochrom.color.overlap import overlap_side_by_side
from photochrom.measures import MEASURES
from photochrom.report.details import Details
from photochrom.uncertainty import (
    Bootstrap,
    Difference,
    bootstrap,
    bootstrap_statistic,
    paired_differences,
)

FROM_ZERO = frozenset(measure.key for measure in MEASURES if measure.better == "closest to 0")
"""Measures of which the distances from 0 are compared: -2 is as good as +2."""

SET_LEVEL = frozenset({"color_overlap", "calibration_error", "kid_lite0", "kid", "fid"})
"""Measures of the whole set of photographs: no means over them."""


@dataclass(frozen=True)
class Differences:
    """Paired differences between rows.

    Attributes
    ----------
    pairs : by the names of two rows, the first minus the second by measure.
    """

    pairs: Mapping[tuple[str, str], Mapping[str, Difference]]

    def between(self, one: str, other: str, key: str) -> Difference | None:
        """Return a measure of one row minus that of another; None if it was not compared."""
        if found := self.pairs.get((one, other), {}).get(key):
            return found
        turned = self.pairs.get((other, one), {}).get(key)
        return turned and Difference(-turned.value, -turned.high, -turned.low)

    def tell(self, one: str, other: str, key: str) -> bool | None:
        """Return whether two rows can be told apart by a measure; None if it was not compared."""
        found = self.between(one, other, key)
        return None if found is None else found.distinguishable


def compared(rows: Mapping[str, Bootstrap]) -> Differences:
    """Return the differences of all pairs of rows, in their order."""
    return Differences(
        {
            (one, other): paired_differences(rows[one], rows[other], FROM_ZERO)
            for one, other in combinations(rows, 2)
        }
    )


def resampled(
    table: pd.DataFrame,
    measured: Iterable[str],
    details: tuple[Details, Details],
    resamples: int,
    seed: int,
) -> Bootstrap:
    """Return the means of a colorizer, and its color overlap, over groups drawn anew.

    Parameters
    ----------
    table : rows of its per_image.parquet: ``id``, ``group``, its measures and their weights.
    measured : keys of the measures that have an interval.
    details : those of the colorizer and those of the truth.
    """
    keys = list(measured)
    found = bootstrap(table, [key for key in keys if key not in SET_LEVEL], resamples, seed)
    if "color_overlap" not in keys:
        return found
    bins = np.concatenate([one.bins for one in details], axis=1)
    overlap = bootstrap_statistic(table["group"], bins, overlap_side_by_side, resamples, seed)
    return found.with_statistic("color_overlap", *overlap)
