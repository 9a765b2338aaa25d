"""Which share of the votes each model won."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from photochrom.study.resampling import Draws, interval
from photochrom.study.votes import Vote, names_of
from photochrom.uncertainty import LEVEL

PERCENT = 100.0


@dataclass(frozen=True, eq=False)
class Tally:
    """The votes of one protocol, by what they judge.

    Attributes
    ----------
    names : K judged models, with the truth where it was judged.
    shown : float64 (V, K), 1 where the vote judges the name.
    won : float64 (V, K), 1 where it counts for the name's colors.
    """

    names: tuple[str, ...]
    shown: np.ndarray
    won: np.ndarray

    def rates(self) -> np.ndarray:
        """Return (K,) the percent of its votes that each name won."""
        rates: np.ndarray = PERCENT * self.won.sum(0) / self.shown.sum(0)
        return rates

    def rate_draws(self, draws: Draws) -> np.ndarray:
        """Return (B, K) the same in every draw, with its half votes each way."""
        doubts = draws.doubts(len(self.names))
        won, shown = np.split(draws.sums(np.hstack((self.won, self.shown))), 2, axis=1)
        rates: np.ndarray = PERCENT * (won + doubts[..., 0]) / (shown + doubts.sum(-1))
        return rates


def tally(votes: Sequence[Vote]) -> Tally:
    """Sort the votes of one protocol by what they judge."""
    names = names_of(votes)
    places = {name: place for place, name in enumerate(names)}
    shown, won = np.zeros((2, len(votes), len(names)))
    for row, vote in enumerate(votes):
        for name in vote.judged:
            shown[row, places[name]] = 1
            won[row, places[name]] = vote.favors(name)
    return Tally(names, shown, won)


def rate_entries(of: Tally, draws: np.ndarray | None) -> dict[str, dict[str, Any]]:
    """Return votes, rate (percent), Wilson interval and bootstrap interval of each name.

    Parameters
    ----------
    draws : (B, K) what :meth:`Tally.rate_draws` gives; without it ``interval`` is None.
    """
    return {
        name: {
            "votes": int(of.shown[:, k].sum()),
            "rate": float(rate),
            "wilson": wilson(int(of.won[:, k].sum()), int(of.shown[:, k].sum())),
            "interval": None if draws is None else interval(float(rate), draws[:, k]),
        }
        for k, (name, rate) in enumerate(zip(of.names, of.rates(), strict=True))
    }


def wilson(won: int, votes: int) -> list[float]:
    """Return the 95 % Wilson score interval of a share in percent, as if votes were independent.

    Source: Wilson, Probable Inference, Journal of the American Statistical Association 22 (1927).
    """
    low, high = binomtest(won, votes).proportion_ci(LEVEL, method="wilson")
    return [PERCENT * float(low), PERCENT * float(high)]


def score_entries(
    votes: Sequence[Vote], of: Tally, draws: Draws | None
) -> dict[str, dict[str, Any]]:
    """Return the mean score of each name, 1 to 5, and its bootstrap interval.

    A draw without a vote on a name has no mean of it and is left out for that name; the interval
    is None where more than one draw in twenty is such.
    """
    scores = of.shown * np.array([vote.score for vote in votes], np.float64)[:, None]
    means = scores.sum(0) / of.shown.sum(0)
    spread = _mean_draws(scores, of.shown, draws) if draws else None
    return {
        name: {
            "score": float(means[k]),
            "score_interval": None if spread is None else interval(float(means[k]), spread[:, k]),
        }
        for k, name in enumerate(of.names)
    }


def _mean_draws(scores: np.ndarray, shown: np.ndarray, draws: Draws) -> np.ndarray:
    sums, votes = np.split(draws.sums(np.hstack((scores, shown))), 2, axis=1)
    means: np.ndarray = np.divide(sums, votes, out=np.full_like(sums, np.nan), where=votes > 0)
    return means
