"""Distances between two sets of features: KID with its interval, and FID.

Both compare all outputs with all true photographs, not each output with its own: they tell whether
the outputs as a whole look like photographs.
"""

from collections.abc import Iterator

import numpy as np

from photochrom.evaluation.perception.sets import FeatureSet, Sets
from photochrom.uncertainty import interval

CHUNK = 4_000_000
"""Most values of the kernel in memory at once."""


def kid(sets: Sets, resamples: int, seed: int) -> tuple[float, tuple[float, float] | None]:
    """Return the squared maximum mean discrepancy and how far it would move with other groups.

    The kernel is (u . v / d + 1)^3 (Binkowski et al. 2018), over all photographs instead of random
    subsets of them. Only photographs of different groups are compared, be they outputs or truths:
    an output resembles its own truth, and scenes resemble themselves, whatever the sets are like.
    That makes the estimate unbiased for outputs that belong to truths (Gretton et al. 2012, lemma
    6, with groups as the units), and the truth lies at 0 from itself. Implementations for two
    independent sets compare output i with truth i as well, and come out lower by the order of 1/n,
    often more than the width of the interval.

    Parameters
    ----------
    resamples : how often groups are drawn anew. A group that is drawn twice is not compared with
        its own copy either.
    seed : of the draws.

    Returns
    -------
    The estimate, by chance slightly below 0 for sets that hardly differ, and its 95 % interval, or
    None where :func:`photochrom.uncertainty.interval` tells none.
    """
    draws = sets.draws(resamples, seed)
    as_they_are = np.ones((1, draws.shape[1]))
    found = _discrepancies(sets.x, sets.y, np.concatenate((as_they_are, draws)))
    return float(found[0]), interval(found[1:])


def fid(sets: Sets) -> float:
    """Return the Frechet distance between Gaussians fitted to the two sets.

    |mean difference|^2 + tr(A) + tr(B) - 2 tr((A B)^(1/2)) with the covariances A and B (Heusel et
    al. 2017). With A = X'X and B = Y'Y the last trace is the sum of the singular values of X Y',
    which stays exact where there are fewer photographs than features and A and B are singular.

    It has no interval: a draw of the bootstrap holds only some 63 % of the photographs, and since
    FID grows as photographs get fewer, the draws lie above the value itself.
    """
    shift = sets.x.features.mean(0) - sets.y.features.mean(0)
    first, second = _root(sets.x), _root(sets.y)
    spread = np.square(first).sum() + np.square(second).sum()
    common = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    return float(shift @ shift + spread - 2.0 * common)


def _discrepancies(x: FeatureSet, y: FeatureSet, draws: np.ndarray) -> np.ndarray:
    """Return the squared maximum mean discrepancy of each draw (B,); NaN where it has no pairs."""
    within = _mean_kernel(x, x, draws) + _mean_kernel(y, y, draws)
    found: np.ndarray = within - 2.0 * _mean_kernel(x, y, draws)
    return found


def _mean_kernel(x: FeatureSet, y: FeatureSet, draws: np.ndarray) -> np.ndarray:
    """Return the mean of the kernel over the pairs of different groups of each draw (B,)."""
    scored, count = np.zeros(len(draws)), draws.shape[1]
    for groups, sums in _kernel_sums(x, y, count):
        scored += np.einsum("br,br->b", draws @ sums.T, draws[:, groups])
    first, second = x.sizes(count), y.sizes(count)
    pairs = (draws @ first) * (draws @ second) - np.square(draws) @ (first * second)
    means: np.ndarray = np.divide(scored, pairs, out=np.full(len(draws), np.nan), where=pairs > 0)
    return means


def _kernel_sums(
    x: FeatureSet, y: FeatureSet, count: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the groups (r,) of some rows of x, and their kernel's sums over each group (r, G)."""
    present, starts = np.unique(y.groups, return_index=True)
    step = max(1, CHUNK // max(len(y), count))
    for start in range(0, len(x), step):
        rows, groups = x.features[start : start + step], x.groups[start : start + step]
        kernel = (rows @ y.features.T / rows.shape[1] + 1.0) ** 3
        sums = np.zeros((len(rows), count))
        sums[:, present] = np.add.reduceat(kernel, starts, axis=1)
        sums[np.arange(len(rows)), groups] = 0.0
        yield groups, sums


def _root(photographs: FeatureSet) -> np.ndarray:
    """Return R (k, d), k at most d, whose R'R is the covariance of the features."""
    centered = photographs.features - photographs.features.mean(0)
    return np.asarray(np.linalg.qr(centered / np.sqrt(len(centered) - 1.0), mode="r"))
