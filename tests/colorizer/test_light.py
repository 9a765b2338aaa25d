"""Linear light by tables: exact on the levels, and within a tenth of a level between them."""

import numpy as np
import pytest
import torch
from colorizer_kit import gray_level

from photochrom.colorizer.light import levels

DEPTHS = ["uint8", "uint16"]


def curved(linear: np.ndarray) -> np.ndarray:
    return np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_level_comes_back(depth: str) -> None:
    scale, every = levels(depth), torch.arange(np.iinfo(depth).max + 1, dtype=torch.int32)
    assert torch.equal(scale.nearest(scale.light(every)), every)


def test_light_is_that_of_the_standard() -> None:
    light = levels("uint8").light(torch.tensor([[0, 10], [128, 255]], dtype=torch.int32))
    expected = torch.tensor([[0.0, 10 / 255 / 12.92], [0.2158605, 1.0]])
    torch.testing.assert_close(light, expected)


@pytest.mark.parametrize("depth", DEPTHS)
def test_levels_are_found_within_a_tenth_of_one(depth: str) -> None:
    top = np.iinfo(depth).max
    # Denser near black, where the curve is steepest.
    linear = np.linspace(0.0, 1.0, 400_001) ** 2
    found = levels(depth).nearest(torch.from_numpy(linear).float()).numpy()
    assert np.abs(found - top * curved(linear)).max() < 0.6


@pytest.mark.parametrize("depth", DEPTHS)
def test_light_out_of_range_is_clipped(depth: str) -> None:
    found = levels(depth).nearest(torch.tensor([-1.0, -1e-9, 1.0000001, 7.0]))
    assert found.tolist() == [0, 0, np.iinfo(depth).max, np.iinfo(depth).max]


def test_the_gray_level_of_gray_is_itself() -> None:
    every = np.arange(256, dtype=np.uint8)[None]
    colors = np.repeat(every[..., None], 3, axis=-1)
    np.testing.assert_allclose(gray_level(colors), every, atol=1e-9)
