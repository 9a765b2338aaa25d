"""How far a mean would move with other photographs: the percentile bootstrap over groups.

The pictures of one scene resemble one another, so whole groups are drawn with replacement, never
single pictures; where every photograph is its own group, that is the usual bootstrap. All tables
of the same photographs take the same draws, so that the difference of two colorizers is paired:
how hard a scene is to color cancels out.

Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13 (percentile
intervals) and section 8.3 (the unit that is drawn). With few groups the intervals are somewhat
too narrow, and they tell nothing of another seed of the training.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

LEVEL = 0.95
WEIGHTS: Mapping[str, str] = {
    key: f"{key}_weight"
    for key in ("auc_rebalanced", "auc_weighted", "gray_collapse", "wrong_hue", "bleeding")
}
"""The measures that are weighted means, each with the column of its weights."""
CHUNK = 2_000_000
"""Most counts of groups in memory at once."""


@dataclass(frozen=True)
class Difference:
    """The mean of one colorizer minus that of another, with the interval it lies in.

    ``low`` and ``high`` are NaN where there are fewer than two groups to draw from.
    """

    value: float
    low: float
    high: float

    @property
    def distinguishable(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """The means of a table and of its resamples.

    Attributes
    ----------
    photographs : id and group of each, ordered by id.
    means : by measure.
    draws : a row for each resample, a column for each measure; NaN with fewer than two groups.
    seed : of the draws.
    """

    photographs: pd.DataFrame
    means: pd.Series
    draws: pd.DataFrame
    seed: int

    def intervals(self) -> dict[str, tuple[float, float]]:
        """Return the 95 % interval of each measure; empty with fewer than two groups."""
        lows, highs = np.quantile(self.draws, _tails(), axis=0)
        known = zip(self.means.index, lows, highs, strict=True)
        return {key: (float(low), float(high)) for key, low, high in known if np.isfinite(low)}

    def pairs_with(self, other: "Bootstrap") -> bool:
        """Return whether the other took the same draws from the same photographs."""
        same_draws = (self.seed, len(self.draws)) == (other.seed, len(other.draws))
        return same_draws and self.photographs.equals(other.photographs)


def bootstrap(table: pd.DataFrame, keys: Sequence[str], resamples: int, seed: int) -> Bootstrap:
    """Draw groups of photographs anew and return the means over them.

    A mean is sum(w x) / sum(w) over the photographs of a draw, with the weights of
    :data:`WEIGHTS`, or 1.

    Parameters
    ----------
    table : a row for each photograph: ``id``, ``group``, the measures, the weights they need.
    keys : the measures.
    resamples : how often to draw as many groups as there are.
    seed : the same seed makes the same draws in every table of the same groups.

    Raises
    ------
    ValueError
        If a measure, a weight or a group is missing somewhere: it would count as 0.
    """
    if table[["group", *keys]].isna().any(axis=None):
        raise ValueError("A mean needs a number and a group of every photograph.")
    weights = pd.DataFrame({key: _weights(table, key) for key in keys})
    scored = table[list(keys)] * weights
    group = table["group"]
    scores, totals = (part.groupby(group).sum().to_numpy() for part in (scored, weights))
    return Bootstrap(
        photographs=table[["id", "group"]].sort_values("id", ignore_index=True),
        means=pd.Series(scores.sum(0) / totals.sum(0), keys),
        draws=pd.DataFrame(_ratios(scores, totals, resamples, seed), columns=keys),
        seed=seed,
    )


def paired_differences(
    a: Bootstrap, b: Bootstrap, from_zero: Collection[str] = ()
) -> dict[str, Difference]:
    """Return how much larger the means of ``a`` are than those of ``b``.

    Parameters
    ----------
    from_zero : measures of which distances from 0 are compared, |mean of a| - |mean of b|.

    Returns
    -------
    The differences by measure, of those that both have.

    Raises
    ------
    ValueError
        If the two did not take the same draws from the same photographs.
    """
    if not a.pairs_with(b):
        raise ValueError("Paired differences need the same photographs and draws in both tables.")
    keys = [key for key in a.means.index if key in b.means.index]
    fold = np.array([key in from_zero for key in keys])
    values = _folded(a.means[keys], fold) - _folded(b.means[keys], fold)
    draws = _folded(a.draws[keys], fold) - _folded(b.draws[keys], fold)
    lows, highs = np.quantile(draws, _tails(), axis=0)
    found = zip(keys, values, lows, highs, strict=True)
    return {key: Difference(float(v), float(low), float(high)) for key, v, low, high in found}


def _weights(table: pd.DataFrame, key: str) -> pd.Series:
    return table[WEIGHTS[key]] if key in WEIGHTS else pd.Series(1.0, table.index)


def _tails() -> tuple[float, float]:
    return (1 - LEVEL) / 2, (1 + LEVEL) / 2


def _ratios(scores: np.ndarray, totals: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Return (B, K) resampled ratios of the (G, K) sums of groups."""
    groups, measures = scores.shape
    if groups < 2:
        return np.full((resamples, measures), np.nan)
    rng, sums = np.random.default_rng(seed), np.concatenate((scores, totals), axis=1)
    rows = max(1, CHUNK // groups)
    drawn = np.concatenate(
        [
            _counts(rng, min(rows, resamples - start), groups) @ sums
            for start in range(0, resamples, rows)
        ]
    )
    ratios: np.ndarray = drawn[:, :measures] / drawn[:, measures:]
    return ratios


def _counts(rng: np.random.Generator, resamples: int, groups: int) -> np.ndarray:
    """Return (B, G): how often each group is in each draw."""
    places = rng.integers(groups, size=(resamples, groups))
    places += groups * np.arange(resamples)[:, None]
    counts: np.ndarray = np.bincount(places.ravel(), minlength=resamples * groups)
    return counts.reshape(resamples, groups).astype(np.float64)


def _folded(values: pd.Series | pd.DataFrame, fold: np.ndarray) -> np.ndarray:
    numbers: np.ndarray = values.to_numpy()
    return np.where(fold, np.abs(numbers), numbers)
