"""The verdict in words, written from the numbers."""

from collections.abc import Sequence

from photochrom.measures import Measure
from photochrom.report.collect import Results, Row
from photochrom.report.people import People, Protocol, counted
from photochrom.report.standings import MEASURE, beats, first, printed, rivals

AUC = MEASURE["auc_rebalanced"]
DELTA = MEASURE["colorfulness_delta"]
COLORFULNESS = MEASURE["colorfulness"]


def verdict(results: Results) -> tuple[str, ...]:
    """Return the sentences that open the report, the most important first.

    Who leads by rebalanced AuC, whom the photographs do not tell from the leader, and how far it
    is from gray; who comes closest to the colorfulness of the truth; which models do not beat
    gray, or not for sure; what people say, if they were asked; what all of it was measured on.
    """
    return (
        *_leading(results),
        _most_colorful(results),
        *_against_gray(results),
        *_people(results.people),
        _basis(results),
    )


def _leading(results: Results) -> tuple[str, ...]:
    gray, (names, equals) = results.row("gray"), _standing(results, AUC)
    score, plain = _value(names[0], AUC), _value(gray, AUC)
    if not beats(names[0], gray, AUC):
        return (
            f"No model does better than leaving the photographs gray: {_listed(names)} "
            f"{_has(names)} the highest rebalanced AuC, {score}\u00a0% against {plain}\u00a0%.",
        )
    leads = "leads" if len(names) == 1 else "share the lead"
    lead = f"{_listed(names)} {leads} with a rebalanced AuC of {score}\u00a0%"
    gain = names[0].metrics[AUC.key] - gray.metrics[AUC.key]
    margin = (
        f"{printed(AUC, gain)} points above leaving the photographs gray"
        f"{_against_baselines(results, names[0])}."
    )
    if not equals:
        return (f"{lead}, {margin}",)
    return (f"{lead}, but {_unclear(results, names, equals)}.", f"That is {margin}")


def _against_baselines(results: Results, leader: Row) -> str:
    """Compare the leader with the best untrained baseline, where that is not gray."""
    untrained = [row for row in results.baselines if row.name != "truth"]
    best = max(untrained, key=lambda row: row.metrics[AUC.key])
    if best.name == "gray":
        return ""
    gain = leader.metrics[AUC.key] - best.metrics[AUC.key]
    side = "above" if gain > 0 else "below"
    return f" and {printed(AUC, abs(gain))} {side} {best.title}, the best untrained baseline"


def _most_colorful(results: Results) -> str:
    names, equals = _standing(results, DELTA)
    mine, true = _value(names[0], COLORFULNESS), _value(results.row("truth"), COLORFULNESS)
    if len(results.models) == 1:
        return f"Its colorfulness is {mine}; that of the true photographs is {true}."
    but = f", but {_unclear(results, names, equals)}" if equals else ""
    if len(names) > 1:
        return f"{_listed(names)} come closest to the true colorfulness, {true}{but}."
    also = not equals and _standing(results, AUC) == (names, [])
    who = "It also" if also else _listed(names)
    return f"{who} comes closest to the true colorfulness: {mine} of {true}{but}."


def _against_gray(results: Results) -> tuple[str, ...]:
    gray, models = results.row("gray"), results.models
    behind = [row for row in models if not beats(row, gray, AUC)]
    if len(behind) == len(models):
        return ()
    unsure = [row for row in models if row not in behind and not _above(results, row, gray)]
    if len(models) > 1 and not behind:
        return (_ahead(models, unsure, gray),)
    sentences = [f"{_some(unsure)} {_is(unsure)} not distinguishable from gray."] if unsure else []
    return (*([_behind(models, behind, gray)] if behind else []), *sentences)


