"""How far the others lie from gray and from the leader: what is faint, and what is not."""

import dataclasses
import re
from pathlib import Path

from photochrom.report.collect import Results
from photochrom.report.differences import Differences
from photochrom.report.page import render
from photochrom.report.sections import comparison, margins
from photochrom.report.tables import MAIN
from photochrom.uncertainty import Difference


def test_failures_and_cost_are_not_held_against_gray(results: Results) -> None:
    metrics = {"stray_color": 3.0, "milliseconds": 9.0, "ciede2000": 9.5}
    stray = dataclasses.replace(results.models[0], metrics={**results.models[0].metrics, **metrics})
    plain = {**results.row("gray").metrics, "stray_color": 0.0, "milliseconds": 0.0}
    gray = dataclasses.replace(results.row("gray"), metrics=plain)
    rows = (stray, results.models[1], gray, *results.baselines[1:])
    table = comparison.comparison(dataclasses.replace(results, rows=rows))
    standings = dict(
        zip((c.measure.key for c in table.columns), table.models[0].cells, strict=True)
    )
    assert "behind" not in standings["stray_color"].standing
    assert "behind" not in standings["milliseconds"].standing
    assert standings["ciede2000"].standing == "behind"


def test_the_differences_to_the_leader_stand_under_the_table(results: Results) -> None:
    found = margins.margins(results)
    assert found.leader.name == "classifier"
    assert [row.name for row, _ in found.lines] == ["regressor", "gray", "mean_color"]
    columns = {measure.key: (title, arrow) for measure, title, arrow in found.columns}
    assert list(columns) == [key for key in MAIN if key in results.row("gray").intervals]
    assert columns["colorfulness_delta"] == ("|Δ colorfulness|", "↓")
    regressor = dict(zip(columns, found.lines[0][1], strict=True))
    auc = results.differences.between("regressor", "classifier", "auc_rebalanced")
    assert auc is not None
    assert regressor["auc_rebalanced"].text == "−1.7"
    assert regressor["auc_rebalanced"].interval == f"[{auc.low:.1f}, {auc.high:.1f}]".replace(
        "-", "−"
    )
    assert regressor["auc_rebalanced"].sure
    assert regressor["colorfulness_delta"].text == "+18.0"
    assert (regressor["ssim"].text, regressor["ssim"].sure) == ("0.000", False)
    # The mean color was not measured by SSIM.
    assert dict(zip(columns, found.lines[2][1], strict=True))["ssim"].text == "–"


def test_a_difference_of_one_scene_has_no_interval(results: Results) -> None:
    unknown = {"auc": Difference(-1.0, float("nan"), float("nan"))}
    alone = dataclasses.replace(
        results, differences=Differences({("classifier", "regressor"): unknown})
    )
    (regressor, *_) = [cells for _, cells in margins.margins(alone).lines]
    assert regressor == (margins.Margin("+1.0", "", sure=False),)
    none = dataclasses.replace(results, differences=Differences({}))
    assert "Difference to" not in render(none)


def test_what_is_not_told_from_the_leader_is_faint(report: Path) -> None:
    page = (report / "index.html").read_text(encoding="utf-8")
    (table,) = re.findall(r'<table class="margins">(.*?)</table>', page, re.DOTALL)
    assert "Difference to classifier" in page
    assert re.search(r"<td>−1\.7 <small>\[−\d\.\d, −\d\.\d\]</small></td>", table)
    assert re.search(r'<td class="behind">0\.000 <small>\[', table)
    assert "differences.csv has all measures, and all pairs of the models, gray and mean" in page
