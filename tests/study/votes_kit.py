"""Simulated people whose preferences are known, and their votes in the format of the export."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, roots_hermitenorm, softmax

from photochrom.params.study import ExcludeParams
from photochrom.study.votes import COLUMNS, Vote

STRENGTHS = {"patchgan": 1.6, "resnet": 0.8, "unet": 0.0, "dcgan": -0.8, "autoencoder": -1.6}
"""Log strength of each model, of mean 0."""
FOOLS = {"patchgan": 0.45, "resnet": 0.35, "unet": 0.25, "dcgan": 0.15, "autoencoder": 0.08}
"""Chance of each model's colors to be taken for the real ones."""
TRIALS = {"real_or_fake": 20, "naturalness": 10, "pick_real": 4, "preference": 20}
LENIENT = ExcludeParams(gold=0.0, fastest=0, finished=0.0)
STRICT = ExcludeParams(gold=0.6, fastest=300, finished=0.5)
START = np.datetime64("2026-03-01T09:00:00")

Row = dict[str, str]


@dataclass(frozen=True)
class Raters:
    """What people prefer.

    People and photographs differ: ``spread`` is the standard deviation, in log odds, of what a
    person and a photograph each add. The chances are those over all people and photographs.

    Attributes
    ----------
    strengths : log strength of each model; a is preferred to b with odds exp(strength difference).
    fools : chance of each model's colors to be taken for real, and to be called natural.
    truth : the same strength and chance of the photograph itself.
    attention : chance to give the obvious answer to a gold trial.
    """

    strengths: Mapping[str, float] = field(default_factory=lambda: STRENGTHS)
    fools: Mapping[str, float] = field(default_factory=lambda: FOOLS)
    truth: tuple[float, float] = (2.5, 0.8)
    attention: float = 0.95
    spread: float = 0.4

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self.strengths)

    @property
    def picking(self) -> dict[str, float]:
        """Chance of each to be taken for the real one among all."""
        names = (*self.models, "truth")
        chances = softmax([*self.strengths.values(), self.truth[0]])
        return dict(zip(names, map(float, chances), strict=True))

    def natural(self, name: str) -> float:
        return self.truth[1] if name == "truth" else self.fools[name]

    def preferred(self, a: str, b: str) -> float:
        """Chance of ``a`` to be preferred to ``b``."""
        return float(expit(self.strengths[a] - self.strengths[b]))


@cache
def conditional_log_odds(chance: float, deviation: float) -> float:
    """Return the log odds that give ``chance`` on average over normal additions to them."""
    nodes, weights = roots_hermitenorm(40)
    weights = weights / weights.sum()

    def excess(log_odds: float) -> float:
        return float(weights @ expit(log_odds + deviation * nodes)) - chance

    return float(brentq(excess, -30.0, 30.0))


@dataclass(frozen=True, eq=False)
class Session:
    """One person among the photographs: what each adds to the log odds."""

    raters: Raters
    rng: np.random.Generator
    person: float
    person_taste: np.ndarray
    photographs: np.ndarray
    photograph_taste: np.ndarray

    def says_yes(self, chance: float, photograph: int) -> bool:
        deviation = self.raters.spread * np.sqrt(2)
        log_odds = conditional_log_odds(chance, float(deviation))
        return self._happens(expit(log_odds + self.person + self.photographs[photograph]))

    def prefers(self, a: str, b: str, photograph: int) -> bool:
        log_odds = conditional_log_odds(self.raters.preferred(a, b), 2 * self.raters.spread)
        taste = self.person_taste + self.photograph_taste[photograph]
        one, other = (self.raters.models.index(name) for name in (a, b))
        return self._happens(expit(log_odds + taste[one] - taste[other]))

    def shuffled(self, *names: str) -> list[str]:
        return [str(name) for name in self.rng.permutation(names)]

    def model(self) -> str:
        return str(self.rng.choice(self.raters.models))

    def answer(self, protocol: str, photograph: int) -> Row:
        """Return what was shown, the answer and the score of one trial."""
        if protocol == "real_or_fake":
            model = self.model()
            shown = self.shuffled("truth", model)
            fooled = self.says_yes(self.raters.fools[model], photograph)
            return _shown(shown, shown.index("truth" if fooled else model))
        if protocol == "naturalness":
            name = str(self.rng.choice([*self.raters.models, "truth"]))
            natural = self.says_yes(self.raters.natural(name), photograph)
            score = int(self.rng.integers(3, 6) if natural else self.rng.integers(1, 4))
            return _shown([name], int(natural), score)
        if protocol == "pick_real":
            picking, shown = self.raters.picking, self.shuffled(*self.raters.models, "truth")
            chances = [picking[name] for name in shown]
            return _shown(shown, int(self.rng.choice(len(shown), p=chances)))
        a, b = self.rng.choice(self.raters.models, 2, replace=False)
        return _shown([a, b], 0 if self.prefers(str(a), str(b), photograph) else 1)

    def gold(self, protocol: str) -> Row:
        right = self._happens(self.raters.attention)
        if protocol == "naturalness":
            return _shown(["gold"], 0 if right else 1, 1 if right else 4)
        shown = self.shuffled("truth", "gold")
        obvious = "gold" if protocol == "real_or_fake" else "truth"
        return _shown(shown, shown.index(obvious) if right else 1 - shown.index(obvious))

    def _happens(self, chance: float) -> bool:
        return bool(self.rng.random() < chance)


