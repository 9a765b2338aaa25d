"""How far a number would move with other people and other photographs.

Two votes of one person resemble each other, and so do two votes on one photograph. So people and
photographs are both drawn anew with replacement, independently, and a vote weighs as often as its
person was drawn times as often as its photograph was: the pigeonhole bootstrap. Photographs of one
group (a scene) are drawn together. All that was judged in a protocol takes the same draws, so that
differences are paired.

It is known to err on the wide side: what is due to people and to photographs is counted once,
what is due to the single vote up to three times. Where most of the spread is of the last sort, as
with few votes of each person on each model, the intervals may be up to 1.7 times as wide as needed.

A share of 0 of 12 votes stays 0 in every draw, as if it were certain. So each draw adds half a vote
for and half a vote against, each of random weight (Gamma, shape 1/2): alone these are the Jeffreys
prior of a share, Beta(1/2, 1/2), and beside many votes they vanish. A draw that has no vote on a
model thus says nothing of it, rather than something false.

Sources: Owen, The Pigeonhole Bootstrap, Annals of Applied Statistics 1 (2007); McCullagh,
Resampling and Exchangeable Arrays, Bernoulli 6 (2000); Brown, Cai and DasGupta, Interval
Estimation for a Binomial Proportion, Statistical Science 16 (2001), on the Jeffreys interval.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from photochrom import uncertainty
from photochrom.study.votes import Vote

DOUBT = 0.5
"""Votes each way that stand for what a few votes cannot know."""
CHUNK = 2_000_000
"""Most weights of votes in memory at once."""


@dataclass(frozen=True, eq=False)
class Draws:
    """How often every person and every group of photographs was drawn.

    Attributes
    ----------
    person, cluster : (V,) whose each vote is and on which group.
    people : (B, P) how often each person was drawn.
    clusters : (B, C) how often each group was.
    seed : of the draws.
    """

    person: np.ndarray
    cluster: np.ndarray
    people: np.ndarray
    clusters: np.ndarray
    seed: tuple[int, ...]

    def sums(self, columns: np.ndarray) -> np.ndarray:
        """Return (B, K) the sums over the votes of (V, K) columns in every draw."""
        rows = max(1, CHUNK // len(self.person))
        parts = range(0, len(self.people), rows)
        return np.concatenate([self._weights(start, rows) @ columns for start in parts])

    def doubts(self, names: int) -> np.ndarray:
        """Return (B, names, 2) the weights of the half votes for and against each name."""
        rng = np.random.default_rng((*self.seed, 1))
        return rng.standard_gamma(DOUBT, (len(self.people), names, 2))

    def _weights(self, start: int, rows: int) -> np.ndarray:
        part = slice(start, start + rows)
        weights: np.ndarray = (
            self.people[part][:, self.person] * self.clusters[part][:, self.cluster]
        )
        return weights


def draw(votes: Sequence[Vote], resamples: int, seed: tuple[int, ...]) -> Draws | None:
    """Draw people and groups of photographs anew.

    Returns
    -------
    The draws, or None with fewer than two people or two groups: there is no spread to see then.
    """
    person = positions(vote.person for vote in votes)
    cluster = positions(vote.group for vote in votes)
    if not votes or not person.max() or not cluster.max():
        return None
    rng = np.random.default_rng((*seed, 0))
    people, clusters = (counts(rng, int(each.max()) + 1, resamples) for each in (person, cluster))
    return Draws(person, cluster, people, clusters, seed)


def counts(rng: np.random.Generator, number: int, resamples: int) -> np.ndarray:
    """Return float64 (resamples, number): how often each is among ``number`` drawn of them."""
    return rng.multinomial(number, np.full(number, 1 / number), resamples).astype(np.float64)


def positions(keys: Iterable[Hashable]) -> np.ndarray:
    """Number distinct keys from 0 by first appearance; return (V,) the number of each."""
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys], np.intp)


def interval(value: float, draws: np.ndarray) -> list[float] | None:
    """Return the 95 % percentile interval of (B,) draws, widened to hold the value itself.

    Draws that are not finite could not tell; None where more than one in twenty could not, as in
    :func:`photochrom.uncertainty.interval`.
    """
    ends = uncertainty.interval(draws)
    return None if ends is None else [min(ends[0], value), max(ends[1], value)]
