"""Composition: the luminance of every pixel is kept, its color as near as the gamut allows."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from colorizer_kit import LUMINANCE, gray_level
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import lab2rgb, rgb2lab
from torch import Tensor

from photochrom.colorizer import upsampling
from photochrom.colorizer.composition import compose

DEPTHS = [np.uint8, np.uint16]


def flat(a: float, b: float) -> Tensor:
    return torch.tensor([a, b], dtype=torch.float32)[:, None, None]


def lattice(step: int = 8) -> Tensor:
    """Return ab from -128 to 127 as (2, 1, n)."""
    axis = torch.arange(-128.0, 128.0, step)
    return torch.cartesian_prod(axis, axis).T[:, None].contiguous()


def linear(pixels: np.ndarray) -> np.ndarray:
    values = pixels / np.iinfo(pixels.dtype).max
    return np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)


def test_luminance_is_kept_for_every_gray_and_every_color() -> None:
    ab = lattice()
    gray = np.repeat(np.arange(256, dtype=np.uint8)[:, None], ab.shape[-1], axis=1)
    colored = compose(gray, ab.expand(2, 256, -1).contiguous())
    assert np.abs(gray_level(colored) - gray).max() <= 0.5


def test_luminance_is_kept_at_sixteen_bits() -> None:
    gray = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for a, b in [(0, 0), (60, 40), (-70, 60), (20, -100), (90, -80), (-30, -20), (3, -4)]:
        assert np.abs(gray_level(compose(gray, flat(a, b))) - gray).max() <= 0.52


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 3.0, 30.0, 128.0, 1e4, 1e8]),
    st.sampled_from(DEPTHS),
    st.sampled_from([(), (3,)]),
    st.booleans(),
)
def test_luminance_is_kept_whatever_is_predicted(
    seed: int, strength: float, depth: type, channels: tuple[int, ...], guided: bool
) -> None:
    rng = np.random.default_rng(seed)
    top = np.iinfo(depth).max
    pixels = rng.integers(0, top + 1, (24, 31, *channels)).astype(depth)
    pixels[:4], pixels[4:8] = 0, top
    ab = torch.from_numpy(rng.normal(0, strength, (2, 5, 7)).astype(np.float32))
    guide = torch.from_numpy(rng.uniform(0, 100, (5, 7)).astype(np.float32)) if guided else None
    colored = compose(pixels, ab, guide)
    assert (colored.dtype, colored.shape) == (depth, (24, 31, 3))
    assert np.abs(gray_level(colored) - gray_level(pixels)).max() <= 0.52


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("guided", [False, True])
def test_gray_without_color_does_not_change(depth: type, guided: bool) -> None:
    gray = np.arange(np.iinfo(depth).max + 1).astype(depth).reshape(16, -1)
    guide = torch.linspace(0, 100, 32).reshape(4, 8) if guided else None
    colored = compose(gray, torch.zeros(2, 4, 8), guide)
    np.testing.assert_array_equal(colored, np.repeat(gray[..., None], 3, axis=-1))
    np.testing.assert_array_equal(compose(colored, torch.zeros(2, 4, 8), guide), colored)


@pytest.mark.parametrize("depth", DEPTHS)
def test_black_and_white_have_no_room_for_color(depth: type) -> None:
    ends = np.array([[0, np.iinfo(depth).max]], dtype=depth)
    for a, b in [(100, 100), (-100, 100), (100, -100), (-100, -100), (0.01, 0)]:
        np.testing.assert_array_equal(compose(ends, flat(a, b)), np.stack([ends] * 3, axis=-1))


@pytest.mark.parametrize("color", [(200, 60, 40), (20, 90, 200), (240, 220, 30), (128, 128, 128)])
def test_a_color_of_the_gamut_is_met(color: tuple[int, int, int]) -> None:
    """A photograph's own colors, given to its own luminance, give it back."""
    pixels = (np.array([[color]]) * 257).astype(np.uint16)
    lab = rgb2lab(np.array([[color]]) / 255.0)[0, 0]
    given = compose(pixels, flat(lab[1], lab[2]))
    assert np.abs(given.astype(int) - pixels).max() <= 32
    gray = np.round(gray_level(pixels)).astype(np.uint16)
    assert np.abs(compose(gray, flat(lab[1], lab[2])).astype(int) - pixels).max() <= 32


