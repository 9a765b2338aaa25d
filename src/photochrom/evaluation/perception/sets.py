"""Two sets of photographs to compare as wholes, and how their groups are drawn anew."""

from dataclasses import dataclass
from typing import Self

import numpy as np

FEWEST = 2
"""Groups that a set needs: one has nothing to be compared with."""


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """The features of a set of photographs, those of a group side by side.

    Attributes
    ----------
    features : float64 (n, d).
    groups : (n,) the number of each one's group, ascending.
    """

    features: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, groups: np.ndarray) -> Self:
        """Put the photographs in the order of their groups."""
        order = np.argsort(groups, kind="stable")
        return cls(features[order].astype(np.float64), groups[order])

    def __len__(self) -> int:
        return len(self.features)

    def sizes(self, count: int) -> np.ndarray:
        """Return how many photographs each of ``count`` groups has here (float64 (G,))."""
        return np.bincount(self.groups, minlength=count).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Sets:
    """Two sets of photographs.

    Attributes
    ----------
    x, y : the sets; groups of the same number are of the same photographs.
    strata : how many groups are drawn with each other: numbers 0..s-1 are of the first stratum,
        the next of the second.
    """

    x: FeatureSet
    y: FeatureSet
    strata: tuple[int, ...]

    @classmethod
    def paired(cls, outputs: np.ndarray, truth: np.ndarray, groups: np.ndarray) -> Self | None:
        """Compare outputs with truth (N, d); None for fewer than two groups.

        Parameters
        ----------
        groups : (N,) the number 0..G-1 of each one's group.
        """
        count = len(np.unique(groups))
        if count < FEWEST:
            return None
        return cls(FeatureSet.of(outputs, groups), FeatureSet.of(truth, groups), (count,))

    @classmethod
    def halved(cls, features: np.ndarray, groups: np.ndarray, seed: int) -> Self | None:
        """Compare a random half of the photographs with the other, whole groups to a side.

        None where a half would have fewer than two groups.
        """
        first = _first_half(groups, seed)
        left, right = (np.unique(groups[half], return_inverse=True) for half in (first, ~first))
        strata = (len(left[0]), len(right[0]))
        if min(strata) < FEWEST:
            return None
        x = FeatureSet.of(features[first], left[1])
        return cls(x, FeatureSet.of(features[~first], strata[0] + right[1]), strata)

    def draws(self, resamples: int, seed: int) -> np.ndarray:
        """Return how often each group is in each draw of the bootstrap (float64 (B, G)).

        A draw has as many groups of each stratum as there are.
        """
        rng = np.random.default_rng(seed)
        drawn = [rng.multinomial(s, np.full(s, 1.0 / s), resamples) for s in self.strata]
        return np.concatenate(drawn, axis=1).astype(np.float64)


def _first_half(groups: np.ndarray, seed: int) -> np.ndarray:
    """Return which photographs are of the first half (N,); none where there is a single group."""
    sizes = np.bincount(groups, minlength=1)
    if len(sizes) < FEWEST:
        return np.zeros(len(groups), dtype=bool)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    filled = sizes[shuffled].cumsum()[:-1]
    cut = int(np.abs(filled - len(groups) / 2).argmin()) + 1
    return np.isin(groups, shuffled[:cut])
