"""The tables: what stands in them, who is best, and what the verdict says of it."""

import csv
import dataclasses
import io

import pytest

from photochrom.measures import MEASURES
from photochrom.report.collect import Results, Row
from photochrom.report.differences import Differences
from photochrom.report.standings import (
    MEASURE,
    beats,
    certainty,
    heading,
    leaders,
    printed,
    rivals,
    signed,
    spread,
)
from photochrom.report.tables import MAIN, comparison_csv, comparison_markdown, differences_csv
from photochrom.report.verdict import verdict
from photochrom.uncertainty import Difference

NOTHING = Differences({})


def _row(name: str, study: str | None = "000", **metrics: float) -> Row:
    return Row(name, study, 6, metrics, {})


def _told_apart(key: str, **pairs: bool) -> Differences:
    """Return differences by a measure between rows, e.g. ``one_two=False``."""
    found = {True: Difference(2.0, 1.0, 3.0), False: Difference(0.5, -1.0, 2.0)}
    return Differences(
        {
            (pair.split("_")[0], pair.split("_")[1]): {key: found[sure]}
            for pair, sure in pairs.items()
        }
    )


SHOWN = tuple(
    key for key in MAIN if key not in ("auc_weighted", "semantic_top1", "feature_distance")
)
"""The columns of the small project, which lacks some of the main measures."""


def _markdown(results: Results) -> dict[str, list[str]]:
    lines = comparison_markdown(results).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    return {cell[0].strip("`*"): cell[2:] for cell in cells if len(cell) > 2}


def test_the_best_trained_model_of_each_column_is_bold(results: Results) -> None:
    table = _markdown(results)
    bold = {
        name: {key for key, cell in zip(SHOWN, cells, strict=True) if cell.startswith("**")}
        for name, cells in table.items()
    }
    assert bold["regressor"] == {"ciede2000", "psnr", "ssim"}
    assert bold["classifier"] == {
        "auc_rebalanced",
        "auc",
        "colorfulness_delta",
        "ssim",
    }


def test_the_table_of_the_readme_stays_narrow(results: Results) -> None:
    assert len(MAIN) <= 12
    assert len(_markdown(results)["truth"]) == len(SHOWN)


def test_baselines_are_never_bold_though_the_truth_is_best(results: Results) -> None:
    table = _markdown(results)
    for name in ("gray", "mean color", "random photograph", "truth"):
        assert not any("**" in cell for cell in table[name])


def test_numbers_are_printed_with_the_digits_of_their_measure(results: Results) -> None:
    table = _markdown(results)
    assert table["classifier"][0] == "**64.1 ± 1.0**"
    assert table["regressor"][SHOWN.index("parameters")] == "1,234,567"
    assert table["classifier"][SHOWN.index("colorfulness_delta")] == "**+2.0 ± 1.0**"
    assert table["gray"][SHOWN.index("colorfulness_delta")] == "−50.0 ± 1.0"
    assert table["gray"][SHOWN.index("milliseconds")] == "–"


def test_a_study_cannot_break_the_table(results: Results) -> None:
    row = dataclasses.replace(results.models[0], study="a | b\n*c* <i>")
    changed = dataclasses.replace(results, rows=(row, *results.baselines))
    line = comparison_markdown(changed).splitlines()[2]
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
    sure = _told_apart("colorfulness_delta", under_over=True)
    assert leaders(rows, MEASURE["colorfulness_delta"], sure) == {"under"}


def test_what_prints_alike_shares_the_lead() -> None:
    rows = [_row("a", auc=90.04), _row("b", auc=89.96), _row("c", auc=89.94)]
    told = _told_apart("auc", a_b=False, a_c=True, b_c=True)
    assert leaders(rows, MEASURE["auc"], told) == {"a", "b"}
    assert beats(rows[0], rows[1], MEASURE["auc"]) is False


def test_a_measure_without_direction_has_no_leader(results: Results) -> None:
    colorfulness = MEASURE["colorfulness"]
    assert leaders(results.rows, colorfulness, results.differences) == frozenset()
    assert beats(results.models[0], results.row("gray"), MEASURE["colorfulness"]) is None


def test_what_cannot_be_told_from_the_best_shares_the_lead() -> None:
    rows = [_row("a", auc=90.0), _row("b", auc=89.0), _row("c", auc=88.0), _row("d", auc=85.0)]
    differences = _told_apart("auc", b_a=False, a_c=True, c_b=False, a_d=False)
    assert leaders(rows, MEASURE["auc"], differences) == {"a", "b", "d"}
    assert rivals(rows, MEASURE["auc"], differences) == {"b", "d"}