def simulate(
    people: int = 40,
    photographs: int = 60,
    seed: int = 0,
    raters: Raters | None = None,
    trials: Mapping[str, int] = TRIALS,
    group: int = 1,
) -> list[Row]:
    """Return the votes of whole sessions, each with a gold trial per protocol but preference.

    A person sees each photograph once, gold trials apart; ``group`` photographs are of one scene.
    """
    raters, rng = raters or Raters(), np.random.default_rng(seed)
    effects = rng.normal(0, raters.spread, photographs)
    tastes = rng.normal(0, raters.spread, (photographs, len(raters.models)))
    rows: list[Row] = []
    for person in range(1, people + 1):
        own = rng.normal(0, raters.spread, 1 + len(raters.models))
        session = Session(raters, rng, float(own[0]), own[1:], effects, tastes)
        rows += _numbered(person, session, trials, group)
    return rows


def _numbered(
    person: int, session: Session, trials: Mapping[str, int], group: int
) -> Iterator[Row]:
    plan = [name for name, number in trials.items() for _ in range(number)]
    golds = [name for name, number in trials.items() if number and name != "preference"]
    order = session.rng.permutation(len(session.photographs))[: len(plan)]
    answers = [("trial", name, int(at)) for name, at in zip(plan, order, strict=True)]
    answers += [("gold", name, -1 - place) for place, name in enumerate(golds)]
    for number, (kind, protocol, at) in enumerate(answers, 1):
        answer = session.gold(protocol) if kind == "gold" else session.answer(protocol, at)
        yield vote_row(
            person=person,
            number=number,
            total=len(answers),
            kind=kind,
            protocol=protocol,
            photograph=f"{at:05d}.png",
            group=f"scene {at // group:05d}",
            milliseconds=int(session.rng.integers(600, 4000)),
            at=str(START + np.timedelta64(1000 * person + number, "s")) + "+00:00",
            **answer,
        )


def vote_row(**changes: object) -> Row:
    """Return a row of votes.csv: a fooled answer to real or fake, but for the changes."""
    row: dict[str, object] = {
        "person": 1,
        "number": 1,
        "total": 60,
        "kind": "trial",
        "protocol": "real_or_fake",
        "photograph": "a.png",
        "group": "a",
        "shown": "truth|gan",
        "answer": 0,
        "score": "",
        "milliseconds": 900,
        "at": "2026-03-01T09:00:00+00:00",
    }
    return {key: str(value) for key, value in (row | changes).items()}


def votes_of(rows: Iterable[Row]) -> tuple[Vote, ...]:
    return tuple(Vote.model_validate(row) for row in rows)


def write_votes(rows: Iterable[Row], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        table = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    return path


def _shown(names: Iterable[str], answer: int, score: int | None = None) -> Row:
    return {
        "shown": "|".join(names),
        "answer": str(answer),
        "score": "" if score is None else str(score),
    }
