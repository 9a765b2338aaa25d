"""ICC profiles are honored: checked against the formulas that the profiles are made from."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from files_kit import deep, encoded, picture, scene, tiff
from photochrom.pictures.layers import EIGHT_BITS_OF_PROFILE
from photochrom.pictures.opening import open_photograph
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.profiles import LEFT_ASIDE, conversion, srgb_profile
from photochrom.pictures.reading import read_photograph
from photochrom.pictures.shapers import read_shaper
from photochrom.pictures.writing import encoded as written
from profiles_kit import (
    ADOBE,
    D50,
    SRGB,
    cmyk_profile,
    curve,
    gray_profile,
    parametric,
    profile,
    rgb_profile,
    table,
    xyz,
)

RAMP = np.arange(256, dtype=np.uint8)[None].repeat(3, 0)
DEEP_RAMP = np.arange(65536, dtype=np.uint16).reshape(256, 256)
GAMMA = 461 / 256
"""1.8 as a profile stores it."""
SRGB_CURVE = parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def encode(linear: np.ndarray) -> np.ndarray:
    """The transfer curve of sRGB (IEC 61966-2-1), 0..1."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def adobe_to_srgb(rgb: np.ndarray) -> np.ndarray:
    """Colors 0..1 of an AdobeRGB-like profile in sRGB, 0..1."""
    matrix = np.linalg.inv(np.array(SRGB).T) @ np.array(ADOBE).T
    return encode(rgb ** (563 / 256) @ matrix.T)


def read(pixels: np.ndarray, kind: str = "PNG", icc: bytes | None = None) -> Photograph:
    return read_photograph(encoded(Image.fromarray(pixels), kind, icc_profile=icc))


# Gray


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_gray_of_a_gamma_becomes_that_of_srgb(kind):
    found = read(RAMP, kind, gray_profile(1.8))
    expected = 255 * encode((np.arange(256) / 255) ** GAMMA)
    assert found.pixels.shape == RAMP.shape
    assert np.abs(found.pixels[0] - expected).max() <= 1
    assert np.abs(expected - np.arange(256)).max() > 15
    assert found.notes == ()


def test_a_table_such_as_dot_gain_is_followed():
    """Dot gain of 20 %: what is 50 % ink on the plate looks like 70 % on paper."""
    ink = np.linspace(1, 0, 101)
    light = 1 - (ink + 0.8 * ink * (1 - ink))
    dots = profile(b"GRAY", b"XYZ ", {b"wtpt": xyz(D50), b"kTRC": table(light)})
    expected = encode(np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, 101), light))
    assert np.abs(read(RAMP, icc=dots).pixels[0] - 255 * expected).max() <= 1
    wide = read(DEEP_RAMP, "TIFF", dots).pixels.ravel()[::257]
    # The table itself is rounded to 1/65535, which the dark end spreads by 12.92.
    assert np.abs(wide - 65535 * expected).max() <= 7


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_gray_of_16_bits_keeps_them(kind):
    found = read(DEEP_RAMP, kind, gray_profile(1.8)).pixels
    assert found.dtype == np.uint16
    expected = 65535 * encode((np.arange(65536) / 65535) ** GAMMA)
    assert np.abs(found.ravel() - expected).max() <= 1
    assert len(np.unique(found)) > 40_000


def test_gray_with_a_profile_of_colors_goes_by_its_neutral_ones():
    profile = rgb_profile(gamma=1.8)
    expected = encode((np.arange(256) / 255) ** GAMMA)
    assert np.abs(read(RAMP, icc=profile).pixels[0] - 255 * expected).max() <= 1
    wide = read(DEEP_RAMP, "TIFF", profile).pixels.ravel()[::257]
    # The primaries of the profile add up to a white that is not quite D50's.
    assert np.abs(wide - 65535 * expected).max() <= 10


def test_gray_through_lab_is_followed_at_16_bits():
    """L* = 100 x: the middle level is L* 50, of luminance 0.184."""
    lightness = profile(b"GRAY", b"Lab ", {b"wtpt": xyz(D50), b"kTRC": curve(1.0)})
    shaper = read_shaper(lightness)
    assert shaper is not None
    assert shaper.curves[0][[0, 65535]].tolist() == [0.0, 1.0]
    assert shaper.curves[0][32768] == pytest.approx(((50 + 16) / 116) ** 3, abs=1e-4)


# Color


def test_colors_of_wider_primaries_become_those_of_srgb():
    pixels = scene()
    found = read(pixels, icc=rgb_profile())
    expected = 255 * adobe_to_srgb(pixels / 255)
    assert np.abs(found.pixels - expected).max() <= 1.2
    assert np.abs(expected - pixels).max() > 25


