"""The comparison as CSV, for computers, and as Markdown, for people."""

import csv
import io
from collections.abc import Iterable, Sequence

from photochrom.measures import MEASURES, Measure
from photochrom.report.collect import Results, Row
from photochrom.report.differences import Differences
from photochrom.report.standings import MEASURE, certainty, heading, leaders, printed, spread
from photochrom.uncertainty import Difference

MAIN = (
    "auc_rebalanced",
    "auc_weighted",
    "auc",
    "colorfulness_delta",
    "colorfulness",
    "ciede2000",
    "semantic_top1",
    "feature_distance",
    "psnr",
    "ssim",
    "milliseconds",
    "parameters",
)
"""What tells most: as many columns as a README takes. Those that no row has are left out."""
FOOT = (
    "In bold the best trained model of each column, and every model whose difference to it cannot "
    "be told from 0 (95\u00a0% interval of the paired difference). A column that has no such "
    "differences, as time, has nothing in bold. The untrained baselines below, in italics, never "
    "win; a colorizer that does not beat gray and mean color has learnt nothing there. PSNR favors "
    "gray, so rank nothing by it."
)
DIGITS = 6


def measured(rows: Sequence[Row]) -> tuple[Measure, ...]:
    """Return the measures that at least one row has, in their order."""
    return tuple(m for m in MEASURES if any(m.key in row.metrics for row in rows))


def comparison_csv(rows: Sequence[Row]) -> str:
    """Return all measures of all rows in full precision; a missing value is an empty field.

    Columns: ``name``, ``kind`` (model or baseline), ``study``, ``photographs``, then every key of
    :data:`photochrom.measures.MEASURES`, then KEY_low and KEY_high, the 95 % interval, of each
    that has one.
    """
    keys = [measure.key for measure in MEASURES]
    bounded = [key for key in keys if any(key in row.intervals for row in rows)]
    ends = [f"{key}_{end}" for key in bounded for end in ("low", "high")]
    lines: list[list[object]] = [["name", "kind", "study", "photographs", *keys, *ends]]
    for row in rows:
        kind = "model" if row.trained else "baseline"
        values = [row.metrics.get(key, "") for key in keys]
        intervals = [end for key in bounded for end in row.intervals.get(key, ("", ""))]
        lines.append([row.name, kind, row.study or "", row.photographs, *values, *intervals])
    return _csv(lines)


def differences_csv(differences: Differences) -> str:
    """Return the paired differences of the models, gray and mean color, each with each.

    In all measures that both have an interval of. Columns: ``measure``, ``a``, ``b`` (names of
    rows), ``difference`` (a minus b), ``low`` and ``high`` (its 95 % interval),
    ``distinguishable`` (yes if the interval excludes 0). Of a measure that is best at 0, the
    distances from 0 are compared.
    """
    lines: list[list[object]] = [
        [key, a, b, *(round(n, DIGITS) for n in (d.value, d.low, d.high)), _yes(d)]
        for key in MEASURE
        for (a, b), found in differences.pairs.items()
        if (d := found.get(key))
    ]
    return _csv([["measure", "a", "b", "difference", "low", "high", "distinguishable"], *lines])


def comparison_markdown(results: Results) -> str:
    """Return the main measures as a Markdown table, the best models of each in bold."""
    rows, known = results.rows, measured(results.rows)
    measures = [MEASURE[key] for key in MAIN if MEASURE[key] in known]
    best = {m.key: leaders(rows, m, results.differences) for m in measures}
    lines = [
        _line(["Model", "Study", *(heading(measure) for measure in measures)]),
        _line(["---", "---", *("---:" for _ in measures)]),
        *(_line([*_names(row), *(_cell(row, m, best[m.key]) for m in measures)]) for row in rows),
    ]
    return "\n".join([*lines, "", FOOT, certainty(results)]) + "\n"


def _csv(lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def _yes(difference: Difference) -> str:
    return "yes" if difference.distinguishable else "no"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _names(row: Row) -> tuple[str, str]:
    if row.study is None:
        return f"*{row.title}*", ""
    return f"`{row.title}`", _escaped(row.study)


def _cell(row: Row, measure: Measure, best: frozenset[str]) -> str:
    text = f"{printed(measure, row.metrics.get(measure.key))} {spread(row, measure)}".rstrip()
    return f"**{text}**" if row.name in best else text


def _escaped(text: str) -> str:
    plain = " ".join(text.split())
    return "".join(f"\\{mark}" if mark in "\\`*_[]<>|&~" else mark for mark in plain)
