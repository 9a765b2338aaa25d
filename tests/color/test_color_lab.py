"""sRGB and Lab against scikit-image, against the published limits, and in eight bits."""

from pathlib import Path

import numpy as np
import pytest
import skimage
import skimage.color
import sklearn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from photochrom.color.batch import Batch, normalised
from photochrom.color.lab import decode_lab, encode_lab, lab_to_rgb, lab_to_rgb8, rgb_to_lab

PHOTOGRAPHS = [
    Path(skimage.__file__).parent / "data" / "astronaut.png",
    Path(skimage.__file__).parent / "data" / "chelsea.png",
    Path(skimage.__file__).parent / "data" / "coffee.png",
    Path(sklearn.__file__).parent / "datasets" / "images" / "china.jpg",
    Path(sklearn.__file__).parent / "datasets" / "images" / "flower.jpg",
]


def cube(levels: torch.Tensor) -> torch.Tensor:
    """Return every color with these levels as one picture (3, n^3, 1)."""
    return torch.cartesian_prod(levels, levels, levels).T[:, :, None]


def last(channels_first: torch.Tensor) -> np.ndarray:
    return channels_first.movedim(-3, -1).numpy()


def first(channels_last: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(channels_last).movedim(-1, -3)


def photograph(path: Path) -> torch.Tensor:
    return first(np.array(Image.open(path).convert("RGB")))


def stored_and_back(rgb8: torch.Tensor) -> torch.Tensor:
    return lab_to_rgb8(decode_lab(encode_lab(rgb_to_lab(rgb8.float() / 255))))


unit_pictures = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=5).map(lambda shape: (3, *shape)),
    elements=st.floats(0, 1),
)


@given(unit_pictures)
def test_lab_is_that_of_skimage(rgb):
    picture = torch.from_numpy(rgb)
    np.testing.assert_allclose(
        last(rgb_to_lab(picture)), skimage.color.rgb2lab(last(picture)), atol=1e-6
    )


@given(unit_pictures)
def test_rgb_is_that_of_skimage(rgb):
    lab = skimage.color.rgb2lab(last(torch.from_numpy(rgb)))
    np.testing.assert_allclose(last(lab_to_rgb(first(lab))), skimage.color.lab2rgb(lab), atol=1e-6)


@given(unit_pictures)
def test_lab_round_trip_is_exact(rgb):
    picture = torch.from_numpy(rgb)
    np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(picture)).numpy(), rgb, atol=1e-7)


def test_lab_round_trip_is_exact_in_eight_bits_where_lab_is_not_stored():
    colors = cube(torch.arange(0, 256, 5, dtype=torch.uint8))
    assert torch.equal(lab_to_rgb8(rgb_to_lab(colors.float() / 255)), colors)


def test_lab_works_on_pictures_batches_and_stacks_of_batches_alike():
    rgb = torch.rand(2, 4, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    lab = rgb_to_lab(rgb)
    assert lab.shape == rgb.shape
    assert torch.allclose(lab[1, 2], rgb_to_lab(rgb[1, 2]), atol=1e-5)
    assert torch.allclose(lab_to_rgb(lab)[1, 2], lab_to_rgb(lab[1, 2]), atol=1e-5)


def test_transfer_curve_bends_at_the_threshold_of_the_standard():
    """Below 0.04045 the curve is a line, above it a power: both hold to 1e-12 on their side."""
    values = torch.tensor([0.0, 0.02, 0.0404, 0.0405, 0.05, 0.5, 1.0], dtype=torch.float64)
    lightness = rgb_to_lab(values.expand(3, 1, -1))[0, 0]
    linear = torch.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    curved = torch.where(
        linear > 0.008856, 116 * linear.clamp(min=1e-9) ** (1 / 3) - 16, 116 * 7.787 * linear
    )
    assert torch.allclose(lightness, curved, atol=1e-9)


def test_inverse_is_right_in_the_dark_where_the_curve_is_a_line():
    dark = cube(torch.linspace(0, 0.05, 12, dtype=torch.float64))
    assert torch.allclose(lab_to_rgb(rgb_to_lab(dark)), dark, atol=1e-9)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((1, 1, 1), (100, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 1, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
    ],
)
def test_primaries_have_their_known_lab(rgb, lab):
    found = rgb_to_lab(torch.tensor(rgb, dtype=torch.float64)[:, None, None]).flatten()
    assert found.tolist() == pytest.approx(lab, abs=0.01)


def test_extremes_of_srgb_are_the_published_ones():
    """Extremes lie on the cube's edges and corners, so faces suffice."""
    lab = rgb_to_lab(cube(torch.linspace(0, 1, 52, dtype=torch.float64)))
    assert lab.amin((1, 2)).tolist() == pytest.approx([0, -86.18, -107.86], abs=0.01)
    assert lab.amax((1, 2)).tolist() == pytest.approx([100, 98.23, 94.48], abs=0.01)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_grays_have_no_color(dtype):
    grays = torch.linspace(0, 1, 256, dtype=dtype).expand(3, 1, 256)
    lab = rgb_to_lab(grays)
    assert lab[1:].abs().max() < 0.005
    assert (lab[0].diff() > 0).all()
    assert (encode_lab(lab)[1:] == 128).all()


def test_lightness_without_color_gives_grays():
    """To a level: the white's and the matrix's published digits differ in the fifth place."""
    lab = torch.stack((torch.linspace(0, 100, 256), torch.zeros(256), torch.zeros(256)))
    rgb = lab_to_rgb8(lab[:, :, None]).int()
    assert (rgb.amax(0) - rgb.amin(0)).max() <= 1


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64])
def test_eight_bit_input_is_refused_before_it_wraps_around(dtype):
    with pytest.raises(TypeError, match="divide by 255"):
        rgb_to_lab(torch.zeros(3, 2, 2, dtype=dtype))


