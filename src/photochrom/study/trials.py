"""What every person will be asked: sessions of trials, planned before anyone comes.

A session goes through the protocols one after another, in an order that rotates from session to
session: practice, then the trials with a few obvious ones (gold) at random places among them. A
preference has no gold: no taste is wrong.
Whoever does a session sees no photograph twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from photochrom.params.study import GOLD, StudyParams
from photochrom.study.balance import PhotographSpread, deal, deal_pairs
from photochrom.study.votes import PROTOCOLS, TRUTH, Protocol

Kind = Literal["practice", "gold", "trial"]
Names = tuple[str, ...]
OPPOSITE = 180
KINDS: tuple[Kind, ...] = ("trial", "gold", "practice")


@dataclass(frozen=True, order=True)
class Picture:
    """What stands at one place of a trial.

    Attributes
    ----------
    photograph : its id.
    name : whose colors it has: ``truth``, a model, or ``gold`` for a constructed fake.
    turn : degrees by which a constructed fake's hues are turned; 0 of others.
    """

    photograph: str
    name: str
    turn: int = 0

    @property
    def title(self) -> str:
        """The name under which it is exported: of several constructed fakes each has its own."""
        return self.name if self.turn in (0, OPPOSITE) else f"{self.name}@{self.turn}"


@dataclass(frozen=True)
class PlannedTrial:
    """A question: its pictures, all of one photograph, in the order shown."""

    protocol: Protocol
    kind: Kind
    pictures: tuple[Picture, ...]


Session = tuple[PlannedTrial, ...]


@dataclass(frozen=True)
class Photographs:
    """Ids of the photographs of the trials, of the gold trials and of practice; none in two."""

    trial: Names
    gold: Names
    practice: Names


def protocols(params: StudyParams) -> tuple[Protocol, ...]:
    """Return the protocols that have trials."""
    return tuple(protocol for protocol in PROTOCOLS if count(params, protocol, "trial"))


def count(params: StudyParams, protocol: Protocol, kind: Kind) -> int:
    """Return how many trials of a kind a session has in a protocol."""
    trials: int = getattr(params.trials, protocol)
    if kind == "trial" or not trials:
        return trials
    if (protocol, kind) == ("preference", "gold"):
        return 0
    return int(getattr(params, kind))


def needed(params: StudyParams, kind: Kind) -> int:
    """Return how many photographs of a kind of trial a session shows."""
    return sum(count(params, protocol, kind) for protocol in PROTOCOLS)


def right_answer(protocol: str, names: Sequence[str]) -> int:
    """Return the truthful answer to a trial: an index of ``names``, or for naturalness 1 or 0.

    For preference it is the photograph in its own colors, which practice shows.
    """
    if protocol in ("naturalness", "real_or_fake"):
        # The answer 1: its colors are natural; or the second has the fake colors.
        return int(names[0] == TRUTH)
    return list(names).index(TRUTH)


def fake_turns(fakes: int) -> list[int]:
    """Return by how many degrees the hues of so many constructed fakes are turned.

    Evenly within 90..270, far from the true hues; a single one has the opposite hues.
    """
    return [round(90 + 180 * (place + 0.5) / fakes) for place in range(fakes)]


def plan_sessions(params: StudyParams, models: Names, photographs: Photographs) -> list[Session]:
    """Plan all sessions; the same arguments give the same plan.

    Parameters
    ----------
    models : who is judged; at least two for preference.
    photographs : at least as many of each kind as :func:`needed`.

    Returns
    -------
    ``params.sessions`` sessions. After any of them the models (for naturalness with the truth)
    have been shown equally often in each protocol, but for one time, on either side alike, and
    about equally often with every photograph.
    """
    planner = _Planner(params, models, photographs)
    return [planner.session(number) for number in range(params.sessions)]


class _Planner:
    """Deals names, places and photographs to one session after another."""

    def __init__(self, params: StudyParams, models: Names, photographs: Photographs) -> None:
        self._params, self._models, self._photographs = params, models, photographs
        self._rng = rng = np.random.default_rng(params.seed)
        self._spread = {
            kind: PhotographSpread(len(getattr(photographs, kind)), rng) for kind in KINDS
        }
        self._judged = {"trial": deal((TRUTH, *models), rng), "practice": deal((TRUTH, GOLD), rng)}
        self._faked, self._pairs = deal(models, rng), deal_pairs(models, rng)
        self._places: dict[Names, Iterator[int]] = {}

    def session(self, number: int) -> Session:
        """Plan the next session; its number, from 0, decides with which protocol it begins."""
        trials = [trial for kind in KINDS for trial in self._trials(kind)]
        order = protocols(self._params)
        start = number % len(order)
        parts = ([t for t in trials if t.protocol == p] for p in order[start:] + order[:start])
        return tuple(trial for part in parts for trial in self._ordered(part))

    def _trials(self, kind: Kind) -> list[PlannedTrial]:
        """Return a session's trials of one kind, protocol by protocol."""
        slots = [
            (protocol, self._shown(protocol, kind))
            for protocol in PROTOCOLS
            for _ in range(count(self._params, protocol, kind))
        ]
        places = self._spread[kind].assign(slots)
        ids = getattr(self._photographs, kind)
        return [
            PlannedTrial(protocol, kind, self._pictures(ids[place], shown))
            for (protocol, shown), place in zip(slots, places, strict=True)
        ]

    def _ordered(self, part: list[PlannedTrial]) -> list[PlannedTrial]:
        """Return a protocol's trials: practice first, then the others in random order."""
        counted = [trial for trial in part if trial.kind != "practice"]
        mixed = [counted[place] for place in self._rng.permutation(len(counted))]
        return [trial for trial in part if trial.kind == "practice"] + mixed

    def _shown(self, protocol: Protocol, kind: Kind) -> Names:
        """Return whose colors the next trial shows, in the order shown."""
        if protocol == "naturalness":
            return (GOLD,) if kind == "gold" else (next(self._judged[kind]),)
        if protocol == "preference" and kind == "trial":
            return next(self._pairs)
        return self._among(protocol, self._fakes(protocol, kind))

    def _fakes(self, protocol: Protocol, kind: Kind) -> list[str]:
        """Return whose colors stand beside the truth."""
        if kind != "trial":
            # As many as in the trials that it is to resemble.
            return [GOLD] * (len(self._models) if protocol == "pick_real" else 1)
        if protocol == "pick_real":
            return [self._models[place] for place in self._rng.permutation(len(self._models))]
        return [next(self._faked)]

    def _among(self, protocol: Protocol, fakes: list[str]) -> Names:
        """Put the truth among fakes, at each place equally often."""
        places = deal(range(len(fakes) + 1), self._rng)
        place = next(self._places.setdefault((protocol, *sorted(fakes)), places))
        return (*fakes[:place], TRUTH, *fakes[place:])

    def _pictures(self, photograph: str, names: Names) -> tuple[Picture, ...]:
        turns = iter(self._rng.permutation(fake_turns(names.count(GOLD))).tolist())
        return tuple(
            Picture(photograph, name, int(next(turns)) if name == GOLD else 0) for name in names
        )
