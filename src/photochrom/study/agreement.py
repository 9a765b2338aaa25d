"""How far people agree on the same thing beyond chance: Krippendorff's alpha.

A unit is what several people were shown alike: a protocol's photograph with the same pictures, in
whatever order. 1 is full agreement, 0 what chance would give. Chance is what all answers together
would give if they were dealt out to the units at random; in a preference, where the models of each
pair are others, it is one half for either (then alpha is 1 - 2 x the share of pairs of people who
disagree, Kendall and Babington Smith's u).

The interval is a percentile bootstrap over groups of photographs: units of one scene are drawn
together. People are not drawn anew, since most units have only a few.

Source: Krippendorff, Content Analysis (2004), chapter 11, and Computing Krippendorff's Alpha
Reliability (2011). Kendall and Babington Smith, On the Method of Paired Comparisons, Biometrika 31
(1940).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from photochrom.study.resampling import counts, interval, positions
from photochrom.study.votes import Vote, names_of

Alpha = Callable[[np.ndarray], np.ndarray]
"""Gives alpha (...) of coincidences (..., V, V); NaN where they are of one value or none."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to units.

    Attributes
    ----------
    given : float64 (U, V), how many people gave each value to each unit.
    clusters : (U,) the group of photographs of each unit, numbered from 0.
    alpha : of what sort the values are.
    """

    given: np.ndarray
    clusters: np.ndarray
    alpha: Alpha

    @property
    def pairs(self) -> int:
        """Pairs of people who answered the same unit."""
        people = self.given.sum(-1)
        return int((people * (people - 1)).sum() / 2)


def answers(votes: Sequence[Vote]) -> Answers:
    """Return the choices of one protocol.

    A choice is that of a picture, not of its place: in real or fake whether the colorization was
    taken for real, in a preference which of the two models it was.
    """
    if votes[0].protocol == "pick_real":
        names = names_of(votes)
        return _answers(votes, [names.index(v.chosen) for v in votes], len(names), nominal)
    if votes[0].protocol == "preference":
        return _answers(votes, [sorted(v.shown).index(v.chosen) for v in votes], 2, even)
    return _answers(votes, [int(v.favors(v.judged[0])) for v in votes], 2, nominal)


def scores(votes: Sequence[Vote]) -> Answers:
    """Return the scores of naturalness, 1 to 5."""
    values = [vote.score - 1 for vote in votes if vote.score is not None]
    return _answers(votes, values, 5, ordinal)


def _answers(votes: Sequence[Vote], values: Sequence[int], number: int, alpha: Alpha) -> Answers:
    units = positions((vote.photograph, frozenset(vote.shown)) for vote in votes)
    given = np.zeros((int(units.max()) + 1, number))
    np.add.at(given, (units, np.array(values)), 1)
    clusters = np.zeros(len(given), np.intp)
    clusters[units] = positions(vote.group for vote in votes)
    return Answers(given, clusters, alpha)


def agreement(
    of: Answers, resamples: int, seed: tuple[int, ...]
) -> tuple[float | None, list[float] | None]:
    """Return alpha and its 95 % interval.

    Alpha is None where no two people answered the same unit or all gave the same value; the
    interval also where fewer than two groups of photographs have such units. Draws in which alpha
    is not defined are left out; where more than one in twenty is such, the interval is None.
    """
    sums = _coincidences_by_cluster(of)
    alpha = float(of.alpha(sums.sum(0)))
    if not np.isfinite(alpha):
        return None, None
    if len(sums) < 2:
        return alpha, None
    drawn = counts(np.random.default_rng((*seed, 2)), len(sums), resamples)
    return alpha, interval(alpha, of.alpha(np.tensordot(drawn, sums, 1)))


def agreement_entry(votes: Sequence[Vote], resamples: int, seed: tuple[int, ...]) -> dict[str, Any]:
    """Return what study.json says of the agreement in one protocol."""
    choices = answers(votes)
    alpha, spread = agreement(choices, resamples, seed)
    entry: dict[str, Any] = {"alpha": alpha, "interval": spread, "pairs": choices.pairs}
    if votes[0].protocol == "naturalness":
        alpha, spread = agreement(scores(votes), resamples, seed)
        entry |= {"alpha_score": alpha, "alpha_score_interval": spread}
    return entry


def coincidences(given: np.ndarray) -> np.ndarray:
    """Return (U, V, V) the pairs of values within each unit; each answer counts once.

    Parameters
    ----------
    given : float64 (U, V), how many people gave each value to each unit. Units that fewer than two
        people answered have no pairs.
    """
    pairs = given[:, :, None] * given[:, None, :] - np.eye(given.shape[1]) * given[:, None, :]
    people = given.sum(-1)
    found: np.ndarray = pairs / np.maximum(people - 1, 1)[:, None, None]
    return found


def nominal(pairs: np.ndarray) -> np.ndarray:
    """Return alpha of values without order: any two differ alike."""
    return _alpha(pairs, 1 - np.eye(pairs.shape[-1]))


def ordinal(pairs: np.ndarray) -> np.ndarray:
    """Return alpha of ranks: two differ by how many answers lie between, the ends counted half."""
    values = pairs.sum(-1)
    middles = values.cumsum(-1) - values / 2
    return _alpha(pairs, (middles[..., :, None] - middles[..., None, :]) ** 2)


def even(pairs: np.ndarray) -> np.ndarray:
    """Return alpha of two values each of which has a chance of one half."""
    total = pairs.sum((-2, -1))
    return 1 - 2 * _shares(total - np.trace(pairs, axis1=-2, axis2=-1), total)


def _alpha(pairs: np.ndarray, distances: np.ndarray) -> np.ndarray:
    values = pairs.sum(-1)
    chance = values[..., :, None] * values[..., None, :]
    chance = chance - np.eye(values.shape[-1]) * values[..., None, :]
    observed = (values.sum(-1) - 1) * (pairs * distances).sum((-2, -1))
    return 1 - _shares(observed, (chance * distances).sum((-2, -1)))


def _shares(parts: np.ndarray, wholes: np.ndarray) -> np.ndarray:
    """Return parts / wholes, NaN where the whole is 0."""
    unknown = np.full(np.shape(wholes), np.nan)
    shares: np.ndarray = np.divide(parts, wholes, out=unknown, where=wholes > 0)
    return shares


def _coincidences_by_cluster(of: Answers) -> np.ndarray:
    """Return (C, V, V) the coincidences of each group of photographs that has any."""
    pairs = coincidences(of.given)
    sums = np.zeros((int(of.clusters.max()) + 1, *pairs.shape[1:]))
    np.add.at(sums, of.clusters, pairs)
    found: np.ndarray = sums[sums.any(axis=(1, 2))]
    return found
