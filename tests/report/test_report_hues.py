"""How well each colorizer does on each hue and class: closed-form sums, ties and gaps."""

import csv
import dataclasses
import io
import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.report.classes import LEAST, Classes, classes_csv, compared_by_class
from photochrom.report.collect import Results
from photochrom.report.hues import Hues, compared_by_hue, hues_csv
from photochrom.report.naming import class_name
from photochrom.report.reading import ReportError
from photochrom.report.sections import strengths

GROUPS = ["a", "b", "c"]


def _table(auc: dict[str, list[float]], chroma: float = 20.0) -> pd.DataFrame:
    """Return a table of one photograph for each group: AuC by hue, 10 pixels of chroma 40."""
    rows = [
        {
            "id": f"{group}.jpg",
            "group": group,
            "hue": hue,
            "pixels": 10,
            "auc": 10 * value,
            "chroma": 10 * chroma,
            "true_chroma": 400.0,
        }
        for hue, values in auc.items()
        for group, value in zip(GROUPS, values, strict=False)
    ]
    return pd.DataFrame(rows)


def _compared(tables: dict[str, pd.DataFrame]) -> Hues:
    models = [name for name in tables if name != "gray"]
    return compared_by_hue(tables, models, GROUPS, resamples=500, seed=0)


def test_an_estimate_is_the_ratio_of_sums_over_all_pixels() -> None:
    table = _table({"red": [90.0, 60.0, 30.0]})
    table.loc[0, ["pixels", "auc"]] = [30, 30 * 90.0]
    hues = _compared({"one": table})
    assert hues.present == ("red",)
    assert hues.estimates["one", "red", "auc"].value == pytest.approx((30 * 90 + 600 + 300) / 50)
    assert hues.estimates["one", "red", "chroma_kept"].value == pytest.approx(50.0)
    assert hues.shares["red"] == 100.0


def test_intervals_span_the_groups_and_vanish_where_all_are_alike() -> None:
    hues = _compared({"one": _table({"red": [90.0, 60.0, 30.0], "blue": [70.0, 70.0, 70.0]})})
    low, high = hues.estimates["one", "red", "auc"].interval or (0.0, 0.0)
    assert (low, high) == (30.0, 90.0)
    assert hues.estimates["one", "blue", "auc"].interval == pytest.approx((70.0, 70.0))


def test_a_hue_of_one_group_alone_has_no_interval() -> None:
    hues = _compared({"one": _table({"red": [90.0, 60.0, 30.0], "cyan": [80.0]})})
    assert hues.estimates["one", "cyan", "auc"].value == pytest.approx(80.0)
    assert hues.estimates["one", "cyan", "auc"].interval is None
    alone = compared_by_hue({"one": _table({"red": [90.0]})}, ["one"], ["a"], 100, 0)
    assert alone.estimates["one", "red", "auc"].interval is None


def test_what_cannot_be_told_from_the_best_is_best_too_though_scenes_differ() -> None:
    hues = _compared(
        {
            "first": _table({"red": [90.0, 60.0, 30.0]}),
            "behind": _table({"red": [89.0, 59.0, 29.0]}),
            "mixed": _table({"red": [95.0, 55.0, 29.0]}),
            "gray": _table({"red": [99.0, 99.0, 99.0]}),
        }
    )
    assert hues.best["red", "auc"] == {"first", "mixed"}


def test_color_kept_is_best_at_all_of_it_and_of_gray_at_none() -> None:
    tables = {
        "much": _table({"red": [50.0] * 3, "gray": [50.0] * 3}, chroma=60.0),
        "right": _table({"red": [50.0] * 3, "gray": [50.0] * 3}, chroma=38.0),
        "none": _table({"red": [50.0] * 3, "gray": [50.0] * 3}, chroma=0.0),
    }
    hues = _compared(tables)
    assert hues.best["red", "chroma_kept"] == {"right"}
    assert hues.best["gray", "chroma_kept"] == {"none"}


