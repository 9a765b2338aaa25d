"""Arrays are photographs of every shape and type that has one meaning; the others are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from files_kit import deep, scene
from photochrom.pictures.opening import BadPhotographError
from photochrom.pictures.reading import read_photograph

COLOR, GRAY = scene(), scene()[..., 0]


def refusal(array: np.ndarray, limit: float = 200.0) -> str:
    with pytest.raises(BadPhotographError) as caught:
        read_photograph(array, limit)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("array", [GRAY, GRAY[..., None], deep(), deep()[..., None]])
def test_gray(array):
    found = read_photograph(array)
    np.testing.assert_array_equal(found.pixels, array.reshape(28, 40))
    assert found.pixels.dtype == array.dtype
    assert found.alpha is None
    assert found.format is None


@pytest.mark.parametrize("channels", [2, 4])
def test_the_last_of_two_or_four_channels_is_opacity(channels):
    color = GRAY[..., None] if channels == 2 else COLOR
    found = read_photograph(np.concatenate((color, GRAY[::-1, :, None]), -1))
    np.testing.assert_array_equal(found.pixels, color.squeeze())
    np.testing.assert_array_equal(found.alpha, GRAY[::-1])


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64, bool])
def test_opacity_is_of_eight_bits_whatever_the_type(dtype):
    top = 65535 if dtype == np.uint16 else 1
    array = np.zeros((2, 3, 4), dtype=dtype)
    array[0, :, 3] = top
    alpha = read_photograph(array).alpha
    assert alpha is not None
    assert alpha.dtype == np.uint8
    assert alpha.tolist() == [[255] * 3, [0] * 3]


@given(st.floats(0, 1, width=32))
def test_floats_become_the_nearest_of_16_bits(value):
    found = read_photograph(np.full((2, 2), value, dtype=np.float32)).pixels
    assert found.dtype == np.uint16
    assert abs(int(found[0, 0]) - value * 65535) <= 0.51


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_floats_of_every_width(dtype):
    found = read_photograph(np.array([[0, 1, 0.5]], dtype=dtype)).pixels
    assert found.tolist() == [[0, 65535, 32768]]


def test_truth_values_are_black_and_white():
    found = read_photograph(np.array([[True, False]]))
    assert found.pixels.tolist() == [[255, 0]]
    assert found.pixels.dtype == np.uint8


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(COLOR),
        np.moveaxis(np.ascontiguousarray(np.moveaxis(COLOR, -1, 0)), 0, -1),
        np.ascontiguousarray(COLOR[:, ::-1])[:, ::-1],
        np.repeat(COLOR, 2, 1)[:, ::2],
        np.ma.masked_array(COLOR),
    ],
    ids=["fortran", "channels apart", "mirrored", "every second", "masked"],
)
def test_memory_order_does_not_matter(array):
    found = read_photograph(array).pixels
    np.testing.assert_array_equal(found, COLOR)
    assert found.flags.c_contiguous
    assert type(found) is np.ndarray


def test_byte_order_does_not_matter():
    found = read_photograph(deep().astype(">u2")).pixels
    np.testing.assert_array_equal(found, deep())
    assert found.dtype.isnative


def test_the_array_that_was_given_stays_as_it_is():
    given_array = COLOR.copy()
    read_photograph(given_array)
    np.testing.assert_array_equal(given_array, COLOR)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros(5, np.uint8), "An array of 5 is no photograph"),
        (np.array(3, np.uint8), "no dimensions"),
        (np.zeros((2, 2, 5), np.uint8), "2 x 2 x 5"),
        (np.zeros((3, 20, 30), np.uint8), "3 x 20 x 30"),
        (np.zeros((1, 4, 4, 3), np.uint8), "1 x 4 x 4 x 3"),
        (np.zeros((0, 4), np.uint8), "holds no pixel"),
        (np.zeros((4, 0, 3), np.uint8), "holds no pixel"),
        (np.zeros((4, 4, 0), np.uint8), "4 x 4 x 0"),
        (np.zeros((4, 4), np.int64), "int64"),
        (np.zeros((4, 4), np.int8), "int8"),
        (np.zeros((4, 4), np.uint32), "uint32"),
        (np.zeros((4, 4), np.complex64), "complex64"),
        (np.full((4, 4), "a"), "U1"),
        (np.full((4, 4), None), "object"),
        (np.full((4, 4), np.nan), "hold NaN"),
        (np.array([[0.0, np.inf]]), "reach from 0 to inf"),
        (np.array([[0.0, 255.0]]), "reach from 0 to 255"),
        (np.array([[-0.5, 1.0]]), "reach from -0.5 to 1"),
    ],
)
def test_others_are_refused(array, says):
    assert says in refusal(array)


def test_arrays_have_the_limit_of_files():
    assert "1001 x 1000 pixels" in refusal(np.zeros((1000, 1001), np.uint8), 1.0)
