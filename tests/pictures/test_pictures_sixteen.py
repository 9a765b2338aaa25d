"""Sixteen bits stay sixteen bits, each value exactly, however the file stores them."""

import importlib.util
import itertools
import struct

import numpy as np
import pytest
from PIL import Image

from files_kit import deep, deep_png, encoded, oriented, scene, tiff
from photochrom.pictures.deep import EIGHT_BITS
from photochrom.pictures.opening import BadPhotographError, open_photograph
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.reading import read_photograph
from photochrom.pictures.strips import STRIP_PIXELS, as_stored, bounds, joined
from photochrom.pictures.writing import encoded as written

GRAY = deep()
COLOR = np.stack([GRAY, GRAY[::-1], GRAY[:, ::-1]], -1)
WRITTEN = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera held so stores an upright picture."""


def pixels(data: bytes) -> np.ndarray:
    found = read_photograph(data)
    assert found.notes == ()
    return found.pixels


# Gray


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(GRAY), "PNG"),
        encoded(Image.fromarray(GRAY), "TIFF"),
        encoded(Image.fromarray(GRAY), "TIFF", compression="tiff_lzw"),
        encoded(Image.fromarray(GRAY), "JPEG2000"),
        encoded(Image.fromarray(GRAY), "PPM"),
        tiff(GRAY, byteorder=">"),
        tiff(GRAY, compression="zlib", predictor=True),
        tiff(65535 - GRAY, photometric="miniswhite"),
        tiff(GRAY, tile=(16, 16)),
    ],
    ids=["png", "tiff", "lzw", "jp2", "pgm", "big endian", "deflate", "white is zero", "tiles"],
)
def test_gray(data):
    np.testing.assert_array_equal(pixels(data), GRAY)


def test_gray_of_a_film_scanner_is_no_negative_for_the_data_stages():
    data = tiff(65535 - GRAY, photometric="miniswhite")
    seen = np.asarray(open_photograph(data, 1.0)).astype(int)
    assert np.abs(seen[..., 0] - GRAY / 257).max() <= 1


def test_twelve_bits_are_spread_over_sixteen():
    twelve = np.linspace(0, 4095, 40 * 28).round().astype(np.uint16).reshape(28, 40)
    expected = np.round(twelve * (65535 / 4095))
    np.testing.assert_array_equal(pixels(tiff_of_12_bits(twelve)), expected)
    seen = np.asarray(open_photograph(tiff_of_12_bits(twelve), 1.0)).astype(int)
    assert np.abs(seen[..., 1] - twelve * (255 / 4095)).max() <= 1


def tiff_of_12_bits(values: np.ndarray) -> bytes:
    """Pack two numbers into three bytes, the higher bits first (TIFF 6.0, FillOrder)."""
    height, width = values.shape
    first, second = values.reshape(-1, 2).T
    body = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], -1)
    entries = [(256, 4, width), (257, 4, height), (258, 3, 12), (259, 3, 1), (262, 3, 1)]
    entries += [(273, 4, 8 + 2 + 12 * 9 + 4), (277, 3, 1), (278, 4, height), (279, 4, body.size)]
    tags = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return head + tags + bytes(4) + body.astype(np.uint8).tobytes()


@pytest.mark.parametrize(("top", "expected"), [(40_000, 1.0), (2**31 - 1, 65535 / (2**31 - 1))])
def test_whole_numbers_of_32_bits_are_of_16_unless_they_are_greater(top, expected):
    values = np.linspace(0, top, 40 * 28).astype(np.int32).reshape(28, 40)
    found = pixels(encoded(Image.fromarray(values), "TIFF"))
    assert np.abs(found - values * expected).max() <= 0.5001


@pytest.mark.parametrize("top", [0.5, 1.0, 300.0])
def test_floats_are_scaled_from_their_greatest_value(top):
    values = np.linspace(0, top, 40 * 28, dtype=np.float32).reshape(28, 40)
    found = pixels(encoded(Image.fromarray(values), "TIFF"))
    assert np.abs(found - values.astype(float) * 65535 / max(top, 1.0)).max() <= 0.5001


def test_floats_that_are_no_numbers_are_black():
    values = np.full((4, 4), 0.5, dtype=np.float32)
    values[0] = [np.nan, np.inf, -np.inf, -3.0]
    found = pixels(encoded(Image.fromarray(values), "TIFF"))
    assert found[0].tolist() == [0, 0, 0, 0]
    assert set(found[1:].ravel().tolist()) == {32768}


def test_one_of_65536_grays_can_be_transparent():
    clear = struct.pack(">I4sH", 2, b"tRNS", int(GRAY[3, 5]))
    found = read_photograph(deep_png(1, with_checksum(clear)))
    np.testing.assert_array_equal(found.pixels, GRAY)
    assert found.alpha is not None
    assert np.argwhere(found.alpha == 0).tolist() == [[3, 5]]


def with_checksum(chunk: bytes) -> bytes:
    import zlib

    return chunk + struct.pack(">I", zlib.crc32(chunk[4:]))


# Color


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"compression": "zlib", "predictor": True},
        {"compression": "lzma"},
        {"tile": (16, 16)},
        {"rowsperstrip": 5},
        {"bigtiff": True},
    ],
    ids=str,
)
def test_color_of_tiff(options):
    np.testing.assert_array_equal(pixels(tiff(COLOR, **options)), COLOR)


def test_color_of_tiff_in_planes():
    data = tiff(np.moveaxis(COLOR, -1, 0), planarconfig="separate")
    np.testing.assert_array_equal(pixels(data), COLOR)
    with pytest.raises(BadPhotographError, match="separate planes of 16 bits"):
        open_photograph(data, 1.0)


def test_color_of_png():
    found = read_photograph(deep_png(3)).pixels
    expected = np.stack([np.roll(GRAY, 7 * shift, 1) for shift in range(3)], -1)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("channels", [2, 4])
def test_opacity_of_png_is_rounded_to_eight_bits(channels):
    found = read_photograph(deep_png(channels))
    expected = [np.roll(GRAY, 7 * shift, 1) for shift in range(channels)]
    color = expected[0] if channels == 2 else np.stack(expected[:3], -1)
    np.testing.assert_array_equal(found.pixels, color)
    np.testing.assert_array_equal(found.alpha, np.round(expected[-1] / 257))


def test_one_color_of_png_can_be_transparent():
    clear = struct.pack(
        ">I4sHHH", 6, b"tRNS", *(int(np.roll(GRAY, 7 * c, 1)[2, 9]) for c in range(3))
    )
    found = read_photograph(deep_png(3, with_checksum(clear)))
    assert found.pixels.dtype == np.uint16
    assert found.alpha is not None
    assert np.argwhere(found.alpha == 0).tolist() == [[2, 9]]


def test_opacity_of_tiff():
    alpha = np.linspace(0, 65535, GRAY.size).astype(np.uint16).reshape(GRAY.shape)
    with_alpha = np.concatenate((COLOR, alpha[..., None]), -1)
    found = read_photograph(tiff(with_alpha, extrasamples=["unassalpha"]))
    np.testing.assert_array_equal(found.pixels, COLOR)
    np.testing.assert_array_equal(found.alpha, np.round(alpha / 257))


def test_colors_that_are_multiplied_by_their_opacity_are_divided_again():
    alpha = np.full(GRAY.shape, 32768, dtype=np.uint16)
    multiplied = np.round(COLOR * (32768 / 65535)).astype(np.uint16)
    data = tiff(np.concatenate((multiplied, alpha[..., None]), -1), extrasamples=["assocalpha"])
    found = read_photograph(data)
    assert np.abs(found.pixels.astype(int) - COLOR).max() <= 1
    assert found.alpha is not None
    assert set(found.alpha.ravel().tolist()) == {128}


def test_the_infrared_channel_of_a_scanner_is_no_opacity():
    with_infrared = np.concatenate((COLOR, GRAY[..., None]), -1)
    found = read_photograph(tiff(with_infrared, extrasamples=["unspecified"]))
    np.testing.assert_array_equal(found.pixels, COLOR)
    assert found.alpha is None


def test_color_of_tiff_packed_by_runs():
    """PackBits: a byte says how many bytes follow as they are, here always 120 of a line's 240."""
    lines = COLOR.astype("<u2").view(np.uint8).reshape(56, 120)
    packed = b"".join(bytes([119]) + half.tobytes() for half in lines)
    np.testing.assert_array_equal(pixels(tiff_of(packed, 32773)), COLOR)


