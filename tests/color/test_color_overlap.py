"""How much two distributions of colors share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from photochrom.color.bins import gamut313
from photochrom.color.overlap import overlap, overlap_side_by_side

BINS = len(gamut313())
COUNTS = arrays.arrays(np.int64, (2, 3, BINS), elements=st.integers(0, 1000), fill=st.just(0))
NOT_EMPTY = COUNTS.filter(lambda both: bool(both.sum(-1).all()))


def at(*colors: tuple[float, float]) -> np.ndarray:
    """Return counts (1, 313) of one pixel in the bin of each color."""
    counts = np.zeros((1, BINS))
    for color in colors:
        distance = np.abs(gamut313().centers.numpy() - color).sum(1)
        assert distance.min() == 0
        counts[0, distance.argmin()] += 1
    return counts


def test_far_colors_share_nothing_and_equal_ones_all() -> None:
    assert overlap(at((0, 0)), at((0, 80)))[0] == pytest.approx(0.0, abs=1e-9)
    assert overlap(at((0, 0)), 7 * at((0, 0)))[0] == pytest.approx(100.0)
    half = overlap(at((0, 0)), at((0, 0), (0, 80)))[0]
    assert half == pytest.approx(50.0)


def test_neighbouring_bins_share_what_their_blurs_do() -> None:
    """Two Gaussians of sigma 5 on the grid of 10, 10 apart: the sum of the lesser weights."""
    steps = 10.0 * np.arange(-12, 13)
    line = np.exp(-(steps**2) / 50)
    shared = np.minimum(line / line.sum(), np.roll(line, 1) / line.sum()).sum()
    # Along the other axis both are the same Gaussian, which changes nothing.
    assert overlap(at((0, 0)), at((0, 10)))[0] == pytest.approx(100 * shared, rel=1e-3)


@given(NOT_EMPTY)
def test_it_is_symmetrical_and_never_less_than_bin_by_bin(both: np.ndarray) -> None:
    shares = both / both.sum(-1, keepdims=True)
    plain = 100 * np.minimum(*shares).sum(-1)
    found = overlap(*both)
    np.testing.assert_allclose(found, overlap(both[1], both[0]))
    assert (found >= plain - 1e-9).all()
    assert (found <= 100 + 1e-9).all()
    np.testing.assert_allclose(overlap_side_by_side(np.concatenate(both, axis=1)), found)
