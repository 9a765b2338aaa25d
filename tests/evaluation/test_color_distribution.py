"""Distributions of colors: their overlap, and what is kept of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from photochrom.color.bins import gamut313
from photochrom.color.lab import decode_lab
from photochrom.data.shards import LabSet
from photochrom.evaluation.distribution import Distribution, bin_counts
from photochrom.evaluation.metrics import Comparison


def test_bins_are_counted_photograph_by_photograph() -> None:
    nearest = torch.tensor([[[0, 2], [2, 2]], [[1, 1], [0, 3]]])
    assert bin_counts(nearest, 4).tolist() == [[1, 0, 3, 0], [1, 2, 0, 1]]


def looked_at(test: LabSet, change: float, turned: bool = False) -> Distribution:
    """Take in the test photographs in two parts, the outputs moved, or lying elsewhere."""
    found = Distribution(test)
    for rows in np.split(np.arange(len(test)), [30]):
        lab = decode_lab(torch.from_numpy(test.take(rows)))
        truth = lab[:, 1:]
        predicted = truth.flip(-1) if turned else truth + change
        found.measure(Comparison(lab[:, :1], truth, predicted), rows)
    return found


def test_the_place_of_a_color_does_not_matter(test_set: LabSet) -> None:
    lab = decode_lab(torch.from_numpy(test_set.take(np.arange(5))))
    pair = Comparison(lab[:, :1], lab[:, 1:], lab[:, 1:].flip(-1))
    found: Tensor = Distribution(test_set).measure(pair, np.arange(5))["palette_overlap"]
    assert found.tolist() == pytest.approx([100.0] * 5)
    values, intervals = looked_at(test_set, 0.0, turned=True).summarise(200, 0)
    assert values["color_overlap"] == pytest.approx(100.0)
    assert intervals["color_overlap"] == pytest.approx((100.0, 100.0))


def test_all_photographs_together_may_share_what_none_does(test_set: LabSet) -> None:
    lab = decode_lab(torch.from_numpy(test_set.take(np.arange(2))))
    truth = torch.zeros_like(lab[:, 1:])
    truth[0] = 40.0
    recorder = Distribution(test_set)
    recorder._group = test_set.index["group"].head(2)
    found = recorder.measure(Comparison(lab[:, :1], truth, truth.flip(0)), np.arange(2))
    assert found["palette_overlap"].tolist() == pytest.approx([0.0, 0.0], abs=1e-4)
    assert recorder.summarise(100, 0)[0]["color_overlap"] == pytest.approx(100.0)


def test_moved_colors_overlap_less(test_set: LabSet) -> None:
    values, intervals = looked_at(test_set, 12.0).summarise(200, 0)
    assert 0 < values["color_overlap"] < 90
    low, high = intervals["color_overlap"]
    assert 0 < low < values["color_overlap"] < high <= 100


def test_what_is_kept_of_the_outputs(test_set: LabSet, tmp_path: Path) -> None:
    looked_at(test_set, 3.4).save(tmp_path)
    with np.load(tmp_path / "distribution.npz") as kept:
        bins, histogram = kept["bins"], kept["histogram"]
    stored = test_set.take(np.arange(len(test_set)))[:, 1:].astype(int)
    assert (bins.dtype, histogram.dtype) == (np.uint32, np.int64)
    assert (bins.sum(1) == stored[0, 0].size).all()
    # Rounded to the lattice, 3.4 is 3.
    expected = np.zeros((256, 256), dtype=np.int64)
    np.add.at(expected, (stored[:, 0] + 3, stored[:, 1] + 3), 1)
    np.testing.assert_array_equal(histogram, expected)
    seventh = torch.from_numpy(stored[7]).movedim(0, -1).float() - 125.0
    nearest = gamut313().nearest(seventh).unique(return_counts=True)
    assert set(bins[7][bins[7] > 0]) == set(nearest[1].tolist())