def test_what_only_pillow_unpacks_is_read_with_eight_bits_and_a_note():
    found = read_photograph(tiff_of(lzw(COLOR.astype("<u2").tobytes()), 5))
    if importlib.util.find_spec("imagecodecs"):
        np.testing.assert_array_equal(found.pixels, COLOR)
        return
    assert found.notes == (EIGHT_BITS,)
    assert found.pixels.dtype == np.uint8
    assert np.abs(found.pixels - COLOR / 257).max() <= 1


def tiff_of(packed: bytes, compression: int) -> bytes:
    """Return a TIFF of 40 x 28 colors of 16 bits that are packed already."""
    entries = [(256, 4, 1, 40), (257, 4, 1, 28), (258, 3, 3, 8), (259, 3, 1, compression)]
    entries += [(262, 3, 1, 2), (273, 4, 1, 16 + 2 + 9 * 12 + 4), (277, 3, 1, 3), (278, 4, 1, 28)]
    entries += [(279, 4, 1, len(packed))]
    tags = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\0" + struct.pack("<I", 16) + struct.pack("<HHHH", 16, 16, 16, 0)
    return head + struct.pack("<H", len(entries)) + tags + bytes(4) + packed


def lzw(data: bytes) -> bytes:
    """Pack without packing (TIFF 6.0, section 13): each byte is a code of nine bits.

    The table is cleared (256) before codes would need ten; 257 ends.
    """
    codes: list[int] = []
    for start in range(0, len(data), 200):
        codes += [256, *data[start : start + 200]]
    bits = "".join(f"{code:09b}" for code in [*codes, 257])
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))


