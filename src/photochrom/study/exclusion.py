"""Whose votes count, by rules that were fixed before any vote was seen."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from photochrom.params.study import GOLD, ExcludeParams
from photochrom.study.votes import Vote


@dataclass(frozen=True)
class Counted:
    """The votes that count.

    Attributes
    ----------
    votes : of the people who were kept, without the gold trials.
    excluded : how many people each rule turned away, in the order in which the rules are asked.
    """

    votes: tuple[Vote, ...]
    excluded: Mapping[str, int]


def counted(votes: Sequence[Vote], rules: ExcludeParams) -> Counted:
    """Turn away people by the rules: gold, then fastest, then finished; the first that bites.

    A rule that has nothing to go by, as a share of gold trials where none was answered, turns
    nobody away.
    """
    people: dict[int, list[Vote]] = {}
    for vote in votes:
        people.setdefault(vote.person, []).append(vote)
    fates = {person: _fate(own, rules) for person, own in people.items()}
    kept = (vote for vote in votes if fates[vote.person] is None and vote.kind != GOLD)
    reasons = list(fates.values())
    return Counted(tuple(kept), {rule: reasons.count(rule) for rule in ExcludeParams.model_fields})


def _fate(own: Sequence[Vote], rules: ExcludeParams) -> str | None:
    gold = [vote.right for vote in own if vote.kind == GOLD]
    times = [vote.milliseconds for vote in own if vote.kind != GOLD]
    bites = {
        "gold": _below(map(float, gold), rules.gold),
        "fastest": bool(times) and statistics.median(times) < rules.fastest,
        "finished": len(own) < rules.finished * own[0].total,
    }
    return next((rule for rule, bitten in bites.items() if bitten), None)


def _below(shares: Iterable[float], least: float) -> bool:
    known = tuple(shares)
    return bool(known) and statistics.fmean(known) < least