@pytest.mark.parametrize("known", [{}, {"a_b": True}, {"a_b": False}, {"b_c": True}])
def test_nobody_is_best_where_a_difference_to_the_best_is_unknown(known: dict[str, bool]) -> None:
    rows = [_row("a", auc=90.0), _row("b", auc=89.0), _row("c", auc=88.0)]
    assert leaders(rows, MEASURE["auc"], _told_apart("auc", **known)) == frozenset()
    assert leaders(rows, MEASURE["auc"], _told_apart("psnr", a_b=True, a_c=True)) == frozenset()
    assert leaders(rows[:1], MEASURE["auc"], NOTHING) == {"a"}


def test_time_has_no_interval_and_so_nothing_in_bold(results: Results) -> None:
    table, place = _markdown(results), SHOWN.index("milliseconds")
    assert (table["regressor"][place], table["classifier"][place]) == ("1.50", "4.00")
    assert "no such differences, as time, has nothing in bold" in comparison_markdown(results)


def test_a_baseline_that_cannot_be_told_from_the_best_is_no_leader() -> None:
    rows = [_row("a", auc=90.0), _row("gray", None, auc=89.9)]
    assert leaders(rows, MEASURE["auc"], _told_apart("auc", a_gray=False)) == {"a"}


def test_half_the_interval_is_printed_and_never_of_what_is_exact() -> None:
    intervals = {"auc": (88.0, 91.0), "psnr": (20.0, 20.3), "ssim": (0.8, 0.9), "ciede2000": (0, 0)}
    row = dataclasses.replace(_row("a"), intervals=intervals)
    assert spread(row, MEASURE["auc"]) == "± 1.5"
    assert spread(row, MEASURE["psnr"]) == "± 0.15"
    assert spread(row, MEASURE["ssim"]) == "± 0.050"
    for key in ("ciede2000", "colorfulness_delta", "milliseconds"):
        assert spread(row, MEASURE[key]) == ""


def test_every_column_with_an_interval_tells_it_and_the_truth_has_none(results: Results) -> None:
    table = _markdown(results)
    assert not any("±" in cell for cell in table["truth"])
    told = {key for key, cell in zip(SHOWN, table["gray"], strict=True) if "±" in cell}
    assert told == set(SHOWN) - {"milliseconds", "parameters"}


def test_what_the_interval_comes_from_is_told(results: Results) -> None:
    text = certainty(results)
    assert "bootstrap over 3 scenes; of so few it is far too narrow." in text
    many = certainty(dataclasses.replace(results, scenes=60))
    assert "bootstrap over 60 pictures." in many
    assert text in comparison_markdown(results)
    rows = tuple(dataclasses.replace(row, intervals={}) for row in results.rows)
    alone = certainty(dataclasses.replace(results, rows=rows, scenes=1))
    assert alone == "How sure the numbers are cannot be told from 1 scene."


def test_csv_has_the_intervals_last(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(comparison_csv(results.rows))))
    names = list(rows[0])
    bounded = [m.key for m in MEASURES if m.key in results.models[0].intervals]
    assert names[-2 * len(bounded) :] == [f"{k}_{end}" for k in bounded for end in ("low", "high")]
    assert not {"milliseconds_low", "parameters_low"} & set(names)
    regressor = next(row for row in rows if row["name"] == "regressor")
    assert (float(regressor["psnr_low"]), float(regressor["psnr_high"])) == (24.5, 26.5)
    mean_color = next(row for row in rows if row["name"] == "mean_color")
    assert mean_color["psnr_low"] == ""


def test_differences_of_all_pairs_are_listed_with_what_they_tell(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(differences_csv(results.differences))))
    auc = [row for row in rows if row["measure"] == "auc_rebalanced"]
    assert [(row["a"], row["b"]) for row in auc] == [
        ("classifier", "regressor"),
        ("classifier", "gray"),
        ("classifier", "mean_color"),
        ("regressor", "gray"),
        ("regressor", "mean_color"),
        ("gray", "mean_color"),
    ]
    assert float(auc[0]["difference"]) == pytest.approx(64.123456789 - 62.46, abs=1e-6)
    assert float(auc[0]["low"]) <= float(auc[0]["difference"]) <= float(auc[0]["high"])
    assert auc[0]["distinguishable"] == "yes"
    (tie,) = (r for r in rows if r["measure"] == "ssim" and r["b"] == "regressor")
    assert (tie["a"], tie["distinguishable"]) == ("classifier", "no")


