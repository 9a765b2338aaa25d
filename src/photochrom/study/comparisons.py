"""Which differences between models the votes can tell from 0."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import norm

from photochrom.study.resampling import interval

ROUNDING = 1e-9
"""Deviations below this share of the largest draw are those of the arithmetic."""


def comparisons(
    names: Sequence[str], values: np.ndarray, draws: np.ndarray | None
) -> list[dict[str, Any]]:
    """Compare every pair of names.

    Parameters
    ----------
    values : (K,) rates in percent, or log strengths.
    draws : (B, K) the same in every draw of the bootstrap, or None where there are none.

    Returns
    -------
    For each pair the difference a - b, its 95 % interval, its two-sided p and the p corrected for
    all of these pairs. Without draws all but the difference is None; so it is of a pair for which
    too many draws are not finite, which still counts among those that are corrected for.
    """
    pairs = list(combinations(range(len(names)), 2))
    found: list[dict[str, Any]] = [
        {"a": names[a], "b": names[b], "difference": float(values[a] - values[b])} for a, b in pairs
    ]
    if draws is None:
        return [entry | dict.fromkeys(("low", "high", "p", "p_holm")) for entry in found]
    told = [
        entry | _spread(entry["difference"], draws[:, a] - draws[:, b])
        for entry, (a, b) in zip(found, pairs, strict=True)
    ]
    corrected = holm([1.0 if entry["p"] is None else entry["p"] for entry in told])
    return [
        entry | {"p_holm": None if entry["p"] is None else p}
        for entry, p in zip(told, corrected, strict=True)
    ]


def _spread(value: float, draws: np.ndarray) -> dict[str, float | None]:
    ends = interval(value, draws)
    if ends is None:
        return {"low": None, "high": None, "p": None}
    low, high = ends
    return {"low": low, "high": high, "p": p_value(value, draws)}


def p_value(value: float, draws: np.ndarray) -> float:
    """Return the two-sided p that a difference is 0, from (B,) draws of it.

    That of a normal distribution with the standard deviation of the draws, so that it may fall
    below what any number of draws could count: with 100 pairs only one below 1 in 2000 survives
    the correction. Its mean is the difference or the mean of the draws, whichever is nearer to 0:
    with a few votes a rate of 100 % is far from others, and the draws, which doubt it, are not.

    Draws that are all alike have no deviation. They are counted: twice the share on the rarer side
    of 0, with the difference that was observed as one more. Draws that are not finite could not
    tell.

    Sources: Efron and Tibshirani, An Introduction to the Bootstrap (1993), sections 12.3 and 13.2,
    on the standard normal interval and the test that goes with it; Davison and Hinkley, Bootstrap
    Methods and their Application (1997), section 4.2, on the count.
    """
    known = draws[np.isfinite(draws)]
    deviation = float(known.std(ddof=1))
    if deviation > ROUNDING * np.abs(known).max():
        return float(2 * norm.sf(min(abs(value), abs(known.mean())) / deviation))
    rarer = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, (1 + 2 * rarer) / (len(known) + 1))


def holm(p: Sequence[float]) -> list[float]:
    """Correct p values for how many they are.

    The smallest is multiplied by their number, the next by one less, and so on; none may fall below
    the one before it or exceed 1.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of
    Statistics 6 (1979).
    """
    order = sorted(range(len(p)), key=lambda place: p[place])
    corrected, largest = [1.0] * len(p), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = largest
    return corrected
