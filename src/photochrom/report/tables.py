"""The comparison as CSV, for computers, and as Markdown, for people."""

import csv
import io
from collections.abc import Sequence

from photochrom.measures import MEASURES, Measure
from photochrom.report.collect import Row
from photochrom.report.standings import MEASURE, heading, leaders, printed

MAIN = (
    "auc_rebalanced",
    "auc",
    "colorfulness_delta",
    "colorfulness",
    "ciede2000",
    "ab_mae",
    "accuracy",
    "psnr",
    "ssim",
    "milliseconds",
    "parameters",
)
FOOT = (
    "Best trained model of each column in bold; the untrained baselines below, in italics, never "
    "win. A colorizer that does not beat gray and mean color has learnt nothing there; PSNR favors "
    "gray, so rank nothing by it."
)


def comparison_csv(rows: Sequence[Row]) -> str:
    """Return all measures of all rows in full precision; a missing value is an empty field.

    Columns: ``name``, ``kind`` (model or baseline), ``study``, ``photographs``, then every key of
    :data:`photochrom.measures.MEASURES`.
    """
    keys = [measure.key for measure in MEASURES]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "kind", "study", "photographs", *keys])
    for row in rows:
        kind = "model" if row.trained else "baseline"
        values = [row.metrics.get(key, "") for key in keys]
        writer.writerow([row.name, kind, row.study or "", row.photographs, *values])
    return text.getvalue()


def comparison_markdown(rows: Sequence[Row]) -> str:
    """Return the main measures as a Markdown table, the best model of each in bold."""
    measures = [MEASURE[key] for key in MAIN]
    best = {measure.key: leaders(rows, measure) for measure in measures}
    lines = [
        _line(["Model", "Study", *(heading(measure) for measure in measures)]),
        _line(["---", "---", *("---:" for _ in measures)]),
        *(_line([*_names(row), *(_cell(row, m, best[m.key]) for m in measures)]) for row in rows),
    ]
    return "\n".join([*lines, "", FOOT]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _names(row: Row) -> tuple[str, str]:
    if row.study is None:
        return f"*{row.title}*", ""
    return f"`{row.title}`", _escaped(row.study)


def _cell(row: Row, measure: Measure, best: frozenset[str]) -> str:
    text = printed(measure, row.metrics.get(measure.key))
    return f"**{text}**" if row.name in best else text


def _escaped(text: str) -> str:
    plain = " ".join(text.split())
    return "".join(f"\\{mark}" if mark in "\\`*_[]<>|&~" else mark for mark in plain)
