"""The worst and the best photographs: which they are, and what is drawn of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from evaluation_kit import SIDE
from PIL import Image
from torch import Tensor

from photochrom.color.lab import decode_lab, lab_to_rgb8
from photochrom.data.shards import LabSet
from photochrom.evaluation.failures import Extreme, draw_failures, extremes
from photochrom.evaluation.indicators import pairs_of


def table_of(**columns: list[float]) -> pd.DataFrame:
    """Return rows of per_image.parquet; two photographs of each group."""
    rows = len(next(iter(columns.values())))
    about = {
        "id": [f"{row}.png" for row in range(rows)],
        "group": [f"scene {row // 2}" for row in range(rows)],
        "label": [None] * rows,
    }
    return pd.DataFrame({**about, **columns})


def rows_of(table: pd.DataFrame, measure: str, count: int) -> dict[str, tuple[int, ...]]:
    found = extremes(table, count, SIDE)
    return {extreme.end: extreme.rows for extreme in found if extreme.measure == measure}


def test_the_worst_is_the_lowest_where_more_is_better() -> None:
    table = table_of(auc=[50.0, 90.0, 60.0, 95.0, 70.0, 80.0])
    assert rows_of(table, "auc", 3) == {"worst": (0, 2, 4), "best": (3, 1, 5)}


def test_the_worst_is_the_highest_where_less_is_better() -> None:
    table = table_of(ciede2000=[5.0, 9.0, 6.0, 9.5, 7.0, 8.0])
    assert rows_of(table, "ciede2000", 2) == {"worst": (3, 1), "best": (0, 2)}


def test_one_photograph_stands_for_its_group() -> None:
    table = table_of(auc=[50.0, 51.0, 60.0, 61.0])
    assert rows_of(table, "auc", 2)["worst"] == (0, 2)


def test_groups_repeat_only_where_there_are_too_few() -> None:
    table = table_of(auc=[50.0, 51.0, 60.0, 61.0])
    assert rows_of(table, "auc", 3)["worst"] == (0, 1, 2)
    assert rows_of(table, "auc", 9) == {"worst": (0, 1, 2, 3), "best": (3, 2, 1, 0)}


def test_ties_are_broken_by_the_row() -> None:
    table = table_of(stray_color=[0.0] * 4 + [9.0, 9.0])
    assert rows_of(table, "stray_color", 2) == {"worst": (4, 0), "best": (0, 2)}


@pytest.mark.parametrize(
    ("measure", "possible"), [("gray_collapse", SIDE * SIDE), ("bleeding", pairs_of(SIDE, SIDE))]
)
def test_a_photograph_that_could_hardly_fail_is_not_ranked(measure: str, possible: int) -> None:
    weights = [0.0, 0.009 * possible, 0.011 * possible, possible]
    table = table_of(**{measure: [0.0, 100.0, 30.0, 60.0], f"{measure}_weight": weights})
    assert rows_of(table, measure, 1) == {"worst": (3,), "best": (2,)}
    table[f"{measure}_weight"] = 0.5
    assert extremes(table, 2, SIDE) == []


def test_only_measures_that_point_to_failures_are_drawn() -> None:
    values = [1.0, 2.0]
    table = table_of(auc=values, psnr=values, feature_distance=values, colorfulness=values)
    found = [(extreme.measure, extreme.end) for extreme in extremes(table, 1, SIDE)]
    assert found == [
        ("auc", "worst"),
        ("auc", "best"),
        ("feature_distance", "worst"),
        ("feature_distance", "best"),
    ]
    assert Extreme("auc", "worst", (0,)).sheet == "failures/auc-worst.jpg"


def reddish(lightness: Tensor) -> Tensor:
    return torch.tensor([30.0, 10.0])[None, :, None, None].expand(-1, -1, *lightness.shape[-2:])


@pytest.fixture
def drawn(test_set: LabSet, tmp_path: Path) -> Path:
    table = test_set.index[["id", "group", "label"]].assign(
        auc=np.arange(70.0), stray_color=np.arange(70.0) / 3
    )

    def predict(lightness: Tensor) -> Tensor:
        return reddish(lightness).expand(len(lightness), -1, -1, -1)

    draw_failures(predict, test_set, table, 4, tmp_path / "unet")
    return tmp_path / "unet/details"


def test_a_sheet_shows_gray_the_model_and_the_truth(test_set: LabSet, drawn: Path) -> None:
    with Image.open(drawn / "failures/auc-worst.jpg") as picture:
        shown = np.asarray(picture.convert("RGB")).astype(int)
    # The tiles are 16 pixels wide, 4 apart, each row below a line of 18 for its name.
    assert shown.shape == (4 + 3 * (SIDE + 4 + 18), 4 + 4 * (SIDE + 4), 3)
    lab = decode_lab(torch.from_numpy(test_set.take(np.array([0, 2, 4, 6]))))
    colors = (torch.zeros_like(lab[:, 1:]), reddish(lab).expand(4, -1, -1, -1), lab[:, 1:])
    for row, ab in enumerate(colors):
        expected = lab_to_rgb8(torch.cat((lab[:, :1], ab), 1)).movedim(1, -1).numpy()
        top = 4 + 18 + row * (SIDE + 4 + 18)
        for column in range(4):
            left = 4 + column * (SIDE + 4)
            tile = shown[top : top + SIDE, left : left + SIDE]
            # JPEG and its halved colors move single pixels, not the tile.
            assert np.abs(tile.mean((0, 1)) - expected[column].mean((0, 1))).max() < 9


def test_failures_are_listed_in_the_order_of_the_sheet(test_set: LabSet, drawn: Path) -> None:
    listed = json.loads((drawn / "failures.json").read_text())
    assert [(entry["measure"], entry["end"]) for entry in listed] == [
        ("auc", "worst"),
        ("auc", "best"),
        ("stray_color", "worst"),
        ("stray_color", "best"),
    ]
    assert listed[2]["sheet"] == "failures/stray_color-worst.jpg"
    photographs = listed[2]["photographs"]
    assert [one["row"] for one in photographs] == [69, 67, 65, 63]
    assert photographs[1] == {
        "id": "test/67.png",
        "group": "test33",
        "label": "cat",
        "row": 67,
        "value": 22.333333,
    }
    assert {path.name for path in (drawn / "failures").iterdir()} == {
        Path(entry["sheet"]).name for entry in listed
    }


def test_photographs_of_which_only_some_have_labels_are_listed(
    test_set: LabSet, tmp_path: Path
) -> None:
    table = table_of(auc=[1.0, 2.0, 3.0, 4.0])
    table["label"] = ["cat", None, "cat", None]
    table.to_parquet(tmp_path / "table.parquet")
    back = pd.read_parquet(tmp_path / "table.parquet")
    draw_failures(
        lambda lightness: torch.zeros_like(lightness).expand(-1, 2, -1, -1),
        test_set,
        back,
        2,
        tmp_path / "unet",
    )
    listed = json.loads((tmp_path / "unet/details/failures.json").read_text())
    assert [one["label"] for entry in listed for one in entry["photographs"]] == [
        "cat",
        "cat",
        None,
        None,
    ]


def test_where_all_are_alike_there_is_no_worst() -> None:
    table = table_of(auc=[1.0, 2.0, 3.0], stray_color=[0.0, 0.0, 0.0])
    assert rows_of(table, "stray_color", 2) == {}
    assert rows_of(table, "auc", 2) == {"worst": (0, 2), "best": (2, 1)}