def test_input_in_0_to_255_cannot_pass_for_lab():
    """Nobody who forgets to divide gets something that looks like Lab."""
    assert rgb_to_lab(torch.full((3, 1, 1), 128.0))[0] > 1000


finite = st.floats(-(2.0**127), 2.0**127, allow_nan=False, allow_infinity=False, width=32)


@given(arrays(np.float32, (3, 2, 2), elements=finite))
@settings(max_examples=300)
def test_no_finite_lab_gives_nan(values):
    rgb = lab_to_rgb(torch.from_numpy(values))
    assert torch.isfinite(rgb).all()
    assert rgb.min() >= 0
    assert rgb.max() <= 1


def test_lab_too_dark_and_too_light_is_black_and_white():
    lab = torch.tensor([[-50.0, -0.1, 100.5, 1e20], [0] * 4, [0] * 4])[:, :, None]
    assert lab_to_rgb8(lab)[:, :, 0].T.tolist() == [[0] * 3, [0] * 3, [255] * 3, [255] * 3]


def test_lab_outside_the_gamut_is_clipped_channel_by_channel():
    red, green, blue = lab_to_rgb8(torch.tensor([50.0, 127.0, 0.0])[:, None, None]).flatten()
    assert (red, green) == (255, 0)
    assert 0 < blue < 255


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_stay_finite_everywhere(dtype):
    """A loss on RGB must not meet the infinite slope of a power at zero or below."""
    lab = torch.tensor([[-5.0, 0.0, 0.0, 50.0, 100.0], [0, 0, 300, -300, 0], [0, 0, -300, 9, 0]])
    lab = lab[:, :, None].to(dtype).requires_grad_()
    lab_to_rgb(lab).sum().backward()
    assert torch.isfinite(lab.grad).all()
    rgb = torch.tensor([-1.0, 0.0, 1e-9, 0.04045, 1.0], dtype=dtype)
    rgb = rgb.expand(3, 1, 5).clone().requires_grad_()
    rgb_to_lab(rgb).sum().backward()
    assert torch.isfinite(rgb.grad).all()


def test_stored_lab_is_offset_and_never_wraps_as_that_of_pillow_does():
    """Pillow's own LAB mode stores a and b as signed bytes: -1 becomes 255."""
    lab = torch.tensor([[0.0, 50.0, 100.0], [-86.18, -1.0, 98.23], [-107.86, 0.0, 94.48]])
    assert encode_lab(lab[:, None]).squeeze(1).T.tolist() == [
        [0, 42, 20],
        [128, 127, 128],
        [255, 226, 222],
    ]
    beyond = torch.tensor([[-3.0, 120.0], [-200.0, 200.0], [-200.0, 200.0]])[:, None]
    assert encode_lab(beyond).squeeze(1).T.tolist() == [[0, 0, 0], [255, 255, 255]]


def test_stored_lab_is_a_fixed_point_of_decoding_and_encoding():
    stored = torch.arange(256, dtype=torch.uint8).expand(3, 1, 256)
    decoded = decode_lab(stored)
    assert decoded.dtype == torch.float32
    assert torch.equal(encode_lab(decoded), stored)
    assert decoded[0, 0, [0, 255]].tolist() == [0.0, pytest.approx(100.0)]
    assert decoded[1, 0, [0, 128, 255]].tolist() == [-128.0, 0.0, 127.0]


@given(arrays(np.float32, (2, 3, 2, 2), elements=st.floats(0, 1, width=32)))
def test_storing_costs_at_most_half_a_step(rgb):
    lab = rgb_to_lab(torch.from_numpy(rgb))
    error = (decode_lab(encode_lab(lab)) - lab).abs()
    assert error[:, 0].max() <= 50 / 255 + 1e-3
    assert error[:, 1:].max() <= 0.5 + 1e-3


def test_storing_costs_little_over_the_whole_rgb_cube():
    """Measured on all 16.7 million colors: 26 levels at most (dark blues), 95.2 % within 4."""
    colors = cube(torch.cat((torch.arange(0, 255, 3), torch.tensor([255]))).to(torch.uint8))
    error = (stored_and_back(colors).int() - colors.int()).abs().amax(0)
    assert error.max() <= 26
    assert (error <= 4).float().mean() > 0.95


@pytest.mark.parametrize("path", PHOTOGRAPHS, ids=lambda path: path.stem)
def test_storing_a_photograph_cannot_be_seen(path):
    rgb = photograph(path)
    once = stored_and_back(rgb)
    error = (once.float() - rgb.float()).abs()
    assert error.max() <= 8
    assert error.quantile(0.95) <= 2
    assert 10 * torch.log10(255**2 / error.square().mean()) > 49
    again = (stored_and_back(once) != once).any(0)
    assert again.float().mean() < 0.04


def test_normalised_lightness_is_in_minus_one_to_one():
    assert normalised(torch.tensor([0.0, 50.0, 100.0])).tolist() == [-1.0, 0.0, 1.0]


def test_a_batch_is_as_long_as_it_has_photographs():
    assert len(Batch(torch.zeros(5, 1, 2, 2), torch.zeros(5, 2, 2, 2))) == 5
