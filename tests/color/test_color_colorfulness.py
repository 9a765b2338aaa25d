"""Colorfulness: the published vectors, what it must not depend on, and an independent formula."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from photochrom.color.colorfulness import (
    absolute_colorfulness,
    both_colorfulnesses,
    colorfulness,
    lab_colorfulness,
)

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def stripes(*colors) -> torch.Tensor:
    """Return a picture (3, 8, n) with one column for each color."""
    return torch.tensor(colors, dtype=torch.uint8).T[:, None].expand(3, 8, len(colors))


pictures = arrays(np.uint8, (3, 5, 4), elements=st.integers(0, 255))


def reference(rgb: np.ndarray, absolute: bool) -> float:
    """Compute the formula in double precision, pixel by pixel."""
    red, green, blue = rgb.astype(np.float64)
    rg, yb = red - green, 0.5 * (red + green) - blue
    if absolute:
        rg, yb = np.abs(rg), np.abs(yb)
    spread = np.sqrt(np.std(rg) ** 2 + np.std(yb) ** 2)
    return float(spread + 0.3 * np.sqrt(np.mean(rg) ** 2 + np.mean(yb) ** 2))


@pytest.mark.parametrize(
    ("picture", "signed", "absolute"),
    [
        (stripes(RED), 85.53, 85.53),
        (stripes(BLUE), 76.5, 76.5),
        (stripes(RED, GREEN), 293.25, 85.53),
        (stripes((0, 0, 0), (90, 90, 90), (255, 255, 255)), 0, 0),
    ],
    ids=["red", "blue", "half red, half green", "gray"],
)
def test_published_vectors(picture, signed, absolute):
    assert float(colorfulness(picture)) == pytest.approx(signed, abs=0.01)
    assert float(absolute_colorfulness(picture)) == pytest.approx(absolute, abs=0.01)


@given(pictures)
def test_both_variants_follow_the_formula(rgb):
    picture = torch.from_numpy(rgb)
    signed, absolute = reference(rgb, False), reference(rgb, True)
    assert float(colorfulness(picture)) == pytest.approx(signed, abs=1e-2)
    assert float(absolute_colorfulness(picture)) == pytest.approx(absolute, abs=1e-2)
    assert both_colorfulnesses(rgb.astype(np.int16)) == pytest.approx((signed, absolute), abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (1, 63), (257, 1031), (480, 640)])
def test_the_fast_way_is_exact_for_pictures_of_every_size(shape):
    """Also where the pixels fill no whole block, and where they take several passes."""
    rgb = np.random.default_rng(3).integers(0, 256, (3, *shape), dtype=np.uint8)
    rgb[:, : shape[0] // 2] = np.array([[[255]], [[0]], [[255]]])
    signed, absolute = both_colorfulnesses(rgb.astype(np.int16))
    assert (signed, absolute) == pytest.approx((reference(rgb, False), reference(rgb, True)))
    picture = torch.from_numpy(rgb)
    assert signed == pytest.approx(float(colorfulness(picture)), abs=1e-3)
    assert absolute == pytest.approx(float(absolute_colorfulness(picture)), abs=1e-3)


@pytest.mark.parametrize("color", [RED, GREEN, BLUE, (255, 255, 0), (7, 7, 7)])
def test_the_fast_way_sums_up_the_largest_values_exactly(color):
    flat = np.empty((3, 700, 700), np.int16)
    flat[:] = np.array(color)[:, None, None]
    red, green, blue = color
    mean = 0.3 * np.hypot(red - green, (red + green) / 2 - blue)
    assert both_colorfulnesses(flat) == (pytest.approx(mean, rel=1e-12),) * 2


@given(arrays(np.float32, (2, 2, 5, 4), elements=st.floats(-110, 110, width=32)))
def test_that_of_ab_follows_its_formula(ab):
    for picture, found in zip(
        ab.astype(np.float64), lab_colorfulness(torch.from_numpy(ab)), strict=True
    ):
        a, b = picture
        center = 0.37 * np.hypot(a.mean(), b.mean())
        assert float(found) == pytest.approx(np.hypot(a.std(), b.std()) + center, abs=1e-3)


def test_that_of_ab_is_the_same_for_all_hues():
    turned = torch.linspace(0, 2 * torch.pi, 13)[:-1, None]
    size = torch.tensor([[0.0, 20.0, 50.0]])
    ab = torch.stack((turned.cos() * size, turned.sin() * size), dim=1)[:, :, None]
    found = lab_colorfulness(ab)
    torch.testing.assert_close(found, found[:1].expand(12))


@given(pictures, st.randoms(use_true_random=False))
def test_colorfulness_does_not_depend_on_where_the_pixels_are(rgb, random):
    order = list(range(20))
    random.shuffle(order)
    shuffled = rgb.reshape(3, -1)[:, order].reshape(rgb.shape)
    for measure in (colorfulness, absolute_colorfulness):
        assert float(measure(torch.from_numpy(shuffled))) == pytest.approx(
            float(measure(torch.from_numpy(rgb))), abs=1e-2
        )


@given(arrays(np.uint8, (3, 4, 4), elements=st.integers(0, 200)), st.integers(0, 55))
def test_colorfulness_does_not_depend_on_brightness(rgb, shift):
    brighter = torch.from_numpy(rgb + np.uint8(shift))
    assert float(colorfulness(brighter)) == pytest.approx(
        float(colorfulness(torch.from_numpy(rgb))), abs=1e-2
    )


def test_eight_bit_differences_do_not_wrap_around():
    """In uint8, G - R of a red picture would be 1 and not -255."""
    red = stripes(RED)
    assert float(colorfulness(red)) == float(colorfulness(red.float()))
    assert float(colorfulness(stripes(GREEN))) > 80


def test_a_batch_is_measured_one_by_one():
    """The mean over a batch would let a colorful picture hide a gray one."""
    rgb = torch.randint(256, (2, 3, 3, 6, 7), generator=torch.Generator().manual_seed(1))
    for measure in (colorfulness, absolute_colorfulness):
        batch = measure(rgb)
        assert batch.shape == (2, 3)
        assert batch.dtype == torch.float32
        assert float(batch[1, 2]) == pytest.approx(float(measure(rgb[1, 2])), rel=1e-5)