# Upright


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_stored_view_is_what_pillow_turns_upright(orientation):
    upright = scene(7, 5)
    turn = WRITTEN[orientation]
    image = Image.fromarray(upright)
    stored = np.asarray(image if turn is None else image.transpose(turn))
    np.testing.assert_array_equal(as_stored(upright, orientation), stored)
    parts = (stored[top : top + 2] for top in range(0, len(stored), 2))
    whole = joined(parts, len(stored), orientation)
    np.testing.assert_array_equal(whole, upright)
    assert whole.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pictures_are_turned_upright(orientation):
    color, gray = as_stored(COLOR, orientation), as_stored(GRAY, orientation)
    tag = [(274, 3, 1, orientation, True)]
    np.testing.assert_array_equal(pixels(tiff(color, extratags=tag)), COLOR)
    np.testing.assert_array_equal(pixels(tiff(gray, extratags=tag)), GRAY)
    data = encoded(Image.fromarray(np.ascontiguousarray(gray)), "PNG", exif=oriented(orientation))
    np.testing.assert_array_equal(pixels(data), GRAY)


def test_strips_cover_every_line_once():
    for height, width in ((1, 1), (3, 20_000), (20_000, 3), (5000, 4000), (2, 3 * STRIP_PIXELS)):
        found = list(bounds(height, width))
        assert found[0][0] == 0
        assert found[-1][1] == height
        assert all(a[1] == b[0] for a, b in itertools.pairwise(found))
        assert all((b - a) * width <= STRIP_PIXELS or b - a == 1 for a, b in found)


def test_a_picture_of_many_strips_is_whole():
    large = np.random.default_rng(5).integers(0, 256, (2500, 900), dtype=np.uint8)
    assert len(list(bounds(2500, 900))) > 2
    for orientation in (1, 6):
        stored = np.ascontiguousarray(as_stored(large, orientation))
        data = encoded(
            Image.fromarray(stored),
            "BMP" if orientation == 1 else "PNG",
            **({} if orientation == 1 else {"exif": oriented(6), "compress_level": 0}),
        )
        np.testing.assert_array_equal(pixels(data), large)


# To eight bits and into files


def test_eight_bits_are_the_nearest_ones():
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(Photograph(every).eight_bits(), np.round(every / 257))


@pytest.mark.parametrize("alpha", [None, scene()[..., 0]])
@pytest.mark.parametrize("values", [GRAY, COLOR], ids=["gray", "color"])
def test_tiff_keeps_sixteen_bits(values, alpha):
    found = read_photograph(written(Photograph(values, alpha), "TIFF"))
    expected = values if alpha is None or values is COLOR else np.stack([GRAY] * 3, -1)
    np.testing.assert_array_equal(found.pixels, expected)
    if alpha is not None:
        np.testing.assert_array_equal(found.alpha, alpha)
