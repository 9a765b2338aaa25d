"""The verdict in words, written from the numbers."""

from collections.abc import Sequence

from photochrom.measures import Measure
from photochrom.report.collect import Results, Row
from photochrom.report.standings import MEASURE, beats, leaders, printed

AUC = MEASURE["auc_rebalanced"]
DELTA = MEASURE["colorfulness_delta"]
COLORFULNESS = MEASURE["colorfulness"]


def verdict(results: Results) -> tuple[str, ...]:
    """Return the sentences that open the report, the most important first.

    Who leads by rebalanced AuC and how far from gray; who comes closest to the colorfulness of
    the truth; which models do not beat gray; what all of it was measured on.
    """
    return (_leading(results), _most_colorful(results), *_against_gray(results), _basis(results))


def _leading(results: Results) -> str:
    models, gray = results.models, results.row("gray")
    names = _led(models, leaders(models, AUC))
    score, plain = _value(names[0], AUC), _value(gray, AUC)
    if not beats(names[0], gray, AUC):
        has = "has" if len(names) == 1 else "have"
        return (
            f"No model does better than leaving the photographs gray: {_listed(names)} {has} "
            f"the highest rebalanced AuC, {score}\u00a0% against {plain}\u00a0%."
        )
    gain = names[0].metrics[AUC.key] - gray.metrics[AUC.key]
    leads = "leads" if len(names) == 1 else "share the lead"
    return (
        f"{_listed(names)} {leads} with a rebalanced AuC of {score}\u00a0%, "
        f"{printed(AUC, gain)} points above leaving the photographs gray"
        f"{_against_baselines(results, names[0])}."
    )


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
    models = results.models
    names = _led(models, leaders(models, DELTA))
    mine, true = _value(names[0], COLORFULNESS), _value(results.row("truth"), COLORFULNESS)
    if len(models) == 1:
        return f"Its colorfulness is {mine}; that of the true photographs is {true}."
    if len(names) > 1:
        return f"{_listed(names)} come closest to the true colorfulness, {true}."
    also = names == _led(models, leaders(models, AUC))
    who = "It also" if also else _listed(names)
    return f"{who} comes closest to the true colorfulness: {mine} of {true}."


def _against_gray(results: Results) -> tuple[str, ...]:
    gray = results.row("gray")
    behind = [row for row in results.models if not beats(row, gray, AUC)]
    count = len(results.models)
    if len(behind) == count or count == 1:
        return ()
    plain = _value(gray, AUC)
    if not behind:
        return (f"All {count} trained models beat plain gray ({plain}\u00a0%) on rebalanced AuC.",)
    scores = [f"{row.title} ({_value(row, AUC)}\u00a0%)" for row in behind]
    if len(behind) > 2:
        return (
            f"{len(behind)} of {count} models do not beat plain gray ({plain}\u00a0%) on "
            f"rebalanced AuC: {_joined(scores)}.",
        )
    verb = "does" if len(behind) == 1 else "do"
    return (f"{_joined(scores)} {verb} not beat plain gray ({plain}\u00a0%) on rebalanced AuC.",)


def _basis(results: Results) -> str:
    count, scenes = results.row("gray").photographs, results.scenes
    of = f" from {scenes} scenes" if scenes < count else ""
    return f"Measured on {count:,} test pictures{of} that no model was trained on."


def _led(models: Sequence[Row], names: frozenset[str]) -> list[Row]:
    return [row for row in models if row.name in names]


def _value(row: Row, measure: Measure) -> str:
    return printed(measure, row.metrics[measure.key])


def _listed(rows: Sequence[Row]) -> str:
    return _joined([row.title for row in rows])


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
