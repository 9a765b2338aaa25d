"""Every broken and every odd kind of photograph is decoded rightly or refused with a reason."""

import contextlib
import io
import pickle
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image, ImageCms

from photochrom.pictures.drawing import save_figure, sheet
from photochrom.pictures.modes import to_rgb
from photochrom.pictures.opening import BadPhotographError, open_photograph

LIMIT = 50.0
CRIMSON = (200, 30, 60)
FLOWER = Path(sklearn.__file__).parent / "datasets" / "images" / "flower.jpg"


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(mode: str = "RGB", size=(20, 12), color=CRIMSON) -> Image.Image:
    return Image.new("RGB", size, color).convert(mode)


def quarters(size=(48, 32)) -> Image.Image:
    """Return a picture that no rotation or mirroring leaves as it is: each quarter differs."""
    picture = Image.new("RGB", (2, 2))
    picture.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (250, 250, 0)])
    return picture.resize(size, Image.Resampling.NEAREST)


def pixels(data: bytes, **options) -> np.ndarray:
    image = open_photograph(data, LIMIT, **options)
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(size, depth: int, color: int, rows: bytes, *extra: bytes) -> bytes:
    """Write a PNG by hand, for the kinds that Pillow does not write."""
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(rows, 9))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + body + chunk(b"IEND", b"")
    )


def refusal(data: bytes, limit: float = LIMIT, side: int | None = None) -> BadPhotographError:
    with pytest.raises(BadPhotographError) as caught:
        open_photograph(data, limit, side)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    return caught.value


# Refused


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
def test_truncated_files_are_corrupt(kind, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(noise), kind)
    fault = refusal(whole[: int(share * len(whole))])
    assert fault.fault == "corrupt"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"This is a note and no photograph.\n" * 40, "no picture"),
        (b"\0" * 5000, "no picture"),
        (b"\xff\xd8\xff", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
    ],
    ids=["empty", "text", "zeros", "only a signature", "svg"],
)
def test_what_is_no_picture_is_corrupt(data, says):
    fault = refusal(data)
    assert fault.fault == "corrupt"
    assert says in str(fault)


def test_formats_that_run_other_programs_or_hide_their_size_are_not_opened():
    """An EPS under the name of a JPEG would start Ghostscript."""
    postscript = encoded(plain(), "EPS")
    assert postscript.startswith(b"%!PS")
    assert refusal(postscript).fault == "corrupt"
    large = png((9000, 9000), 8, 0, b"\0" * 9001 * 9000)
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(large), 22) + large
    assert refusal(icon).fault == "corrupt"


