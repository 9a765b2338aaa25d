"""How far a mean would move with other photographs: the percentile bootstrap over groups.

The pictures of one scene resemble one another, so whole groups are drawn with replacement, never
single pictures; where every photograph is its own group, that is the usual bootstrap. All tables
of the same photographs take the same draws, so that the difference of two colorizers is paired:
how hard a scene is to color cancels out.

What is no mean over photographs, as the error of a calibration or the overlap of two distributions
of colors, is worked out anew from the sums of each draw: see :func:`bootstrap_statistic`.

Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13 (percentile
intervals) and section 8.3 (the unit that is drawn). With few groups the intervals are somewhat
too narrow, and they tell nothing of another seed of the training.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

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
UNDEFINED = 0.05
"""Where a larger share of the draws holds nothing to measure, no interval is told."""

Statistic = Callable[[np.ndarray], np.ndarray]
"""Works out one number (B,) from each row of sums over photographs (B, K)."""


@dataclass(frozen=True)
class Difference:
    """The mean of one colorizer minus that of another, with the interval it lies in.

    ``low`` and ``high`` are NaN where none can be told, see :func:`interval`.
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
    draws : a row for each resample, a column for each measure. NaN with fewer than two groups, and
        for a weighted mean in a draw without any weight.
    seed : of the draws.
    """

    photographs: pd.DataFrame
    means: pd.Series
    draws: pd.DataFrame
    seed: int

    def intervals(self) -> dict[str, tuple[float, float]]:
        """Return the 95 % interval of each measure for which one can be told."""
        found = {key: interval(self.draws[key].to_numpy()) for key in self.means.index}
        return {key: bounds for key, bounds in found.items() if bounds is not None}

    def pairs_with(self, other: "Bootstrap") -> bool:
        """Return whether the other took the same draws from the same photographs."""
        same_draws = (self.seed, len(self.draws)) == (other.seed, len(other.draws))
        return same_draws and self.photographs.equals(other.photographs)

    def with_statistic(self, key: str, value: float, draws: np.ndarray) -> "Bootstrap":
        """Return these and one measure more, as :func:`bootstrap_statistic` gives it.

        Parameters
        ----------
        value, draws : of the same photographs, with as many resamples and the same seed.

        Raises
        ------
        ValueError
            If the numbers of resamples differ.
        """
        if len(draws) != len(self.draws):
            raise ValueError(f"{key} has {len(draws)} resamples, the others {len(self.draws)}.")
        means = pd.Series({**self.means, key: value}, dtype=float)
        return replace(self, means=means, draws=self.draws.assign(**{key: draws}))


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
        If a measure, a weight or a group is missing somewhere: it would count as 0. If the weights
        of a measure are all 0: there is no mean.
    """
    weights = pd.DataFrame({key: _weights(table, key) for key in keys}, table.index)
    _check(table[["group", *keys]], weights)
    # Side by side, so that one product with the counts resamples both.
    sums = np.concatenate((table[list(keys)].to_numpy() * weights, weights), axis=1)
    grouped = _by_group(sums, table["group"])
    drawn = _resampled(grouped, resamples, seed)
    return Bootstrap(
        photographs=table[["id", "group"]].sort_values("id", ignore_index=True),
        means=pd.Series(_ratio(grouped.sum(0)[None])[0], keys),
        draws=pd.DataFrame(_ratio(drawn), columns=keys),
        seed=seed,
    )