def test_colors_of_16_bits_keep_them():
    pixels = np.stack([deep(), deep()[::-1], deep()[:, ::-1]], -1)
    found = read_photograph(tiff(pixels, iccprofile=rgb_profile())).pixels
    assert found.dtype == np.uint16
    assert np.abs(found - 65535 * adobe_to_srgb(pixels / 65535)).max() <= 12


def test_inks_are_converted_by_their_profile():
    """Each ink alone makes black of white, and K of 128 makes L* 49.8 (sRGB 118)."""
    inks = np.zeros((3, 6, 4), dtype=np.uint8)
    for place in range(4):
        inks[:, place, place] = 255
    inks[:, 4, 3] = 128
    image = Image.frombytes("CMYK", (6, 3), inks.tobytes())
    data = encoded(image, "TIFF", icc_profile=cmyk_profile())
    assert read_photograph(data).pixels[0, :4].max() == 0
    assert read_photograph(data).pixels[0, 4:].tolist() == [[118] * 3, [255] * 3]
    bare = read_photograph(encoded(image, "TIFF")).pixels
    assert bare[0, 0].tolist() == [0, 255, 255]


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (0, (1.8,)),
        (1, (2.0, 1.1, -0.1)),
        (2, (2.0, 0.9, 0.1, 0.1)),
        (3, (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)),
        (4, (2.2, 0.95, 0.05, 0.1, 0.03, 0.0, 0.0)),
    ],
)
def test_every_parametric_curve_is_as_the_converter_of_pillow_has_it(function, parameters):
    """Two implementations: Little CMS at eight bits, this one at sixteen."""
    icc = profile(b"GRAY", b"XYZ ", {b"wtpt": xyz(D50), b"kTRC": parametric(function, *parameters)})
    table = conversion(icc, "L").table or tuple(range(256))
    shaper = read_shaper(icc)
    assert shaper is not None
    ours = shaper.gray_table()[np.arange(256) * 257] / 257
    assert np.abs(ours - table).max() <= 1


# sRGB


