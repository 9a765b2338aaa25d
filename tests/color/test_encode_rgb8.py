"""The quick way to stored Lab gives what the definition gives."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from photochrom.color import lab
from photochrom.color.lab import encode_lab, encode_rgb8, rgb_to_lab


def defined(rgb: np.ndarray, kind: torch.dtype = torch.float64) -> np.ndarray:
    return encode_lab(rgb_to_lab(torch.from_numpy(rgb).movedim(-1, 1).to(kind) / 255)).numpy()


def every(step: int) -> np.ndarray:
    """Return every so manieth of the 2^24 colors, as squares of 32 pixels."""
    codes = np.arange(0, 2**24, step)
    codes = codes[: len(codes) // 1024 * 1024]
    colors = np.stack((codes >> 16, codes >> 8 & 255, codes & 255), -1).astype(np.uint8)
    return colors.reshape(-1, 32, 32, 3)


def test_it_is_the_definition_in_float64():
    np.testing.assert_array_equal(encode_rgb8(every(61)), defined(every(61)))


def test_the_dark_and_the_gray_are_too():
    """Where the cube root gives way to a line, and where a and b must be exactly 128."""
    dark = np.stack(np.meshgrid(*[np.arange(16, dtype=np.uint8)] * 3), -1).reshape(4, 32, 32, 3)
    np.testing.assert_array_equal(encode_rgb8(dark), defined(dark))
    gray = np.repeat(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), 3, -1)
    found = encode_rgb8(gray)
    assert (found[:, 1:] == 128).all()
    assert (found[0, 0, 0, 0], found[0, 0, -1, -1]) == (0, 255)


def test_in_float32_few_values_are_others_and_by_one_level():
    apart = np.abs(encode_rgb8(every(61)).astype(int) - defined(every(61), torch.float32))
    assert apart.max() == 1
    assert 0 < apart.mean() < 1e-4


def test_no_color_comes_near_the_middle_of_two_levels():
    """What makes the bytes the same on machines whose cube roots differ in the last digits."""
    levels = rgb_to_lab(torch.from_numpy(every(61)).movedim(-1, 1).double() / 255)
    levels = torch.cat((levels[:, :1] / lab.L_STEP, levels[:, 1:] + lab.AB_OFFSET), 1)
    assert float((levels - levels.floor() - 0.5).abs().min()) > 5e-9


@pytest.fixture
def doubting(monkeypatch):
    """Convert the colors with another share of the doubt."""

    def convert(share: float) -> np.ndarray:
        monkeypatch.setattr(lab, "DOUBT", share * lab.DOUBT)
        lab._single_tables.cache_clear()
        return encode_rgb8(every(61))

    yield convert
    lab._single_tables.cache_clear()


def test_float32_errs_by_less_than_half_of_what_is_doubted(doubting):
    np.testing.assert_array_equal(doubting(0.5), defined(every(61)))


def test_without_any_doubt_it_would_not_be_the_definition(doubting):
    assert 0 < (doubting(0.0) != defined(every(61))).mean() < 1e-4


def test_few_pixels_are_converted_twice(monkeypatch):
    doubted, in_double = [], lab._in_double
    monkeypatch.setattr(lab, "_in_double", lambda rgb: doubted.append(len(rgb)) or in_double(rgb))
    encode_rgb8(every(61))
    assert 0 < sum(doubted) < 0.01 * every(61)[..., 0].size


@given(
    st.integers(0, 6), st.integers(1, 12), st.integers(1, 12), st.sampled_from([1, 7, 50, 10**4])
)
def test_squares_and_oblongs_of_all_sizes_keep_their_places(count, height, width, at_a_time):
    rgb = np.random.default_rng(count).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lab, "CACHED_PIXELS", at_a_time)
        found = encode_rgb8(rgb)
    assert found.shape == (count, 3, height, width)
    np.testing.assert_array_equal(found, defined(rgb))
