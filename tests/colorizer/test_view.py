"""What the network is shown: the whole photograph, averaged, whatever its size."""

import numpy as np
import pytest
import torch
from colorizer_kit import picture
from PIL import Image
from skimage.color import rgb2lab
from torch import Tensor

from photochrom.colorizer import view
from photochrom.colorizer.prediction import LONGEST
from photochrom.colorizer.view import lightness
from photochrom.pictures.photograph import Photograph


def noise(*shape: int, depth: type = np.uint8) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, np.iinfo(depth).max + 1, shape)
    return values.astype(depth)


def of_gray(level: float) -> float:
    return float(rgb2lab(np.full((1, 1, 3), level))[0, 0, 0])


def shown(pixels: np.ndarray, side: int = 16, alpha: np.ndarray | None = None) -> Tensor:
    return lightness(Photograph(pixels, alpha), side)


def test_a_small_photograph_is_shown_as_it_is() -> None:
    pixels = noise(40, 50, 3)
    expected = rgb2lab(pixels / 255.0)[..., 0]
    torch.testing.assert_close(
        shown(pixels)[0, 0].double(), torch.from_numpy(expected), atol=1e-3, rtol=0
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((128, 192), (64, 96)),
        ((129, 192), (64, 96)),
        ((191, 200), (96, 100)),
        ((600, 400), (100, 67)),
        ((2000, 140), (667, 47)),
    ],
)
def test_a_large_photograph_is_reduced_by_a_whole_factor(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    seen = shown(noise(*size))
    assert seen.dtype == torch.float32
    assert seen.shape == (1, 1, *expected)


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 3), (2, 40_000), (1, 1), (3, 7)])
def test_a_strip_is_reduced_by_its_longer_side(size: tuple[int, int]) -> None:
    seen = shown(noise(*size))
    assert max(seen.shape[-2:]) <= 8 * LONGEST * 16
    assert seen.isfinite().all()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("with_alpha", [False, True])
def test_it_is_the_same_in_strips_and_whole(
    depth: type, channels: tuple[int, ...], with_alpha: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = noise(200, 170, *channels, depth=depth)
    alpha = noise(200, 170) if with_alpha else None
    whole = shown(pixels, alpha=alpha)
    monkeypatch.setattr(view, "_STRIP", 2000)
    assert torch.equal(shown(pixels, alpha=alpha), whole)


def test_what_is_transparent_lies_on_white() -> None:
    black, alpha = np.zeros((128, 128), np.uint8), np.zeros((128, 128), np.uint8)
    alpha[:, 64:] = 255
    seen = shown(black, alpha=alpha)[0, 0]
    assert seen[:, :12].min() == pytest.approx(100.0, abs=1e-2)
    assert seen[:, -12:].max() == pytest.approx(0.0, abs=1e-2)


def test_sixteen_bits_are_shown_as_eight() -> None:
    eight = noise(150, 150)
    assert torch.equal(shown(eight.astype(np.uint16) * 257), shown(eight))


@pytest.mark.parametrize("width", [1000, 1007, 1013, 1023])
def test_it_shows_the_whole_photograph_and_no_more(width: int) -> None:
    """A ramp comes out as the same ramp, also where the last cells are narrower."""
    ramp = np.linspace(40, 210, width)
    seen = shown(np.round(np.tile(ramp, (240, 1))).astype(np.uint8))[0, 0]
    columns = seen.shape[1]
    places = (np.arange(columns) + 0.5) / columns * width - 0.5
    expected = [of_gray(level) for level in np.interp(places, np.arange(width), ramp) / 255]
    found = seen.mean(0).numpy()
    assert np.abs(found - expected)[1:-1].max() < 0.35
    assert np.abs(found - expected).max() < 0.6


def test_a_photograph_and_its_enlargement_look_alike() -> None:
    small = picture(128, 192)
    large = small.resize((960, 640), Image.Resampling.BICUBIC)
    one, other = (shown(np.asarray(image), side=32) for image in (small, large))
    assert one.shape == other.shape
    assert (one - other).abs().max() < 0.6