def test_gray_without_any_color_divides_by_nothing() -> None:
    table = _table({"gray": [50.0] * 3}).assign(true_chroma=0.0)
    hues = _compared({"one": table})
    assert np.isnan(hues.estimates["one", "gray", "chroma_kept"].value)
    assert hues.best["gray", "chroma_kept"] == frozenset()
    (row,) = csv.DictReader(io.StringIO(hues_csv(hues)))
    assert (row["auc"], row["chroma_kept"], row["chroma_kept_low"]) == ("50.0", "", "")


def test_nobody_is_best_at_a_hue_whose_differences_are_unknown() -> None:
    tables = {
        "one": _table({"red": [90.0, 60.0, 30.0], "cyan": [80.0]}),
        "other": _table({"red": [80.0, 50.0, 20.0], "cyan": [10.0]}),
    }
    hues = _compared(tables)
    assert hues.best["cyan", "auc"] == frozenset()
    assert hues.best["red", "auc"] == {"one"}


@pytest.mark.parametrize(("column", "fault"), [("hue", "mauve"), ("group", "elsewhere")])
@pytest.mark.parametrize(("name", "stage"), [("one", "evaluate@one"), ("gray", "baselines")])
def test_an_unknown_hue_or_group_is_refused(column: str, fault: str, name: str, stage: str) -> None:
    tables = {each: _table({"red": [90.0, 60.0, 30.0]}) for each in ("one", "gray")}
    tables[name].loc[1, column] = fault
    with pytest.raises(ReportError) as refused:
        _compared(tables)
    assert str(refused.value) == (
        f"hues.parquet of {name} has the {column} '{fault}', which the test photographs do not: "
        f"run `dvc repro --force {stage}`."
    )


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3))
def test_an_interval_holds_its_estimate(values: list[float]) -> None:
    found = _compared({"one": _table({"red": values})}).estimates["one", "red", "auc"]
    assert found.interval is not None
    assert found.interval[0] - 1e-6 <= found.value <= found.interval[1] + 1e-6


def test_the_page_has_models_and_gray_by_hue(results: Results) -> None:
    auc, kept = strengths.hue_tables(results)
    assert [name for name, _, _ in auc.lines] == ["classifier", "regressor", "gray"]
    assert results.hues.present == ("gray", "red", "blue")
    red = {name: cells[1] for name, _, cells in auc.lines}
    assert (red["classifier"].text, red["classifier"].standing) == ("89.0", "best")
    assert (red["regressor"].text, red["regressor"].standing) == ("79.0", "")
    assert (red["gray"].text, red["gray"].standing) == ("69.0", "")
    gray_hue = auc.lines[0][2][0]
    assert gray_hue.standing == "best behind"
    assert [cells[1].text for _, _, cells in kept.lines] == ["50.0", "50.0", "0.0"]


def test_all_estimates_are_written(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(hues_csv(results.hues))))
    assert len(rows) == 3 * 3
    (red,) = (r for r in rows if (r["model"], r["hue"]) == ("regressor", "red"))
    assert float(red["auc"]) == pytest.approx(79.0)
    assert float(red["auc_low"]) < 79.0 < float(red["auc_high"])
    assert float(red["share"]) == pytest.approx(100 * 6 * 96 / (6 * 96 * 2 + 4 * 64))


def by_class(labels: Sequence[str | None], **scores: Sequence[float]) -> Classes:
    """Compare models on photographs of one group each."""
    about = {"id": range(len(labels)), "group": range(len(labels)), "label": labels}
    tables = {name: pd.DataFrame({**about, "auc": values}) for name, values in scores.items()}
    return compared_by_class(tables, 200, 0)


def _labels(classes: int, pictures: int) -> list[str]:
    return [f"n{label:02d}" for label in range(classes) for _ in range(pictures)]


