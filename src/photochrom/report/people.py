"""What people said: the votes of the human study, counted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from photochrom.report.reading import ReportError, json_of

ProtocolName = Literal["real_or_fake", "naturalness", "pick_real", "preference"]
PROTOCOLS: tuple[ProtocolName, ...] = ("real_or_fake", "naturalness", "pick_real", "preference")
KEYS = ("people", "excluded", "votes", "photographs", "protocols")
CERTAIN = 0.05
"""Largest p, corrected for the number of comparisons, of a difference that counts."""
Interval = tuple[float, float] | None
"""Low and high end of a 95 % interval; None where it cannot be told."""


@dataclass(frozen=True)
class Judged:
    """How people judged one colorizer in one protocol.

    Attributes
    ----------
    rate : percent of the votes that took it for real, called it natural, or liked it better.
    wilson : interval of the rate if all votes were independent.
    interval : interval of the rate, people and photographs drawn anew.
    score : mean of 1 to 5; only naturalness has it.
    strength : log-strength of Bradley and Terry, mean 0; only preference has it, and there only
        what votes connect to the others.
    """

    name: str
    votes: int
    rate: float
    wilson: Interval
    interval: Interval
    score: float | None
    score_interval: Interval
    strength: float | None
    strength_interval: Interval


@dataclass(frozen=True)
class Compared:
    """A difference between two colorizers, with its p corrected after Holm, if it is known."""

    a: str
    b: str
    difference: float
    interval: Interval
    p: float | None

    @property
    def certain(self) -> bool:
        """Whether the two differ for sure."""
        return self.p is not None and self.p < CERTAIN


@dataclass(frozen=True)
class Protocol:
    """The votes of one protocol, counted.

    Attributes
    ----------
    chance : percent that blind guessing would give; None where nothing is guessed.
    models : best first.
    alpha : Krippendorff's, how far people agree; None where it cannot be told.
    """

    name: ProtocolName
    votes: int
    people: int
    photographs: int
    chance: float | None
    models: tuple[Judged, ...]
    alpha: float | None
    alpha_interval: Interval
    comparisons: tuple[Compared, ...]

    @property
    def best(self) -> tuple[Judged, ...]:
        """The colorizer people judged best, then those that cannot be told from it.

        Nobody where no colorizer has what it is judged by: a strength, in preference.
        """
        judged = [one for one in self.models if one.name != "truth"]
        if self.name == "preference":
            judged = [one for one in judged if one.strength is not None]
        return (*judged[:1], *(one for one in judged[1:] if self.equal(judged[0].name, one.name)))

    @property
    def sure(self) -> bool:
        """Whether the votes are enough to tell any difference from chance."""
        return any(one.p is not None for one in self.comparisons)

    def equal(self, one: str, other: str) -> bool:
        """Return whether two colorizers were compared and cannot be told apart."""
        between = [c for c in self.comparisons if {c.a, c.b} == {one, other}]
        return any(c.p is not None and not c.certain for c in between)


@dataclass(frozen=True)
class People:
    """The human study.

    Attributes
    ----------
    excluded : how many people were left out, by the rule of params.yaml.
    protocols : those that have votes.
    """

    people: int
    excluded: Mapping[str, int]
    votes: int
    photographs: int
    protocols: tuple[Protocol, ...]


def counted(number: int, one: str, more: str = "") -> str:
    """Return a number with its noun: 1 person, 2 people; ``more`` is one with an s by default."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


def people_of(root: Path) -> People:
    """Read the counted votes of the project at ``root``.

    Raises
    ------
    ReportError
        In one line that names the stage to run, when the file is missing or cannot be used.
    """
    path = root / "results" / "study" / "study.json"
    values = json_of(path, "study", KEYS)
    try:
        return _people(values)
    except (KeyError, TypeError, ValueError) as error:
        fault = f"{path} cannot be used ({type(error).__name__}: {error})"
        raise ReportError(f"{fault}: run `dvc repro --force study`.") from None


def _people(values: Mapping[str, Any]) -> People:
    counted = values["protocols"]
    return People(
        people=values["people"],
        excluded=values["excluded"],
        votes=values["votes"],
        photographs=values["photographs"],
        protocols=tuple(_protocol(name, counted[name]) for name in PROTOCOLS if name in counted),
    )


def _protocol(name: ProtocolName, values: Mapping[str, Any]) -> Protocol:
    models = [_judged(*one) for one in values["models"].items() if one[1]["votes"]]
    agreement = values["agreement"]
    return Protocol(
        name=name,
        votes=values["votes"],
        people=values["people"],
        photographs=values["photographs"],
        chance=values["chance"],
        models=tuple(sorted(models, key=lambda one: _merit(name, one))),
        alpha=agreement["alpha"],
        alpha_interval=_interval(agreement["interval"]),
        comparisons=tuple(_compared(one) for one in values["comparisons"]),
    )


def _merit(protocol: ProtocolName, judged: Judged) -> tuple[float, str]:
    """Return what orders colorizers, the best first: those without a strength are the last."""
    if protocol != "preference":
        return -judged.rate, judged.name
    return math.inf if judged.strength is None else -judged.strength, judged.name


def _judged(name: str, values: Mapping[str, Any]) -> Judged:
    return Judged(
        name=name,
        votes=values["votes"],
        rate=values["rate"],
        wilson=_interval(values["wilson"]),
        interval=_interval(values["interval"]),
        score=values.get("score"),
        score_interval=_interval(values.get("score_interval")),
        strength=values.get("strength"),
        strength_interval=_interval(values.get("strength_interval")),
    )


def _compared(values: Mapping[str, Any]) -> Compared:
    ends = _interval((values["low"], values["high"]))
    return Compared(values["a"], values["b"], values["difference"], ends, values["p_holm"])


def _interval(ends: Any) -> Interval:
    if ends is None or None in ends:
        return None
    low, high = ends
    return float(low), float(high)
