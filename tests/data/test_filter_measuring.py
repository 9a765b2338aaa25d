"""One photograph: its colorfulness, its difference hash, and what it is rejected for."""

import hashlib
import io

import numpy as np
import pytest
from filter_kit import GOOD, faded
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_photographs import encoded, filter_params, picture
from PIL import Image
from skimage import data as photographs_of_skimage

from photochrom.color.colorfulness import both_colorfulnesses
from photochrom.data.measuring import (
    MOST_OF_GRAY,
    Measured,
    difference_hash,
    measure,
    planes_of,
)


def hash_of(image: Image.Image) -> str:
    return difference_hash(planes_of(image.convert("RGB")))


def test_measuring_a_bad_file_gives_its_digest_and_reason():
    found = measure(b"nothing", filter_params())
    assert (found.reason, found.width, found.hash) == ("corrupt", 0, "")
    assert found.sha256 == hashlib.sha256(b"nothing").hexdigest()


def test_large_photographs_are_measured_reduced_and_agree_with_the_whole():
    image = Image.fromarray(photographs_of_skimage.coffee())
    large, small = image.resize((1800, 1200)), image
    found = [measure(encoded(one), filter_params()) for one in (large, small)]
    assert (found[0].width, found[0].height) == (1800, 1200)
    assert found[0].colorfulness == pytest.approx(found[1].colorfulness, rel=0.02)
    assert 0.8 < found[1].colorfulness_absolute / found[1].colorfulness < 1


@pytest.mark.parametrize("least", [0.0, 200.0])
def test_the_threshold_of_colorfulness_is_the_one_given(least):
    found = measure(GOOD["good/00.png"], filter_params(min_colorfulness=least))
    assert found.reason == ("not colorful" if least else "")


def test_a_gray_photograph_is_gray_even_where_any_colorfulness_will_do():
    assert measure(encoded(picture(1).convert("L")), filter_params()).reason == "gray"


@pytest.mark.parametrize("photograph", [picture(1).convert("L"), faded(2)])
def test_without_a_least_colorfulness_even_photographs_without_color_are_kept(photograph):
    found = measure(encoded(photograph), filter_params(min_colorfulness=None))
    assert found.reason == ""
    assert found.colorfulness < 15


def test_sides_just_long_enough_are_kept():
    for side, reason in ((32, ""), (31, "too small")):
        data = encoded(picture(1, (100, side)))
        assert measure(data, filter_params(min_side=32)).reason == reason


def test_what_cannot_be_opened_has_no_measurements():
    assert Measured().hash == ""
    assert np.isnan(Measured().colorfulness_absolute)


def test_real_photographs_differ_and_their_copies_do_not():
    real = {
        name: Image.fromarray(getattr(photographs_of_skimage, name)())
        for name in ("astronaut", "chelsea", "coffee", "rocket")
    }
    hashes = {name: int(hash_of(image), 16) for name, image in real.items()}
    for name, image in real.items():
        small = image.resize((image.width // 3, image.height // 3), Image.Resampling.LANCZOS)
        with_loss = Image.open(io.BytesIO(encoded(image, "JPEG", quality=40)))
        for copy in (small, with_loss):
            assert (int(hash_of(copy), 16) ^ hashes[name]).bit_count() <= 3
        others = [
            (value ^ hashes[name]).bit_count() for key, value in hashes.items() if key != name
        ]
        assert min(others) > 12


def test_the_difference_hash_is_the_published_one():
    image = picture(7, (90, 80))
    gray = np.asarray(image.convert("L"), dtype=np.float64)
    areas = gray.reshape(8, 10, 9, 10).mean(axis=(1, 3)).round()
    bits = "".join("1" if row[i + 1] > row[i] else "0" for row in areas for i in range(8))
    assert (int(bits, 2) ^ int(hash_of(image), 16)).bit_count() <= 1
    assert len(hash_of(image)) == 16


@pytest.mark.parametrize("size", [(1, 1), (3, 300), (300, 3), (8, 7), (100, 4100), (9, 8)])
def test_the_difference_hash_compares_means_of_equal_areas(size):
    """Of any shape, also where an area is less than a pixel or more rows than 16 bits add up."""
    width, height = size
    noise = np.random.default_rng(width).integers(0, 256, (height, width), dtype=np.uint8)
    columns, rows = edges(width, 9), edges(height, 8)
    means = np.array(
        [[np.rint(noise[a:b, c:d].mean() + 1e-9) for c, d in columns] for a, b in rows]
    )
    expected = np.packbits(means[:, 1:] > means[:, :-1]).tobytes().hex()
    assert hash_of(Image.fromarray(noise)) == expected


def edges(length: int, count: int) -> list[tuple[int, int]]:
    """Return where each part begins and ends, in whole pixels; each has at least one."""
    begins = [min(int(part * length / count + 0.5), length - 1) for part in range(count)]
    ends = [int(part * length / count + 0.5) for part in range(1, count + 1)]
    return [(begin, max(begin + 1, end)) for begin, end in zip(begins, ends, strict=True)]


def test_a_flat_photograph_has_no_difference_though_it_is_noisy():
    noisy = np.random.default_rng(0).integers(199, 202, (128, 144, 3), dtype=np.uint8)
    assert hash_of(Image.fromarray(noisy)) == "0" * 16


@given(arrays(np.uint8, (6, 8, 3), elements=st.integers(0, 255)), st.integers(0, 40))
def test_no_photograph_that_is_gray_passes_for_colorful(rgb, level):
    """The test for gray is left out above a colorfulness that nothing gray reaches."""
    gray = np.full((100, 100, 3), level, np.uint8)
    gray[:, :, 0] += 4
    gray[:50, :, 2] += 4
    gray[0, :9] = rgb.reshape(-1, 3)[:9]
    planes = np.moveaxis(gray, -1, 0).astype(np.int16)
    signed, _ = both_colorfulnesses(planes)
    assert signed < MOST_OF_GRAY
    data = encoded(Image.fromarray(gray))
    assert measure(data, filter_params(min_side=1)).reason == "gray"
