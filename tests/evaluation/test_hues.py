"""Hues: the names of known colors, and the sums over their pixels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import CSS4_COLORS, to_rgb

from photochrom.color.hues import HUES, NAMES, hue_indices
from photochrom.color.lab import decode_lab, rgb_to_lab
from photochrom.data.shards import LabSet
from photochrom.evaluation.hues import Hues
from photochrom.evaluation.metrics import Comparison


def hue(a: float, b: float) -> str:
    return NAMES[int(hue_indices(torch.tensor([[a, b]]))[0])]


def of_css(name: str) -> str:
    rgb = torch.tensor(to_rgb(CSS4_COLORS[name]))[:, None, None]
    a, b = rgb_to_lab(rgb)[1:, 0, 0].tolist()
    return hue(a, b)


NAMED = {
    "pink": "pink lightpink hotpink deeppink palevioletred mediumvioletred",
    "red": "red darkred indianred crimson tomato firebrick orangered",
    "orange": "orange darkorange chocolate sandybrown peru saddlebrown",
    "yellow": "yellow lightyellow gold khaki goldenrod olive",
    "green": "green lime darkgreen forestgreen palegreen seagreen springgreen yellowgreen",
    "cyan": "cyan darkcyan teal turquoise lightcyan cadetblue",
    "blue": "blue navy skyblue lightblue steelblue royalblue deepskyblue midnightblue",
    "purple": "purple rebeccapurple indigo violet orchid magenta darkviolet",
}


@pytest.mark.parametrize("expected", NAMED)
def test_colors_are_called_as_css_calls_them(expected: str) -> None:
    assert {of_css(name) for name in NAMED[expected].split()} == {expected}


@pytest.mark.parametrize("name", ["gray", "white", "black", "silver", "dimgray", "snow"])
def test_what_has_hardly_any_chroma_is_gray(name: str) -> None:
    assert of_css(name) == "gray"
    assert hue(7.0, 7.0) == "gray"
    assert hue(6.0, 8.0) != "gray"


@given(st.floats(0, 359.99), st.floats(11, 100))
def test_a_hue_begins_at_its_angle(angle: float, chroma: float) -> None:
    radians = np.deg2rad(angle)
    found = hue(chroma * np.cos(radians), chroma * np.sin(radians))
    since = {name: (angle - start) % 360 for name, start in HUES.items()}
    near = min(min(value, 360 - value) for value in since.values())
    assert near < 1e-3 or found == min(since, key=lambda name: since[name])


@pytest.fixture
def table(test_set: LabSet) -> pd.DataFrame:
    hues = Hues(test_set)
    for rows in np.split(np.arange(len(test_set)), [40]):
        lab = decode_lab(torch.from_numpy(test_set.take(rows)))
        hues.measure(Comparison(lab[:, :1], lab[:, 1:], lab[:, 1:] / 2), rows)
    return hues.table()


def test_sums_are_those_over_the_pixels_of_a_hue(test_set: LabSet, table: pd.DataFrame) -> None:
    row = 50
    stored = test_set.take(np.array([row]))[0, 1:].reshape(2, -1)
    ab = stored.astype(float) - 128
    names = np.array([hue(*color) for color in ab.T])
    chroma = np.hypot(*ab)
    score = 100 * (151 - np.ceil(chroma / 2)) / 151
    found = table[table["id"] == test_set.index["id"][row]].set_index("hue")
    assert set(found.index) == set(names)
    assert (found["group"] == test_set.index["group"][row]).all()
    for name, sums in found.iterrows():
        mine = names == name
        assert sums["pixels"] == mine.sum()
        assert sums["true_chroma"] == pytest.approx(chroma[mine].sum(), rel=1e-6)
        assert sums["chroma"] == pytest.approx(chroma[mine].sum() / 2, rel=1e-6)
        assert sums["auc"] == pytest.approx(score[mine].sum(), rel=1e-6)


def test_every_pixel_has_one_hue(test_set: LabSet, table: pd.DataFrame, tmp_path: Path) -> None:
    assert (table["pixels"] > 0).all()
    counted = table.groupby("id")["pixels"].sum()
    assert len(counted) == len(test_set)
    assert (counted == test_set.size**2).all()
    assert not table.duplicated(["id", "hue"]).any()
    columns = ["id", "group", "hue", "pixels", "auc", "chroma", "true_chroma"]
    assert table.columns.tolist() == columns