@pytest.mark.parametrize(
    "icc",
    [
        srgb_profile(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        rgb_profile(SRGB, transfer=SRGB_CURVE),
    ],
    ids=["ours", "Little CMS", "by hand, without its name"],
)
def test_srgb_leaves_pixels_as_they_are(icc):
    pixels = np.random.default_rng(3).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    found = read(pixels, icc=icc)
    np.testing.assert_array_equal(found.pixels, pixels)
    np.testing.assert_array_equal(read(RAMP, icc=icc).pixels, RAMP)
    np.testing.assert_array_equal(read(DEEP_RAMP, "TIFF", icc).pixels, DEEP_RAMP)
    assert found.profiled
    assert np.array_equal(open_photograph(encoded(Image.fromarray(pixels), "PNG"), 1.0), pixels)


def test_gray_with_the_curve_of_srgb_stays_as_it_is():
    icc = profile(b"GRAY", b"XYZ ", {b"wtpt": xyz(D50), b"kTRC": SRGB_CURVE})
    np.testing.assert_array_equal(read(RAMP, icc=icc).pixels, RAMP)
    np.testing.assert_array_equal(read(DEEP_RAMP, "TIFF", icc).pixels, DEEP_RAMP)


def test_a_profile_that_only_calls_itself_srgb_is_followed():
    liar = rgb_profile().replace(b"made by hand", b"sRGB IEC6196")
    assert (read(scene(), icc=liar).pixels != scene()).any()


# Damaged and unfitting ones


@pytest.mark.parametrize(
    ("mode", "icc"),
    [
        ("RGB", gray_profile(1.8)),
        ("RGB", cmyk_profile()),
        ("L", cmyk_profile()),
        ("CMYK", rgb_profile()),
        ("CMYK", gray_profile(1.8)),
        ("RGB", b"garbage" * 50),
        ("RGB", rgb_profile()[:150]),
        ("L", b"\0"),
        ("I;16", b"garbage" * 50),
        ("I;16", cmyk_profile()),
    ],
)
def test_an_unfitting_profile_is_left_aside_with_a_note(mode, icc):
    image = picture(mode)
    found = read_photograph(encoded(image, "TIFF", icc_profile=icc))
    bare = read_photograph(encoded(image, "TIFF"))
    np.testing.assert_array_equal(found.pixels, bare.pixels)
    assert found.notes == (LEFT_ASIDE,)
    np.testing.assert_array_equal(
        open_photograph(encoded(image, "TIFF", icc_profile=icc), 1.0),
        open_photograph(encoded(image, "TIFF"), 1.0),
    )


def test_a_profile_that_works_by_a_table_of_colors_is_followed_with_eight_bits():
    """At 16 bits only curves and primaries are; here the table is the identity of XYZ."""
    icc = profile(b"RGB ", b"Lab ", {b"wtpt": xyz(D50), b"A2B0": lab_table()})
    pixels = np.stack([deep()] * 3, -1)
    found = read_photograph(tiff(pixels, iccprofile=icc))
    assert found.pixels.dtype == np.uint8
    assert found.notes == (EIGHT_BITS_OF_PROFILE,)
    eight = read_photograph(tiff((pixels >> 8).astype(np.uint8), iccprofile=icc))
    np.testing.assert_array_equal(found.pixels, eight.pixels)


def lab_table() -> bytes:
    """Return a table of RGB's corners whose L* is the mean of the channels, without color."""
    corners = np.full((8, 3), 128, dtype=np.uint8)
    corners[:, 0] = [round(85 * bin(place).count("1")) for place in range(8)]
    identity = struct.pack(">9i", *(0x10000 * int(i == j) for i in range(3) for j in range(3)))
    ramp = bytes(range(256))
    return (
        b"mft1"
        + bytes(4)
        + bytes((3, 3, 2, 0))
        + identity
        + ramp * 3
        + corners.tobytes()
        + (ramp * 3)
    )


@settings(max_examples=150)
@given(
    st.sampled_from([gray_profile(1.8), rgb_profile(), cmyk_profile(), srgb_profile()]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    st.floats(0.05, 1),
    st.sampled_from(["L", "RGB", "CMYK", "I;16"]),
)
def test_damaged_profiles_never_refuse_a_photograph(icc, damage, share, mode):
    data = bytearray(icc)
    for place, value in damage:
        data[int(place**2 * len(data))] = value
    broken = bytes(data[: max(1, int(share * len(data)))])
    image = picture(mode, 5, 4)
    assert read_photograph(encoded(image, "TIFF", icc_profile=broken)).size == (5, 4)


# Opacity, the data stages, writing


@pytest.mark.parametrize(("mode", "icc"), [("LA", gray_profile(1.8)), ("RGBA", rgb_profile())])
def test_opacity_is_no_color(mode, icc):
    image = picture(mode)
    found = read_photograph(encoded(image, "PNG", icc_profile=icc))
    np.testing.assert_array_equal(found.alpha, np.asarray(image)[..., -1])
    bare = read_photograph(encoded(image.convert(mode[:-1]), "PNG", icc_profile=icc))
    np.testing.assert_array_equal(found.pixels, bare.pixels)


@pytest.mark.parametrize("turn", [1, 6])
def test_the_data_stages_see_the_same_colors(turn):
    exif = Image.Exif()
    exif[0x0112] = turn
    data = encoded(picture("CMYK"), "JPEG", icc_profile=cmyk_profile(), exif=exif)
    image = open_photograph(data, 1.0)
    np.testing.assert_array_equal(image, read_photograph(data).pixels)
    assert "icc_profile" not in image.info


def test_the_data_stages_convert_gray_of_16_bits():
    data = encoded(Image.fromarray(DEEP_RAMP), "TIFF", icc_profile=gray_profile(1.8))
    expected = 255 * encode((np.arange(65536) / 65535) ** GAMMA)
    seen = np.asarray(open_photograph(data, 1.0))[..., 1].ravel()
    assert np.abs(seen - expected)[20_000:].max() <= 2


def test_the_data_stages_convert_palettes_and_reduced_pictures():
    image = picture().quantize(16)
    data = encoded(image, "PNG", icc_profile=rgb_profile())
    expected = 255 * adobe_to_srgb(np.asarray(image.convert("RGB")) / 255)
    assert np.abs(np.asarray(open_photograph(data, 1.0)) - expected).max() <= 1.2
    small = np.asarray(
        open_photograph(encoded(picture(), "PNG", icc_profile=rgb_profile()), 1.0, 7)
    )
    assert small.shape == (7, 10, 3)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_what_had_a_profile_carries_that_of_srgb(form):
    with_one = read_photograph(encoded(picture(), "PNG", icc_profile=rgb_profile()))
    again = read_photograph(written(with_one, form))
    assert again.profiled
    assert not read_photograph(written(read_photograph(encoded(picture(), "PNG")), form)).profiled
    assert written(with_one, form) == written(with_one, form)
    if form in ("PNG", "TIFF"):
        np.testing.assert_array_equal(again.pixels, with_one.pixels)


def test_our_profile_of_srgb_is_sound():
    opened = ImageCms.getOpenProfile(io.BytesIO(srgb_profile()))
    assert opened.profile.xcolor_space.strip() == "RGB"
    assert opened.profile.creation_date.year == 1999
    assert not conversion(srgb_profile(), "RGB").changes