def bootstrap_statistic(
    group: pd.Series, sums: np.ndarray, statistic: Statistic, resamples: int, seed: int
) -> tuple[float, np.ndarray]:
    """Draw groups of photographs anew and work out a number from the sums over them.

    The draws are those of :func:`bootstrap` for the same groups, resamples and seed, so that
    :meth:`Bootstrap.with_statistic` may stand both side by side. A draw repeats some photographs
    and lacks others; that alone keeps two distributions from overlapping as far as those of all
    photographs do. The draws are therefore shifted to have the number of all as their mean, so
    that they show how far it moves, not what the drawing takes from it (the bootstrap's estimate
    of bias: Efron and Tibshirani 1993, section 10.2).

    Parameters
    ----------
    group : (N,) of each photograph.
    sums : (N, K), what each photograph adds to the sums.
    statistic : from the sums (B, K) of so many sets of photographs to a number of each (B,).
    resamples : how often to draw as many groups as there are.
    seed : the same seed makes the same draws of the same groups.

    Returns
    -------
    The number of all photographs, and that of each draw, shifted (float64 (resamples,); NaN with
    fewer than two groups).

    Raises
    ------
    ValueError
        If a group is missing.
    """
    if group.isna().any():
        raise ValueError("Every photograph needs a group to be drawn with.")
    grouped = _by_group(np.asarray(sums, dtype=np.float64), group)
    value = float(statistic(grouped.sum(0)[None])[0])
    if len(grouped) < 2:
        return value, np.full(resamples, np.nan)
    draws = statistic(_resampled(grouped, resamples, seed))
    return value, draws + (value - draws.mean())


def interval(draws: np.ndarray) -> tuple[float, float] | None:
    """Return the lowest and highest value of the 95 % interval that draws (B,) lie in.

    A draw that holds nothing to measure (NaN) is left out, as a photograph without an edge says
    nothing of bleeding. None where more than one draw in twenty is such: the photographs that
    could be measured are too few.
    """
    held = draws[np.isfinite(draws)]
    if len(held) < (1 - UNDEFINED) * len(draws):
        return None
    low, high = np.quantile(held, _tails())
    return float(low), float(high)


def paired_differences(
    a: Bootstrap, b: Bootstrap, from_zero: Collection[str] = ()
) -> dict[str, Difference]:
    """Return how much larger the means of ``a`` are than those of ``b``.

    Parameters
    ----------
    from_zero : measures of which distances from 0 are compared, |mean of a| - |mean of b|.

    Returns
    -------
    The differences by measure, of those that both have. Draws in which either holds nothing to
    measure are left out, as by :func:`interval`.

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
    found = zip(keys, values, draws.T, strict=True)
    unknown = (np.nan, np.nan)
    return {key: Difference(float(v), *(interval(drawn) or unknown)) for key, v, drawn in found}


def _weights(table: pd.DataFrame, key: str) -> pd.Series:
    return table[WEIGHTS[key]] if key in WEIGHTS else pd.Series(1.0, table.index)


def _tails() -> tuple[float, float]:
    return (1 - LEVEL) / 2, (1 + LEVEL) / 2


def _check(numbers: pd.DataFrame, weights: pd.DataFrame) -> None:
    if numbers.isna().any(axis=None) or weights.isna().any(axis=None):
        raise ValueError("A mean needs a number and a group of every photograph.")
    empty = [str(key) for key, total in weights.sum().items() if total == 0]
    if empty:
        raise ValueError(f"The weights of {', '.join(empty)} are all 0: there is no mean.")


def _by_group(sums: np.ndarray, group: pd.Series) -> np.ndarray:
    """Return (G, K), the sums of each group, by its name."""
    grouped: np.ndarray = pd.DataFrame(sums).groupby(group.to_numpy()).sum().to_numpy()
    return grouped


def _resampled(grouped: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Return (B, K), the sums of draws of as many groups; NaN with fewer than two groups."""
    groups, columns = grouped.shape
    if groups < 2:
        return np.full((resamples, columns), np.nan)
    rng, rows = np.random.default_rng(seed), max(1, CHUNK // groups)
    parts = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    return np.concatenate([_counts(rng, part, groups) @ grouped for part in parts])


def _ratio(sums: np.ndarray) -> np.ndarray:
    """Return (B, K) from sums (B, 2 K) of scores and of weights; NaN where no weight is."""
    scores, totals = np.split(sums, 2, axis=1)
    ratios: np.ndarray = np.divide(
        scores, totals, out=np.full_like(scores, np.nan), where=totals > 0
    )
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