def test_classes_are_ordered_by_the_mean_over_all_models() -> None:
    one, other = [80.0, 90.0, 70.0, 60.0], [50.0, 50.0, 90.0, 60.0]
    classes = by_class(["x", "x", "n01443537", "z"], one=one, other=other)
    assert list(classes.scores.index) == ["n01443537", "x", "z"]
    assert list(classes.scores.loc["x"]) == [85.0, 50.0]
    assert dict(classes.photographs) == {"n01443537": 1, "x": 2, "z": 1}
    assert classes.ends == (("n01443537", "x", "z"), ())
    rows = list(csv.DictReader(io.StringIO(classes_csv(classes))))
    assert len(rows) == 3 * 2
    assert list(rows[0].values()) == ["n01443537", "goldfish", "1", "one", "70.0", "", ""]
    assert list(rows[2].values()) == ["x", "x", "2", "one", "85.0", "80.0", "90.0"]
    assert rows[3]["auc_low"] == rows[3]["auc_high"] == "50.0"


def test_many_classes_show_their_ends() -> None:
    easiest, hardest = by_class(_labels(30, LEAST), one=np.arange(30.0 * LEAST)).ends
    assert (easiest[0], easiest[-1], len(easiest)) == ("n29", "n20", 10)
    assert (hardest[0], hardest[-1], len(hardest)) == ("n09", "n00", 10)


def test_a_class_of_few_pictures_is_at_neither_end(results: Results) -> None:
    labels = [*_labels(21, LEAST), *["few_easy"] * (LEAST - 1), *["few_hard"] * (LEAST - 1)]
    scores = [*np.full(21 * LEAST, 50.0), *[99.0] * (LEAST - 1), *[1.0] * (LEAST - 1)]
    classes = by_class(labels, classifier=scores, regressor=scores)
    assert not {"few_easy", "few_hard"} & set(itertools.chain(*classes.ends))
    assert "few_easy,few_easy,4,classifier,99.0,99.0,99.0\n" in classes_csv(classes)
    changed = dataclasses.replace(results, classes=classes)
    assert "Only classes of at least 5 pictures are" in strengths.class_note(changed)
    titles = [table.title for table in strengths.class_tables(changed)]
    assert titles == ["Easiest classes", "Hardest classes"]


def test_where_few_classes_have_enough_pictures_they_are_one_table(results: Results) -> None:
    labels, scores = [*_labels(30, 1), *["many"] * LEAST], np.arange(30.0 + LEAST)
    classes = by_class(labels, classifier=scores, regressor=scores)
    changed = dataclasses.replace(results, classes=classes)
    (table,) = strengths.class_tables(changed)
    assert table.title == "Classes of 5 pictures or more"
    assert [line[:2] for line in table.lines] == [("many", 5)]


def test_where_no_class_has_enough_pictures_that_is_said(results: Results) -> None:
    classes = by_class(_labels(30, 1), classifier=np.arange(30.0), regressor=np.arange(30.0))
    changed = dataclasses.replace(results, classes=classes)
    assert strengths.class_tables(changed) == ()
    assert strengths.class_note(changed).startswith("No class has 5 test pictures")


def test_a_class_without_a_name_keeps_its_label() -> None:
    assert class_name("n02123045") == "tabby"
    assert class_name("airplane") == "airplane"


def test_photographs_without_labels_have_no_classes(results: Results) -> None:
    classes = by_class([None, None], one=[1.0, 2.0])
    assert classes.ends == ((), ())
    assert classes_csv(classes) == "label,name,photographs,model,auc,auc_low,auc_high\n"
    changed = dataclasses.replace(results, classes=classes)
    assert strengths.class_tables(changed) == ()
    assert strengths.class_note(changed).startswith("These photographs have no class labels.")


def test_the_page_has_the_classes_with_a_column_for_each_model(results: Results) -> None:
    (table,) = strengths.class_tables(results)
    assert table.title == "All classes"
    assert [line[:2] for line in table.lines] == [("n01", 3), ("n02", 3)]
    assert len(table.lines[0][2]) == len(results.models)
