"""What is read, and that whatever is missing or broken is told in one line with its stage."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from photochrom.params import Params
from photochrom.report import ReportError, build_report
from photochrom.report.collect import Results, collect


def test_models_come_first_by_rebalanced_auc_then_gray_to_truth(results: Results) -> None:
    names = [row.name for row in results.rows]
    assert names == [
        "classifier",
        "regressor",
        "gray",
        "mean_color",
        "random_photograph",
        "truth",
    ]
    assert [training.name for training in results.trainings] == ["classifier", "regressor"]


def test_as_many_photographs_as_asked_in_the_order_of_their_pictures(results: Results) -> None:
    assert [photo.id for photo in results.photographs] == ["set/2.jpg", "set/0.jpg"]
    first = results.photographs[0].pictures
    assert list(first) == ["gray", "classifier", "regressor", "truth"]
    assert {path.name for path in first.values()} == {"000.png"}


def test_scenes_of_the_test_pictures_are_counted(results: Results) -> None:
    assert results.scenes == 3


@pytest.mark.parametrize(
    ("path", "stage"),
    [
        ("results/evaluate/classifier/metrics.json", "evaluate@classifier"),
        ("results/evaluate/regressor/pictures/000.png", "evaluate@regressor"),
        ("results/evaluate/gray/per_image.parquet", "baselines"),
        ("results/evaluate/truth", "baselines"),
        ("results/evaluate/classifier/details", "evaluate@classifier"),
        ("results/evaluate/classifier/details/calibration.csv", "evaluate@classifier"),
        ("results/evaluate/regressor/details/failures.json", "evaluate@regressor"),
        ("results/evaluate/regressor/details/failures/auc-worst.jpg", "evaluate@regressor"),
        ("results/evaluate/gray/details/hues.parquet", "baselines"),
        ("results/evaluate/truth/details/distribution.npz", "baselines"),
        ("results/study/study.json", "study"),
        ("models/classifier/history.csv", "train@classifier"),
        ("models/regressor/run.json", "train@regressor"),
        ("models/regressor/config.json", "train@regressor"),
        ("data/filtered/summary.json", "filter"),
        ("data/filtered/sheet.jpg", "filter"),
        ("data/lab/lab.json", "lab"),
        ("data/prior/prior.png", "prior"),
    ],
)
def test_what_is_missing_is_named_with_the_stage_that_makes_it(
    params: Params, project: Path, path: str, stage: str
) -> None:
    target = project / path
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    message = _refusal(params, project)
    assert path in message
    assert f"`dvc repro {stage}`" in message


@pytest.mark.parametrize(
    ("path", "content", "stage"),
    [
        ("results/evaluate/gray/metrics.json", '{"photographs": 6,', "baselines"),
        ("results/evaluate/gray/metrics.json", "[]", "baselines"),
        ("results/evaluate/classifier/metrics.json", '{"photographs": 6}', "evaluate@classifier"),
        (
            "results/evaluate/classifier/metrics.json",
            '{"photographs": 6, "auc_rebalanced": 6, "colorfulness": 6, "colorfulness_delta": 6}',
            "evaluate@classifier",
        ),
        ("results/evaluate/gray/per_image.parquet", "not parquet", "baselines"),
        ("results/evaluate/gray/details/distribution.npz", "not npz", "baselines"),
        ("results/evaluate/gray/details/hues.parquet", "not parquet", "baselines"),
        ("results/evaluate/regressor/details/failures.json", "{}", "evaluate@regressor"),
        ("results/evaluate/regressor/details/failures.json", "[{}]", "evaluate@regressor"),
        ("results/evaluate/classifier/details/calibration.csv", "a\n1", "evaluate@classifier"),
        ("results/study/study.json", "{}", "study"),
        (
            "results/study/study.json",
            '{"people": 1, "excluded": {}, "votes": 1, "photographs": 1, "protocols": '
            '{"preference": {}}}',
            "study",
        ),
        ("models/regressor/history.csv", "", "train@regressor"),
        ("models/regressor/history.csv", "epoch,step\n1,2\n", "train@regressor"),
        ("models/regressor/run.json", '{"device": "cpu"}', "train@regressor"),
    ],
)
def test_what_is_broken_is_named_with_the_stage_to_force(
    params: Params, project: Path, path: str, content: str, stage: str
) -> None:
    (project / path).write_text(content)
    message = _refusal(params, project)
    assert path in message
    assert f"`dvc repro --force {stage}`" in message


def test_rows_measured_on_different_test_sets_are_refused(
    params: Params, project: Path, edit: Callable[[Path, Callable[[Any], None]], None]
) -> None:
    path = project / "results" / "evaluate" / "regressor" / "metrics.json"
    edit(path, lambda metrics: metrics.update(photographs=5))
    assert "regressor was measured on 5 pictures and gray on 6" in _refusal(params, project)


def test_rows_measured_on_other_photographs_are_refused(params: Params, project: Path) -> None:
    path = project / "results" / "evaluate" / "regressor" / "per_image.parquet"
    table = pd.read_parquet(path)
    table.loc[5, "id"] = "set/another.jpg"
    table.to_parquet(path)
    message = _refusal(params, project)
    assert "regressor and gray were measured on different pictures" in message
    assert "`dvc repro evaluate@regressor baselines`" in message


def test_a_table_without_the_weights_is_refused(params: Params, project: Path) -> None:
    path = project / "results" / "evaluate" / "regressor" / "per_image.parquet"
    pd.read_parquet(path).drop(columns="auc_rebalanced_weight").to_parquet(path)
    message = _refusal(params, project)
    assert "it lacks auc_rebalanced_weight" in message
    assert "`dvc repro --force evaluate@regressor`" in message


def test_one_scene_alone_has_no_intervals_and_a_report(params: Params, project: Path) -> None:
    for path in (project / "results" / "evaluate").glob("*/per_image.parquet"):
        for table in (path, path.parent / "details" / "hues.parquet"):
            pd.read_parquet(table).assign(group="one").to_parquet(table)
        numbers = json.loads((path.parent / "metrics.json").read_text())
        (path.parent / "metrics.json").write_text(json.dumps(numbers | {"interval": {}}))
    results = collect(params, project)
    assert (results.scenes, results.sample) == (1, "1 scene")
    assert not any(results.differences.pairs.values())
    build_report(params, project, project / "out")
    table = (project / "out" / "comparison.md").read_text(encoding="utf-8")
    assert "±" not in table
    assert "**" not in table


def _refusal(params: Params, project: Path) -> str:
    with pytest.raises(ReportError) as refusal:
        collect(params, project)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)