def test_differences_to_zero_compare_distances_from_it(results: Results) -> None:
    rows = csv.DictReader(io.StringIO(differences_csv(results.differences)))
    (row,) = (r for r in rows if r["measure"] == "colorfulness_delta" and r["b"] == "regressor")
    assert float(row["difference"]) == pytest.approx(2.0 - 20.0)
    assert float(row["high"]) < 0


def test_a_difference_turns_with_its_rows() -> None:
    differences = Differences({("a", "b"): {"auc": Difference(2.0, -1.0, 3.0)}})
    assert differences.between("a", "b", "auc") == Difference(2.0, -1.0, 3.0)
    assert differences.between("b", "a", "auc") == Difference(-2.0, -3.0, 1.0)
    assert differences.between("a", "b", "psnr") is None
    assert differences.between("a", "c", "auc") is None


def test_zero_has_no_sign() -> None:
    assert printed(MEASURE["colorfulness_delta"], -0.04) == "0.0"
    assert printed(MEASURE["ciede2000"], -0.0) == "0.00"
    assert signed(MEASURE["ciede2000"], -0.001) == "0.00"
    assert signed(MEASURE["ciede2000"], 0.5) == "+0.50"
    assert signed(MEASURE["parameters"], -1234.0) == "−1,234"


def test_headings_tell_unit_and_direction() -> None:
    assert heading(MEASURE["psnr"]) == "PSNR dB ↑"
    assert heading(MEASURE["colorfulness"]) == "Colorfulness"


def _verdict(
    results: Results, differences: Differences = NOTHING, **scores: tuple[float, float]
) -> str:
    """Return the verdict over models with these (rebalanced AuC, colorfulness delta)."""
    models = [
        _row(name, auc_rebalanced=auc, colorfulness=50 + delta, colorfulness_delta=delta)
        for name, (auc, delta) in scores.items()
    ]
    models.sort(key=lambda row: -row.metrics["auc_rebalanced"])
    rows = (*models, *results.baselines)
    changed = dataclasses.replace(results, rows=rows, differences=differences)
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


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ({"a_b": True}, "a leads with a rebalanced AuC of 64.0 %, 5.9 points above leaving"),
        (
            {"a_b": False, "a_c": True},
            "a leads with a rebalanced AuC of 64.0 %, but is not distinguishable from b. That is "
            "5.9 points above leaving the photographs gray.",
        ),
        ({"c_a": False, "b_a": False}, "but is not distinguishable from b and c."),
        (
            {"a_b": False, "a_c": False, "a_d": False, "a_e": False},
            "but is not distinguishable from any other.",
        ),
        (
            {"b_gray": False, "a_gray": True},
            "All 5 trained models lie above plain gray (58.1 %) on rebalanced AuC, b not for sure.",
        ),
        ({"b_gray": False, "c_gray": False}, "on rebalanced AuC, b and c not for sure."),
        (
            {f"{name}_gray": False for name in "abcde"},
            "lie above plain gray (58.1 %) on rebalanced AuC, none of them for sure.",
        ),
    ],
)
def test_the_verdict_says_what_cannot_be_told_apart(
    results: Results, pairs: dict[str, bool], sentence: str
) -> None:
    scores = {"a": (64.0, 1.0), "b": (63.0, 2.0), "c": (62.0, 3.0), "d": (61.0, 4.0)}
    scores["e"] = (60.0, 5.0)
    assert sentence in _verdict(results, _told_apart("auc_rebalanced", **pairs), **scores)


def test_what_lies_behind_gray_and_what_is_not_sure_to_lie_above_are_two_sentences(
    results: Results,
) -> None:
    unsure = _told_apart("auc_rebalanced", two_gray=False)
    text = _verdict(results, unsure, one=(64.0, 1.0), two=(59.0, 2.0), three=(57.0, 3.0))
    assert (
        "three (57.0 %) does not beat plain gray (58.1 %) on rebalanced AuC. two is not "
        "distinguishable from gray." in text
    )


def test_many_rivals_are_counted(results: Results) -> None:
    scores = {name: (64.0 - n, 1.0 + n) for n, name in enumerate("abcdef")}
    pairs = {f"a_{name}": name != "f" for name in "bcdef"}
    unclear = _told_apart("auc_rebalanced", **{pair: not sure for pair, sure in pairs.items()})
    assert "not distinguishable from b, c and 2 others." in _verdict(results, unclear, **scores)


def test_the_verdict_doubts_the_nearest_to_the_true_colorfulness(results: Results) -> None:
    text = _verdict(
        results,
        _told_apart("colorfulness_delta", one_two=False),
        one=(64.0, -20.0),
        two=(62.0, 2.0),
    )
    assert (
        "two comes closest to the true colorfulness: 52.0 of 50.0, but is not distinguishable "
        "from one." in text
    )


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