@pytest.mark.parametrize(("a", "b"), [(20, 10), (-25, 30), (5, -20)])
def test_colors_are_those_of_lab(a: float, b: float) -> None:
    gray = np.linspace(20000, 50000, 64).astype(np.uint16)[None]
    lightness = rgb2lab(np.repeat(gray[..., None] / 65535.0, 3, axis=-1))[..., :1]
    wanted = np.concatenate((lightness, np.full_like(lightness, a), np.full_like(lightness, b)), -1)
    np.testing.assert_allclose(compose(gray, flat(a, b)) / 65535.0, lab2rgb(wanted), atol=2e-4)


def test_out_of_the_gamut_only_saturation_is_lost() -> None:
    gray = np.full((1, 1024), 30000, dtype=np.uint16)
    ab = lattice()
    colored = compose(gray, ab)
    light = linear(gray[0, 0])
    chroma = linear(colored[0]) - light
    wanted = unclipped(light, ab[:, 0].double().numpy())
    outside = ((wanted < -0.01) | (wanted > 1.01)).any(-1)
    assert 300 < outside.sum() < 1000
    # Green makes up for the rounding of the others, which near black is some of its levels.
    touches = (colored[0].min(-1) <= 8) | (colored[0].max(-1) >= 65534)
    assert touches[outside].all()
    # It is the direction of the color that was wanted: no channel was clipped by itself.
    direction = (wanted - light) / np.linalg.norm(wanted - light, axis=-1, keepdims=True)
    length = np.linalg.norm(chroma, axis=-1, keepdims=True)
    np.testing.assert_allclose(chroma[outside], (length * direction)[outside], atol=1e-4)


def unclipped(light: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """Return linear RGB (n, 3) of ab (2, n) at a luminance, by the inverse of sRGB's matrix."""
    f = np.cbrt(light)
    rows = np.stack((f + ab[0] / 500, np.full_like(ab[0], f), f - ab[1] / 200))
    xyz = np.where(rows > 0.2068966, rows**3, (rows - 16 / 116) / 7.787)
    matrix = np.array([[0.412453, 0.357580, 0.180423], LUMINANCE, [0.019334, 0.119193, 0.950227]])
    return (np.linalg.inv(matrix / matrix.sum(1, keepdims=True)) @ xyz).T


@pytest.mark.parametrize("depth", DEPTHS)
def test_strips_do_not_show(depth: type, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, np.iinfo(depth).max, (90, 70)).astype(depth)
    ab = torch.from_numpy(rng.normal(0, 30, (2, 9, 7)).astype(np.float32))
    whole = compose(pixels, ab)
    monkeypatch.setattr(upsampling, "STRIP", 100)
    difference = np.abs(compose(pixels, ab).astype(int) - whole)
    assert difference.max() <= (1 if depth is np.uint8 else 16)


def test_edges_guide_colors() -> None:
    """Red left of an edge and blue right of it: with a guide, the border of colors is as sharp."""
    gray = np.full((64, 256), 90, dtype=np.uint8)
    gray[:, 128:] = 190
    small = torch.full((16, 64), 38.0)
    small[:, 32:] = 77.0
    ab = torch.stack((torch.where(small < 50, 30.0, -5.0), torch.where(small < 50, 10.0, -30.0)))
    averaged = torch.nn.functional.avg_pool2d(ab, 4).contiguous()
    guide = torch.nn.functional.avg_pool2d(small[None], 4)[0]
    shifted = np.roll(gray, 6, axis=1)[:, 6:]
    plain, guided = (rgb2lab(compose(shifted, averaged, one))[32, :, 1] for one in (None, guide))
    wanted = np.where(shifted[32] < 128, 30.0, -5.0)
    assert np.abs(guided - wanted).mean() < 0.8 * np.abs(plain - wanted).mean()


def test_memory_is_bounded() -> None:
    """Thirty megapixels of gray need the 90 MB of the colored ones, and no second such copy."""
    code = """
import resource, numpy as np, torch
from photochrom.colorizer.composition import compose
torch.set_num_threads(1)
ab = torch.randn(2, 64, 80)
compose(np.full((500, 500), 7, dtype=np.uint8), ab)
gray = np.full((5000, 6000), 99, dtype=np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
compose(gray, ab)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert float(done.stdout) < 160.0
