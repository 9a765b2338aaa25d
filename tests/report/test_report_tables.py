"""The tables: what stands in them, who is best, and what the verdict says of it."""

import csv
import dataclasses
import io

import pytest

from photochrom.measures import MEASURES
from photochrom.report.collect import Results, Row
from photochrom.report.standings import MEASURE, beats, heading, leaders, printed
from photochrom.report.tables import MAIN, comparison_csv, comparison_markdown
from photochrom.report.verdict import verdict


def _row(name: str, study: str | None = "000", **metrics: float) -> Row:
    return Row(name, study, 6, metrics)


def _markdown(rows: tuple[Row, ...]) -> dict[str, list[str]]:
    lines = comparison_markdown(rows).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    return {cell[0].strip("`*"): cell[2:] for cell in cells if len(cell) > 2}


def test_the_best_trained_model_of_each_column_is_bold(results: Results) -> None:
    table = _markdown(results.rows)
    bold = {
        name: {key for key, cell in zip(MAIN, cells, strict=True) if cell.startswith("**")}
        for name, cells in table.items()
    }
    assert bold["regressor"] == {"ciede2000", "psnr", "ssim", "milliseconds"}
    assert bold["classifier"] == {
        "auc_rebalanced",
        "auc",
        "colorfulness_delta",
        "ab_mae",
        "accuracy",
        "ssim",
    }


def test_baselines_are_never_bold_though_the_truth_is_best(results: Results) -> None:
    table = _markdown(results.rows)
    for name in ("gray", "mean color", "random photograph", "truth"):
        assert not any("**" in cell for cell in table[name])


def test_numbers_are_printed_with_the_digits_of_their_measure(results: Results) -> None:
    table = _markdown(results.rows)
    assert table["classifier"][0] == "**64.1**"
    assert table["regressor"][MAIN.index("parameters")] == "1,234,567"
    assert table["classifier"][MAIN.index("colorfulness_delta")] == "**+2.0**"
    assert table["gray"][MAIN.index("colorfulness_delta")] == "−50.0"
    assert table["gray"][MAIN.index("milliseconds")] == "–"


def test_a_study_cannot_break_the_table(results: Results) -> None:
    row = dataclasses.replace(results.models[0], study="a | b\n*c* <i>")
    line = comparison_markdown((row,)).splitlines()[2]
    assert "a \\| b \\*c\\* \\<i\\>" in line


def test_csv_gives_back_every_number_exactly(
    results: Results, metrics: dict[str, dict[str, float]]
) -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv(results.rows))))
    assert [row["name"] for row in rows] == [row.name for row in results.rows]
    for row in rows:
        read = {m.key: float(row[m.key]) for m in MEASURES if row[m.key]}
        assert read == metrics[row["name"]]
        assert row["kind"] == ("model" if row["study"] else "baseline")
        assert row["photographs"] == "6"


def test_a_difference_is_best_closest_to_zero_whatever_its_sign() -> None:
    rows = [_row("under", colorfulness_delta=-2.0), _row("over", colorfulness_delta=3.0)]
    assert leaders(rows, MEASURE["colorfulness_delta"]) == {"under"}


def test_what_prints_alike_shares_the_lead() -> None:
    rows = [_row("a", auc=90.04), _row("b", auc=89.96), _row("c", auc=89.94)]
    assert leaders(rows, MEASURE["auc"]) == {"a", "b"}
    assert beats(rows[0], rows[1], MEASURE["auc"]) is False


def test_a_measure_without_direction_has_no_leader(results: Results) -> None:
    assert leaders(results.rows, MEASURE["colorfulness"]) == frozenset()
    assert beats(results.models[0], results.row("gray"), MEASURE["colorfulness"]) is None


def test_zero_has_no_sign() -> None:
    assert printed(MEASURE["colorfulness_delta"], -0.04) == "0.0"
    assert printed(MEASURE["ciede2000"], -0.0) == "0.00"


def test_headings_tell_unit_and_direction() -> None:
    assert heading(MEASURE["psnr"]) == "PSNR dB ↑"
    assert heading(MEASURE["colorfulness"]) == "Colorfulness"


def _verdict(results: Results, **scores: tuple[float, float]) -> str:
    """Return the verdict over models with these (rebalanced AuC, colorfulness delta)."""
    models = [
        _row(name, auc_rebalanced=auc, colorfulness=50 + delta, colorfulness_delta=delta)
        for name, (auc, delta) in scores.items()
    ]
    models.sort(key=lambda row: -row.metrics["auc_rebalanced"])
    changed = dataclasses.replace(results, rows=(*models, *results.baselines))
    return " ".join(verdict(changed)).replace("\u00a0", " ")


def test_the_verdict_names_leader_margin_and_basis(results: Results) -> None:
    text = _verdict(results, one=(62.0, -20.0), two=(64.12, 2.0))
    assert text.startswith("two leads with a rebalanced AuC of 64.1 %, 6.0 points above leaving")
    assert "It also comes closest to the true colorfulness: 52.0 of 50.0." in text
    assert "All 2 trained models beat plain gray (58.1 %)" in text
    assert text.endswith("Measured on 6 test pictures from 3 scenes that no model was trained on.")


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ({"one": (64.0, -20.0), "two": (62.0, 2.0)}, "two comes closest to the true colorfulness"),
        ({"one": (64.0, -20.0), "two": (64.0, 2.0)}, "one and two share the lead with"),
        ({"one": (64.0, -2.0), "two": (62.0, 2.0)}, "one and two come closest to the true"),
        (
            {"one": (64.0, 1.0), "two": (58.1, 2.0)},
            "two (58.1 %) does not beat plain gray (58.1 %)",
        ),
        (
            {"one": (64.0, 1.0), "a": (58.0, 2.0), "b": (57.0, 2.0), "c": (56.0, 2.0)},
            "3 of 4 models do not beat plain gray (58.1 %) on rebalanced AuC: a (58.0 %), b (57.0 "
            "%) and c (56.0 %).",
        ),
        (
            {"one": (57.0, 1.0), "two": (56.0, 2.0)},
            "No model does better than leaving the photographs gray: one has the highest "
            "rebalanced AuC, 57.0 % against 58.1 %.",
        ),
        ({"one": (64.0, 1.0)}, "Its colorfulness is 51.0; that of the true photographs is 50.0."),
    ],
)
def test_the_verdict_follows_the_numbers(
    results: Results, scores: dict[str, tuple[float, float]], sentence: str
) -> None:
    assert sentence in _verdict(results, **scores)


def test_the_verdict_names_the_untrained_baseline_that_is_better_than_gray(
    results: Results,
) -> None:
    rows = tuple(
        dataclasses.replace(row, metrics={**row.metrics, "auc_rebalanced": 63.0})
        if row.name == "mean_color"
        else row
        for row in results.rows
    )
    text = " ".join(verdict(dataclasses.replace(results, rows=rows)))
    assert "mean color, the best untrained baseline" in text
    assert "best untrained baseline" not in " ".join(verdict(results))