BOMB = """
import resource, sys, time
from photochrom.pictures.opening import BadPhotographError, open_photograph
data = sys.stdin.buffer.read()
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
try:
    open_photograph(data, 100.0, 256)
except BadPhotographError as error:
    print(error.fault, error, sep="|")
seconds = time.monotonic() - started
print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_a_decompression_bomb_is_refused_before_it_is_decoded():
    """A file of 150 kB that would take 144 MB of memory as gray, 432 MB as RGB."""
    body = zlib.compressobj(9)
    row = b"\0" * 12_001
    rows = b"".join(body.compress(row) for _ in range(12_000)) + body.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 12_000, 12_000, 8, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    assert len(bomb) < 200_000
    ran = subprocess.run(
        [sys.executable, "-c", BOMB], input=bomb, capture_output=True, check=True, timeout=60
    )
    refused, spent = ran.stdout.decode().splitlines()
    assert refused == "too large|It has 12000 x 12000 pixels, over the limit of 100 MP."
    seconds, mebibytes = map(float, spent.split())
    assert seconds < 1
    assert mebibytes < 20


def test_the_limit_is_on_the_whole_picture_and_not_on_the_reduced_one():
    data = encoded(plain(size=(1001, 1000)), "JPEG")
    fault = refusal(data, limit=1.0, side=10)
    assert (fault.fault, str(fault)) == (
        "too large",
        "It has 1001 x 1000 pixels, over the limit of 1 MP.",
    )
    assert open_photograph(data, 1.002).size == (1001, 1000)


def test_text_that_unpacks_to_gigabytes_does_not():
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 100_000_000, 9))
    row = b"\0" + bytes(CRIMSON) * 4
    started = time.monotonic()
    assert refusal(png((4, 4), 8, 2, row * 4, bomb)).fault == "corrupt"
    assert time.monotonic() - started < 2


def samples_of_all_formats() -> dict[str, bytes]:
    noise = np.random.default_rng(1).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    picture, exif = Image.fromarray(noise), Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    exif[0x011A] = 72.0
    return {
        "JPEG": encoded(picture, "JPEG", exif=exif),
        "PNG": encoded(picture, "PNG", exif=exif),
        "PALETTE": encoded(picture.quantize(16), "PNG", transparency=0),
        "GIF": encoded(picture.quantize(16), "GIF"),
        "WEBP": encoded(picture, "WEBP", exif=exif),
        "BMP": encoded(picture, "BMP"),
        "JPEG2000": encoded(picture, "JPEG2000"),
        "AVIF": encoded(picture, "AVIF"),
        "PPM": encoded(picture, "PPM"),
        "TIFF": encoded(picture, "TIFF", exif=exif),
    }


FORMATS = samples_of_all_formats()


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(FORMATS)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=12),
    st.floats(0.1, 1),
    st.sampled_from([None, 8]),
)
def test_damaged_bytes_never_crash(kind, damage, share, side):
    """The decoders raise struct.error, RuntimeError, NotImplementedError and more."""
    data = bytearray(FORMATS[kind])
    for place, value in damage:
        data[int(place**2 * len(data))] = value
    with contextlib.suppress(BadPhotographError):
        image = open_photograph(bytes(data[: int(share * len(data))]), 1.0, side)
        assert image.mode == "RGB"


@pytest.mark.parametrize("error", [RuntimeError, NotImplementedError, struct.error, KeyError])
def test_whatever_a_decoder_raises_becomes_a_refusal(error, monkeypatch):
    def broken(*_, **__):
        raise error("damaged in a new way")

    monkeypatch.setattr(Image, "open", broken)
    assert "damaged in a new way" in str(refusal(b"anything"))


def test_damaged_exif_is_no_reason_to_refuse():
    """Found by damaging files: the orientation is there, another tag cannot be written again."""
    exif = Image.Exif()
    exif[0x0112], exif[0x0100] = 6, 7
    data = encoded(plain(), "JPEG", exif=exif)
    place = data.index(b"Exif\0\0") + 6 + 8 + 2
    entry = data[place : place + 12]
    big = data[place - 10 : place - 8] == b"MM"
    ascii_type = struct.pack(">H" if big else "<H", 2)
    damaged = data[:place] + entry[:2] + ascii_type + entry[4:] + data[place + 12 :]
    assert open_photograph(damaged, LIMIT).size == (12, 20)
    garbage = Image.Exif.tobytes(exif)[:14] + b"\xff" * 40
    assert open_photograph(encoded(plain(), "JPEG", exif=garbage), LIMIT).size == (20, 12)


def test_the_refusal_travels_between_processes():
    fault = pickle.loads(pickle.dumps(BadPhotographError("too large", "It is huge.")))
    assert (fault.fault, str(fault)) == ("too large", "It is huge.")


# Converted


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "PNG"),
        ("RGB", "TIFF"),
        ("RGB", "BMP"),
        ("RGB", "PPM"),
        ("RGB", "JPEG2000"),
        ("RGB", "AVIF"),
        ("RGB", "WEBP"),
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
        ("YCbCr", "JPEG"),
        ("YCbCr", "TIFF"),
        ("RGBA", "PNG"),
        ("RGBA", "WEBP"),
        ("RGBA", "TIFF"),
        ("P", "GIF"),
        ("P", "PNG"),
    ],
)
def test_every_mode_keeps_its_colors(mode, kind):
    image = plain().quantize(8) if mode == "P" else plain(mode)
    found = pixels(encoded(image, kind))
    assert found.shape == (12, 20, 3)
    assert np.abs(found - CRIMSON).max() <= 4


def test_cmyk_jpegs_of_photoshop_are_not_negatives():
    """They store the inks inverted and say so in an Adobe marker."""
    light, dark = plain("CMYK", color=(250, 240, 230)), plain("CMYK", color=(10, 20, 30))
    assert pixels(encoded(light, "JPEG")).mean() > 200
    assert pixels(encoded(dark, "JPEG")).mean() < 50


def test_lab_tiff_is_converted_and_its_a_is_no_alpha():
    """Pillow names its bands L, A and B, and stores a and b as wrapped bytes."""
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(plain(), *profiles, outputMode="LAB")
    assert np.abs(pixels(encoded(lab, "TIFF")) - CRIMSON).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_gray_is_scaled_and_not_clipped(kind):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, 0)
    found = pixels(encoded(Image.fromarray(ramp), kind))
    assert (found[..., 0] == found[..., 2]).all()
    assert np.abs(found[0, :, 0] - np.arange(256)).max() <= 1


def test_16_bit_gray_in_32_bit_integers_is_scaled():
    ramp = np.linspace(0, 65535, 256).astype(np.int32)[None].repeat(4, 0)
    found = pixels(encoded(Image.fromarray(ramp), "TIFF"))
    assert np.abs(found[0, :, 0] - np.arange(256)).max() <= 1


def test_16_bit_color_and_transparency_by_color():
    wide = struct.pack(">HHH", *(value * 257 for value in CRIMSON))
    rows = (b"\0" + wide * 20) * 12
    assert (pixels(png((20, 12), 16, 2, rows)) == CRIMSON).all()
    assert (pixels(png((20, 12), 16, 2, rows, chunk(b"tRNS", wide))) == 255).all()


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floating_point_pictures_are_scaled_to_their_greatest_value(top):
    ramp = np.linspace(0, top, 256, dtype=np.float32)[None].repeat(4, 0)
    found = pixels(encoded(Image.fromarray(ramp), "TIFF"))
    assert np.abs(found[0, :, 0] - np.arange(256)).max() <= 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -5.0])
def test_floating_point_pictures_without_a_number_are_decoded(value):
    values = np.full((4, 4), value, dtype=np.float32)
    assert pixels(encoded(Image.fromarray(values), "TIFF")).max() == 0


def test_one_bit_is_black_and_white():
    image = Image.fromarray(np.tile([[True, False]], (4, 8)))
    for kind in ("PNG", "TIFF"):
        assert pixels(encoded(image, kind))[0, :4].tolist() == [[255] * 3, [0] * 3] * 2


def test_gray_with_alpha_and_rgba_are_laid_on_white():
    clear, half = (0, 0, 0, 0), (0, 0, 0, 128)
    for kind in ("PNG", "WEBP", "TIFF"):
        assert (pixels(encoded(Image.new("RGBA", (8, 8), clear), kind)) == 255).all()
        found = pixels(encoded(Image.new("RGBA", (8, 8), half), kind))
        assert np.abs(found - 127).max() <= 1
    assert (pixels(encoded(Image.new("LA", (8, 8), (0, 0)), "PNG")) == 255).all()
    assert (pixels(encoded(Image.new("LA", (8, 8), (90, 255)), "PNG")) == 90).all()


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_transparent_entry_of_a_palette_is_white(kind):
    image = quarters().quantize(4)
    index = image.getpixel((0, 0))
    found = pixels(encoded(image, kind, transparency=index))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert np.abs(found[0, -1] - (0, 255, 0)).max() <= 2


def test_transparency_of_gray_pictures_is_white():
    for mode, color in (("L", 7), ("1", 1)):
        data = encoded(Image.new(mode, (8, 8), color), "PNG", transparency=color)
        assert (pixels(data) == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_an_animation_gives_its_first_frame(kind):
    others = [plain(color=(0, 0, 255)), plain(color=(0, 255, 0))]
    data = encoded(plain(), kind, save_all=True, append_images=others)
    with Image.open(io.BytesIO(data)) as image:
        assert image.n_frames == 3
    assert np.abs(pixels(data) - CRIMSON).max() <= 4


def test_a_jpeg_of_several_pictures_gives_its_first():
    data = encoded(plain(), "MPO", save_all=True, append_images=[plain(color=(0, 0, 255))])
    assert np.abs(pixels(data) - CRIMSON).max() <= 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "GIF"])
def test_one_pixel(kind):
    image = open_photograph(encoded(plain(size=(1, 1)), kind), LIMIT, 256)
    assert image.size == image.info["full_size"] == (1, 1)


def test_a_line_of_pixels_is_not_reduced_to_nothing():
    image = open_photograph(encoded(plain(size=(5000, 1)), "PNG"), LIMIT, 1)
    assert image.size == (5000, 1)


# Upright

# How a camera's sensor must be written for each orientation to show `quarters`.
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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("side", [None, 8])
def test_photographs_are_turned_upright(orientation, kind, side):
    turn = WRITTEN[orientation]
    sensor = quarters() if turn is None else quarters().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(sensor, kind, exif=exif, **lossless)
    image = open_photograph(data, LIMIT, side)
    assert image.info["full_size"] == (48, 32)
    expected = np.asarray(quarters(image.size)).astype(int)
    assert image.size == ((48, 32) if side is None else (12, 8))
    found = np.asarray(image).astype(int)
    if kind == "JPEG":
        corners = np.ix_([1, -2], [1, -2])
        assert np.abs(found[corners] - expected[corners]).max() <= 40
    else:
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_left_alone(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(
        pixels(encoded(quarters(), "PNG", exif=exif)), np.asarray(quarters())
    )


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("size", [(1000, 999), (999, 1000), (1000, 1000)])
@pytest.mark.parametrize("side", [100, 250, None])
def test_the_full_size_is_right_also_where_reducing_makes_it_square(orientation, size, side):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = open_photograph(encoded(plain(size=size), "JPEG", exif=exif), LIMIT, side)
    assert image.info["full_size"] == (size if orientation == 1 else size[::-1])


# Reduced


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.sampled_from(["PNG", "JPEG"])
)
def test_the_reduced_shorter_side_is_at_least_what_was_asked_for(width, height, side, kind):
    image = open_photograph(encoded(plain(size=(width, height)), kind), LIMIT, side)
    shorter = min(width, height)
    assert image.info["full_size"] == (width, height)
    assert min(image.size) >= min(side, shorter)
    fractions = [
        (-(-width // factor), -(-height // factor)) for factor in range(1, shorter // side + 2)
    ]
    assert image.size in (fractions or [(width, height)])
    assert np.abs(np.asarray(image).astype(int) - CRIMSON).max() <= 3


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(("side", "factor"), [(None, 1), (427, 1), (200, 2), (100, 4), (30, 14)])
def test_the_scale_is_told_so_that_places_can_be_found(orientation, kind, side, factor):
    """An edge at 448 of 639 is at 448 times the scale, whatever the rest of the last column."""
    if kind == "JPEG":
        factor = min(factor, 8)
    exif, dark = Image.Exif(), np.zeros((427, 639), dtype=np.uint8)
    dark[:, 448:] = 255
    exif[0x0112] = orientation
    image = open_photograph(encoded(Image.fromarray(dark), kind, exif=exif), LIMIT, side)
    assert image.info["scale"] == pytest.approx(1 / factor)
    along = np.asarray(image.convert("L")).max(axis=0 if orientation == 1 else 1)
    edge = 448 * image.info["scale"]
    assert abs(int((along < 128).sum()) - edge) <= 0.5


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("side", [427, 213, 100, 50])
def test_a_reduced_photograph_looks_like_the_whole_one(kind, side):
    """The reduced one is compared with an average over the same areas of the whole."""
    with Image.open(FLOWER) as flower:
        whole = flower.convert("RGB")
    data = encoded(whole, kind, quality=95) if kind == "JPEG" else encoded(whole, kind)
    image = open_photograph(data, LIMIT, side)
    factor = round(whole.width / image.width)
    assert factor == 427 // side
    difference = np.asarray(image).astype(int) - np.asarray(whole.reduce(factor)).astype(int)
    assert np.abs(difference.mean(axis=(0, 1))).max() < 1
    assert np.abs(difference).mean() < 2


def test_rgb_pictures_are_not_copied():
    image = plain()
    assert to_rgb(image) is image


# Sheets and figures


def test_a_sheet_has_a_place_for_every_picture():
    red, blue = (np.full((10, 20, 3), color, dtype=np.uint8) for color in (CRIMSON, (0, 0, 255)))
    image = sheet([[red, blue], [blue]], columns=["red", "blue"], names=["one", "two"], side=40)
    found = np.asarray(image)
    assert image.size == (2 * 44 + 4, 18 + 2 * (40 + 4 + 18) + 4)
    middle = 18 + 4 + 18 + 20
    assert found[middle, 4 + 20].tolist() == list(CRIMSON)
    assert found[middle, 4 + 44 + 20].tolist() == [0, 0, 255]
    assert found[middle + 62, 4 + 20].tolist() == [0, 0, 255]
    assert found[middle + 62, 4 + 44 + 20].tolist() == [255, 255, 255]


def test_an_empty_sheet_is_drawn():
    assert sheet([]).size == (136, 4)


def test_a_figure_gives_the_same_bytes_again(tmp_path):
    for name in ("one.png", "two.png"):
        figure = Figure((2, 1))
        figure.subplots().plot([1, 3, 2])
        save_figure(figure, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png"]
