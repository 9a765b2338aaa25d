"""How strong each model is in pairwise choices: Bradley and Terry's model.

The odds that a is preferred to b are exp(strength of a - strength of b). The strengths of greatest
likelihood are found by Newton's method.

A model that won or lost every vote has no finite strength of greatest likelihood. So a rival is
added to the field that every model met once, for half a win and half a loss. It draws the strengths
together by about one vote's worth each, which vanishes with more votes. In the draws of the
bootstrap both halves have random weights, as in `photochrom.study.resampling`.

Models that no chain of votes connects cannot be compared, whatever the votes say. Only those of the
largest connected part (by models, then votes, then the alphabet) have strengths then.

Sources: Bradley and Terry, Rank Analysis of Incomplete Block Designs, Biometrika 39 (1952); Hunter,
MM Algorithms for Generalized Bradley-Terry Models, Annals of Statistics 32 (2004), on when the
greatest likelihood exists.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from photochrom.study.resampling import DOUBT, Draws
from photochrom.study.votes import Vote

STEPS = 200
LONGEST_STEP = 1.0
"""In log odds: the curvature changes by at most a factor of e on the way, so no step overshoots."""
TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Strengths:
    """Log strengths of models.

    Attributes
    ----------
    members : positions of the models that have one, among all.
    connected : whether these are all.
    values : float64 (k,), mean 0.
    draws : float64 (B, k), mean 0 in every draw; None where there are no draws.
    """

    members: np.ndarray
    connected: bool
    values: np.ndarray
    draws: np.ndarray | None


def strengths(votes: Sequence[Vote], names: Sequence[str], draws: Draws | None) -> Strengths:
    """Fit pairwise choices and every draw of them."""
    ones = _win_columns(votes, names)
    shape = (-1, len(names), len(names))
    wins = ones.sum(0).reshape(shape)[0]
    members = largest_part(wins)
    doubts = np.full((len(members), 2), DOUBT)
    spread = None
    if draws:
        drawn = draws.sums(ones).reshape(shape)[:, members][:, :, members]
        spread = fit_with_rival(drawn, draws.doubts(len(members)))
    values = fit_with_rival(wins[np.ix_(members, members)], doubts)
    return Strengths(members, len(members) == len(names), values, spread)


def _win_columns(votes: Sequence[Vote], names: Sequence[str]) -> np.ndarray:
    """Return (V, K * K): 1 in column a * K + b where a was preferred to b."""
    places = {name: place for place, name in enumerate(names)}
    columns = np.zeros((len(votes), len(names) ** 2))
    for row, vote in enumerate(votes):
        loser = vote.shown[1 - vote.answer]
        columns[row, places[vote.chosen] * len(names) + places[loser]] = 1
    return columns


def largest_part(wins: np.ndarray) -> np.ndarray:
    """Return the positions of the largest part of the models that votes connect.

    Parameters
    ----------
    wins : (K, K), how often the row's model was preferred to the column's.
    """
    _, labels = connected_components(wins + wins.T, directed=False)
    parts = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    return max(parts, key=lambda part: (len(part), wins[part].sum(), -part[0]))


def fit_with_rival(wins: np.ndarray, doubts: np.ndarray) -> np.ndarray:
    """Fit models that also met a rival of the field's middle.

    Parameters
    ----------
    wins : (..., K, K) weights of the votes for the row's model against the column's.
    doubts : (..., K, 2) weights of the wins and losses against the rival, all positive.

    Returns
    -------
    float64 (..., K), log strengths of mean 0 over the models.
    """
    field = np.concatenate((wins, doubts[..., None, :, 1]), axis=-2)
    column = np.concatenate((doubts[..., 0], np.zeros_like(doubts[..., :1, 0])), axis=-1)
    found = fit(np.concatenate((field, column[..., None]), axis=-1))[..., :-1]
    centered: np.ndarray = found - found.mean(-1, keepdims=True)
    return centered


def fit(wins: np.ndarray) -> np.ndarray:
    """Return the log strengths of greatest likelihood.

    Parameters
    ----------
    wins : float64 (..., K, K), how often the row's model was preferred to the column's.

    Returns
    -------
    float64 (..., K), of mean 0.

    Raises
    ------
    ValueError
        If there is no greatest likelihood: some models won, or lost, all votes against the rest.
    RuntimeError
        If it was not found.
    """
    found = np.zeros(wins.shape[:-1])
    met, won = wins + wins.swapaxes(-1, -2), wins.sum(-1)
    if not _have_maximum(wins):
        raise ValueError("Some models won or lost all votes against the rest; add a rival to them.")
    for _ in range(STEPS):
        step, left = _newton_step(found, met, won)
        found += step
        if left.max() < TOLERANCE:
            centered: np.ndarray = found - found.mean(-1, keepdims=True)
            return centered
    raise RuntimeError(f"The strengths did not settle within {STEPS} steps of Newton's method.")


def _have_maximum(wins: np.ndarray) -> bool:
    """Return whether in each (K, K) a chain of wins leads from every model to every other."""
    models = wins.shape[-1]
    chains = (wins > 0) | np.eye(models, dtype=bool)
    for _ in range(models.bit_length()):
        chains = np.matmul(chains, chains)
    return bool(chains.all())


def _newton_step(
    found: np.ndarray, met: np.ndarray, won: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the step of Newton's method, shortened where it is long, and its decrement.

    The last model is held still. The decrement (...) is about twice the log likelihood to be
    gained; unlike the length of the step it settles where a strength is hardly known.
    """
    chance = expit(found[..., :, None] - found[..., None, :])
    gradient = won - (met * chance).sum(-1)
    curvature = met * chance * (1 - chance)
    hessian = np.eye(found.shape[-1]) * curvature.sum(-1)[..., None] - curvature
    step = np.zeros_like(found)
    step[..., :-1] = np.linalg.solve(hessian[..., :-1, :-1], gradient[..., :-1, None])[..., 0]
    left = (gradient * step).sum(-1)
    longest = np.ptp(step, axis=-1, keepdims=True)
    return step * np.minimum(1, LONGEST_STEP / np.maximum(longest, LONGEST_STEP)), left
