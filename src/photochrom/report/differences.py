"""Which differences between two colorizers the test photographs can tell from 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from photochrom.measures import MEASURES
from photochrom.uncertainty import Bootstrap, Difference, paired_differences

FROM_ZERO = frozenset(measure.key for measure in MEASURES if measure.better == "closest to 0")
"""Measures of which the distances from 0 are compared: -2 is as good as +2."""


@dataclass(frozen=True)
class Differences:
    """Paired differences between rows.

    Attributes
    ----------
    pairs : by the names of two rows, the first minus the second by measure.
    """

    pairs: Mapping[tuple[str, str], Mapping[str, Difference]]

    def tell(self, one: str, other: str, key: str) -> bool | None:
        """Return whether two rows can be told apart by a measure; None if it was not compared."""
        pair = self.pairs.get((one, other), self.pairs.get((other, one), {}))
        return pair[key].distinguishable if key in pair else None


def compared(rows: Mapping[str, Bootstrap]) -> Differences:
    """Return the differences of all pairs of rows, in their order."""
    return Differences(
        {
            (one, other): paired_differences(rows[one], rows[other], FROM_ZERO)
            for one, other in combinations(rows, 2)
        }
    )
