"""How much two distributions over the 313 bins share."""

from functools import cache

import numpy as np

from photochrom.color.bins import blur, gamut313

SIGMA = 5.0
"""Width in ab units of the blur before the comparison: colors on either side of a border between
two bins, or between the grids of two classifiers, are not strangers."""


def overlap(counts: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return how much of one distribution another shares, in percent: histogram intersection.

    sum over bins of min(p, q), with p and q the shares of the bins, blurred with a Gaussian of
    sigma 5 (Swain and Ballard, Color Indexing, 1991, where both histograms have the same number
    of pixels).

    Parameters
    ----------
    counts, others : (N, 313), how often each bin occurs; every row has a pixel.

    Returns
    -------
    float64 (N,), 0 for distributions that share nothing, 100 for equal ones.
    """
    shares, of_others = (_shares(part) for part in (counts, others))
    shared: np.ndarray = np.minimum(shares, of_others).sum(1)
    return 100.0 * shared


def overlap_side_by_side(sums: np.ndarray) -> np.ndarray:
    """Return the overlap (B,) of the two distributions in each row (B, 2 * 313)."""
    return overlap(*np.split(sums, 2, axis=1))


def _shares(counts: np.ndarray) -> np.ndarray:
    shares: np.ndarray = counts / counts.sum(1, keepdims=True) @ _blur()
    return shares


@cache
def _blur() -> np.ndarray:
    kernel: np.ndarray = blur(gamut313(), SIGMA).T.numpy()
    return kernel
