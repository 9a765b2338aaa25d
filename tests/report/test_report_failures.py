"""Failures: what stands out for sure, and the sheets to leaf through."""

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from photochrom.color.bins import blur, gamut313
from photochrom.report import figures
from photochrom.report.collect import Results, Row
from photochrom.report.differences import Differences, resampled
from photochrom.report.figures.planes import REACH
from photochrom.report.sections import failures, plots
from photochrom.uncertainty import Difference

SURE, UNSURE = Difference(2.0, 1.0, 3.0), Difference(0.5, -1.0, 2.0)


def test_sheets_come_by_measure_the_worst_first_one_model_after_the_other(
    results: Results,
) -> None:
    sheets = failures.sheets(results)
    assert [(s.measure.key, s.source.end, s.model) for s in sheets] == [
        ("auc", "worst", "classifier"),
        ("auc", "worst", "regressor"),
        ("auc", "best", "classifier"),
        ("auc", "best", "regressor"),
        ("ciede2000", "worst", "classifier"),
        ("ciede2000", "worst", "regressor"),
        ("ciede2000", "best", "classifier"),
        ("ciede2000", "best", "regressor"),
    ]
    assert sheets[0].cells == (("50.0", "n01"), ("52.0", "set/2.jpg"))


def test_a_model_is_told_from_most_others_or_is_like_them(results: Results) -> None:
    models = [
        Row(name, "000", 6, {"auc_rebalanced": 60.0, "stray_color": value, "bleeding": 50.0}, {})
        for name, value in (("a", 9.0), ("b", 2.0), ("c", 1.0))
    ]
    pairs = {
        ("a", "b"): {"stray_color": SURE, "bleeding": UNSURE},
        ("a", "c"): {"stray_color": SURE, "bleeding": UNSURE},
        ("b", "c"): {"stray_color": UNSURE, "bleeding": UNSURE},
    }
    changed = dataclasses.replace(
        results, rows=(*models, *results.baselines), differences=Differences(pairs)
    )
    assert [one.words for one in failures.indications(changed)] == [
        "More than most others: stray color.",
        "Much like the others.",
        "Much like the others.",
    ]
    assert [m.key for m in failures.indicators(changed)] == ["stray_color", "bleeding"]


def test_the_indicators_of_a_run_are_printed_with_their_interval(results: Results) -> None:
    classifier, regressor = failures.indications(results)
    assert classifier.numbers == (("10.0", "± 1.0"),)
    assert classifier.words == "Less than most others: leaving colored things gray."
    assert regressor.words == "More than most others: leaving colored things gray."


def test_color_overlap_is_compared_over_the_same_draws(results: Results) -> None:
    table = pd.DataFrame({"id": list("stuvwx"), "group": list("aabbcc"), "auc": np.arange(6.0)})
    details = results.details["gray"], results.details["truth"]
    found = resampled(table, ["auc", "color_overlap", "kid"], details, 100, 0)
    # Of 256 pixels 132 and 133 lie in the first bin, the others in the second; both are blurred.
    kernel = blur(gamut313(), 5.0).numpy()
    shared = 100 * (1 - np.abs(kernel[:, 0] - kernel[:, 1]).sum() / 2 / 256)
    assert found.means["color_overlap"] == pytest.approx(shared)
    assert np.allclose(found.draws["color_overlap"], shared)
    assert list(found.means.index) == ["auc", "color_overlap"]


def test_the_plane_shows_a_color_where_it_lies_as_strong_as_it_is_frequent() -> None:
    histogram = np.zeros((256, 256), np.int64)
    histogram[128, 128], histogram[128 + 60, 128 + 40] = 100_000, 100
    picture = _decoded(figures.color_plane(histogram))
    assert picture.shape == (REACH, REACH, 4)
    center, right, up = REACH // 2, REACH // 2 + 30, REACH // 2 - 1 - 20
    assert picture[center - 1, center, 3] == 255
    assert picture[up, right, 3] == pytest.approx(255 * 2 / 3.5, abs=5)
    assert picture[up, right, 0] > picture[up, right, 2]
    assert np.count_nonzero(picture[..., 3]) == 2
    assert figures.color_plane(histogram) == figures.color_plane(histogram)


def test_an_empty_histogram_is_an_empty_plane() -> None:
    assert not _decoded(figures.color_plane(np.zeros((256, 256), np.int64)))[..., 3].any()


def test_the_planes_are_the_truth_and_every_model(results: Results) -> None:
    assert [plane.title for plane in plots.planes(results)] == ["truth", "classifier", "regressor"]


def test_calibration_has_a_line_for_each_classifier_and_the_diagonal(results: Results) -> None:
    table = results.details["classifier"].calibration
    assert table is not None
    (axes,) = figures.calibration({"one": table, "two": table}).axes
    assert axes.get_legend_handles_labels()[1] == ["as sure as right", "one", "two"]
    diagonal, one, _ = axes.get_lines()
    assert np.array_equal(diagonal.get_xydata(), [[0, 0], [100, 100]])
    assert np.array_equal(one.get_xydata(), [[30, 40]])


def test_calibration_is_left_out_where_nothing_classifies(results: Results) -> None:
    assert "confidence" in plots.calibration(results)
    plain = dataclasses.replace(results.details["classifier"], calibration=None)
    changed = dataclasses.replace(results, details={**results.details, "classifier": plain})
    assert plots.calibration(changed) == ""


def test_whiskers_are_the_intervals_and_the_best_stand_out() -> None:
    rows = [
        figures.Whisker("one", 30.0, (20.0, 45.0), True),
        figures.Whisker("two", 10.0, None, False),
    ]
    (axes,) = figures.whiskers(rows, "rate %", ("chance", 50.0)).axes
    bar, *dots = [line.get_xydata() for line in axes.get_lines()][:3]
    assert np.array_equal(bar, [[20.0, 0.0], [45.0, 0.0]])
    assert [tuple(map(float, dot[0])) for dot in dots] == [(30.0, 0.0), (10.0, 1.0)]
    assert axes.get_lines()[0].get_color() != axes.get_lines()[2].get_color()
    assert [text.get_text() for text in axes.get_yticklabels()] == ["one", "two"]


def _decoded(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)
