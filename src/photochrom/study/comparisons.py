"""Which differences between models the votes can tell from 0."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from photochrom.study.resampling import interval


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
    all of these pairs; what the draws would tell is None without them.
    """
    pairs = list(combinations(range(len(names)), 2))
    found: list[dict[str, Any]] = [
        {"a": names[a], "b": names[b], "difference": float(values[a] - values[b])} for a, b in pairs
    ]
    if draws is None:
        return [entry | dict.fromkeys(("low", "high", "p", "p_holm")) for entry in found]
    spreads = [draws[:, a] - draws[:, b] for a, b in pairs]
    p = [p_value(spread) for spread in spreads]
    return [
        entry | _ends(entry["difference"], spread) | {"p": one, "p_holm": corrected}
        for entry, spread, one, corrected in zip(found, spreads, p, holm(p), strict=True)
    ]


def _ends(value: float, spread: np.ndarray) -> dict[str, float]:
    low, high = interval(value, spread) or (value, value)
    return {"low": low, "high": high}


def p_value(draws: np.ndarray) -> float:
    """Return the two-sided p that a difference is 0, from (B,) draws of it.

    Twice the share of the draws beyond 0 on the rarer side, with the one draw that was observed
    counted in, so never 0.

    Source: Davison and Hinkley, Bootstrap Methods and their Application (1997), section 4.2.
    """
    rarer = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    return min(1.0, (1 + 2 * rarer) / (len(draws) + 1))


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
