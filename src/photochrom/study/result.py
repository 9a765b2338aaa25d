"""All that the votes say, as study.json holds it."""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from photochrom.params.study import ExcludeParams
from photochrom.study.agreement import agreement_entry
from photochrom.study.comparisons import comparisons
from photochrom.study.counting import Tally, rate_entries, score_entries, tally
from photochrom.study.exclusion import counted
from photochrom.study.resampling import Draws, draw, interval
from photochrom.study.strengths import strengths
from photochrom.study.votes import PROTOCOLS, Vote

CHANCE = 50.0
DIGITS = 6
"""Decimals kept: those beyond differ between processors."""


def study_result(
    votes: Sequence[Vote], rules: ExcludeParams, resamples: int, seed: int
) -> dict[str, Any]:
    """Count the votes of those whose votes count.

    Parameters
    ----------
    votes : all votes, gold trials included.
    rules : whose votes do not count.
    resamples : draws of the bootstrap over people and photographs.
    seed : of these draws.

    Returns
    -------
    ``people``, ``excluded``, ``votes``, ``photographs`` and ``protocols``, ready to be written as
    JSON. Rates are in percent, strengths in log odds. What cannot be told is None.
    """
    kept = counted(votes, rules)
    protocols = {name: [v for v in kept.votes if v.protocol == name] for name in PROTOCOLS}
    result = {
        "people": len({vote.person for vote in kept.votes}),
        "excluded": dict(kept.excluded),
        "votes": len(kept.votes),
        "photographs": len({vote.photograph for vote in kept.votes}),
        "protocols": {
            name: _protocol(own, resamples, (seed, PROTOCOLS.index(name)))
            for name, own in protocols.items()
            if own
        },
    }
    rounded: dict[str, Any] = _rounded(result)
    return rounded


def _protocol(votes: Sequence[Vote], resamples: int, seed: tuple[int, ...]) -> dict[str, Any]:
    of, draws = tally(votes), draw(votes, resamples, seed)
    rates = of.rate_draws(draws) if draws else None
    entry: dict[str, Any] = {
        "votes": len(votes),
        "people": len({vote.person for vote in votes}),
        "photographs": len({vote.photograph for vote in votes}),
        "chance": _chance(votes),
        "models": rate_entries(of, rates),
        "agreement": agreement_entry(votes, resamples, seed),
    }
    if votes[0].protocol == "preference":
        return _with_strengths(entry, votes, of, draws)
    if votes[0].protocol == "naturalness":
        means = score_entries(votes, of, draws)
        entry["models"] = {name: own | means[name] for name, own in entry["models"].items()}
    return entry | {"comparisons": comparisons(of.names, of.rates(), rates)}


def _chance(votes: Sequence[Vote]) -> float | None:
    """Return the rate of a model that nobody can tell from the truth, or from its rivals."""
    if votes[0].protocol == "naturalness":
        return None
    if votes[0].protocol == "pick_real":
        return 100 * statistics.fmean(1 / len(vote.shown) for vote in votes)
    return CHANCE


def _with_strengths(
    entry: dict[str, Any], votes: Sequence[Vote], of: Tally, draws: Draws | None
) -> dict[str, Any]:
    """Add strengths to a preference; a model that no votes connect to the rest has None."""
    found = strengths(votes, of.names, draws)
    names = [of.names[member] for member in found.members]
    told = {name: _strength(found.values, found.draws, k) for k, name in enumerate(names)}
    unknown = {"strength": None, "strength_interval": None}
    models = {name: own | told.get(name, unknown) for name, own in entry["models"].items()}
    pairs = comparisons(names, found.values, found.draws)
    return entry | {"connected": found.connected, "models": models, "comparisons": pairs}


def _strength(values: np.ndarray, draws: np.ndarray | None, place: int) -> dict[str, Any]:
    value = float(values[place])
    spread = None if draws is None else interval(value, draws[:, place])
    return {"strength": value, "strength_interval": spread}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value