def _ahead(models: Sequence[Row], unsure: Sequence[Row], gray: Row) -> str:
    plain, count = f"plain gray ({_value(gray, AUC)}\u00a0%) on rebalanced AuC", len(models)
    if not unsure:
        return f"All {count} trained models beat {plain}."
    which = "none of them" if len(unsure) == count else f"{_some(unsure)} not"
    return f"All {count} trained models lie above {plain}, {which} for sure."


def _behind(models: Sequence[Row], behind: Sequence[Row], gray: Row) -> str:
    plain, count = _value(gray, AUC), len(models)
    scores = [f"{row.title} ({_value(row, AUC)}\u00a0%)" for row in behind]
    if len(behind) > 2:
        return (
            f"{len(behind)} of {count} models do not beat plain gray ({plain}\u00a0%) on "
            f"rebalanced AuC: {_joined(scores)}."
        )
    verb = "does" if len(behind) == 1 else "do"
    return f"{_joined(scores)} {verb} not beat plain gray ({plain}\u00a0%) on rebalanced AuC."


def _above(results: Results, row: Row, gray: Row) -> bool:
    return results.differences.tell(row.name, gray.name, AUC.key) is not False


def _people(people: People) -> tuple[str, ...]:
    """Return whom people judged best, by the first protocol that has votes."""
    for protocol in people.protocols:
        if best := [one.name for one in protocol.best]:
            asked = counted(protocol.people, "person", "people")
            return (f"To {asked}, {_opinion(protocol, best)}.",)
    return ()


def _opinion(protocol: Protocol, best: Sequence[str]) -> str:
    equals = best[1:]
    rate = next(f"{one.rate:.0f}\u00a0%" for one in protocol.models if one.name == best[0])
    praise = {
        "real_or_fake": f"came closest to real (its colors were taken for the real ones in {rate} "
        "of the trials, where a perfect illusion reaches 50\u00a0%)",
        "naturalness": f"looked natural most often of the colorizers ({rate} of its pictures)",
        "pick_real": "was picked as the real photograph most often of the colorizers (in "
        f"{rate} of the trials)",
        "preference": f"came out strongest (preferred in {rate} of its comparisons)",
    }[protocol.name]
    others = equals if len(equals) <= 3 else [*equals[:2], f"{len(equals) - 2} others"]
    if len(equals) > 2 and len(best) == sum(one.name != "truth" for one in protocol.models):
        others = ["any other"]
    doubt = f", though it is not distinguishable from {_joined(others)}" if equals else ""
    if len(protocol.models) > 1 and not protocol.sure:
        doubt = ", though the votes are too few to tell that from chance"
    return f"{best[0]} {praise}{doubt}"


def _basis(results: Results) -> str:
    count, scenes = results.row("gray").photographs, results.scenes
    of = f" from {scenes} scenes" if scenes < count else ""
    return f"Measured on {count:,} test pictures{of} that no model was trained on."


def _standing(results: Results, measure: Measure) -> tuple[list[Row], list[Row]]:
    """Return the models that print the best number, and those that cannot be told from them."""
    rows, front = results.models, first(results.models, measure)
    equal = rivals(rows, measure, results.differences)
    return [row for row in rows if row.name in front], [row for row in rows if row.name in equal]


def _unclear(results: Results, names: Sequence[Row], equals: Sequence[Row]) -> str:
    others = len(results.models) - len(names)
    every = len(equals) == others > 2
    return f"{_is(names)} not distinguishable from {'any other' if every else _some(equals)}"


def _is(rows: Sequence[Row]) -> str:
    return "is" if len(rows) == 1 else "are"


def _has(rows: Sequence[Row]) -> str:
    return "has" if len(rows) == 1 else "have"


def _some(rows: Sequence[Row]) -> str:
    """List up to three models, or two and the number of the others."""
    names = [row.title for row in rows]
    return _joined(names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} others"])


def _value(row: Row, measure: Measure) -> str:
    return printed(measure, row.metrics[measure.key])


def _listed(rows: Sequence[Row]) -> str:
    return _joined([row.title for row in rows])


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
