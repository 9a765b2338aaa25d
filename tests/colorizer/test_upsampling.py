"""Colors at full size: without seams, bicubic, and by the photograph's edges where it is asked."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from photochrom.colorizer import upsampling
from photochrom.colorizer.upsampling import FLAT, slopes, strips

sides = st.integers(1, 60)


def enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    rows, parts = zip(*strips(maps, size), strict=True)
    ends = [(one.start, one.stop) for one in rows]
    assert [start for start, _ in ends] == [0, *(stop for _, stop in ends[:-1])]
    return torch.cat(parts, dim=1)


def noise(channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(channels, height, width, generator=generator) * 40.0


@settings(max_examples=60)
@given(sides, sides, sides, sides, st.integers(1, 400))
def test_strips_join_without_a_seam(h: int, w: int, height: int, width: int, strip: int) -> None:
    maps = noise(2, h, w)
    whole = enlarged(maps, (height, width))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upsampling, "STRIP", strip)
        torch.testing.assert_close(enlarged(maps, (height, width)), whole, atol=2e-3, rtol=0)


def test_a_large_photograph_is_the_same_in_strips_and_whole() -> None:
    maps = noise(2, 64, 96)
    expected = [Image.fromarray(one.numpy()).resize((1500, 1000), 3) for one in maps]
    found = enlarged(maps, (1000, 1500))
    torch.testing.assert_close(found, torch.from_numpy(np.stack(expected)), atol=2e-3, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (9, 400), (300, 7), (64, 96)])
def test_an_even_color_stays_even(size: tuple[int, int]) -> None:
    even = torch.tensor([12.5, -30.0])[:, None, None]
    found = enlarged(even.expand(2, 16, 24).contiguous(), size)
    torch.testing.assert_close(found, even.expand(2, *size), atol=1e-4, rtol=0)


def test_maps_of_the_size_that_is_wanted_are_not_changed() -> None:
    maps = noise(3, 20, 31)
    torch.testing.assert_close(enlarged(maps, (20, 31)), maps)


def test_a_slope_stays_straight() -> None:
    """Keys' bicubic reproduces a line but at the borders, where it has no neighbours."""
    line = torch.arange(20.0).expand(1, 4, 20).contiguous()
    found = enlarged(line, (4, 200))[0, 0]
    expected = (torch.arange(200) + 0.5) / 10 - 0.5
    torch.testing.assert_close(found[25:-25], expected[25:-25], atol=1e-4, rtol=0)


def test_a_color_that_follows_lightness_has_its_slope() -> None:
    """Two halves of L 20 and 80: at their border var(L) is 800 in 3 x 3 pixels."""
    lightness = torch.full((9, 12), 20.0)
    lightness[:, 6:] = 80.0
    ab = torch.stack((0.5 * lightness, -0.25 * lightness))
    found = slopes(ab, lightness)
    edge = 800.0 / (800.0 + FLAT)
    # The mean over three columns, of which two touch the border.
    expected = torch.tensor([0.5, -0.25]) * edge * 2 / 3
    torch.testing.assert_close(found[:, 4, 5], expected)
    torch.testing.assert_close(found[:, 4, 0], torch.zeros(2))


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (30, 1), (2, 2)])
def test_slopes_of_the_smallest_photographs(size: tuple[int, int]) -> None:
    found = slopes(noise(2, *size), noise(1, *size)[0])
    assert found.shape == (2, *size)
    assert found.isfinite().all()


def test_even_lightness_has_no_slope() -> None:
    assert slopes(noise(2, 8, 8), torch.full((8, 8), 63.0)).abs().max() < 1e-2
