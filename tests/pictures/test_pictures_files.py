"""Paths, threads, damaged bytes, and what each format holds."""

import contextlib
import io
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from files_kit import deep, encoded, picture, scene
from photochrom.pictures.opening import BadPhotographError, refusing_what_is_damaged
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.reading import read_photograph
from photochrom.pictures.writing import (
    SUFFIXES,
    UnwritableError,
    write_photograph,
)
from photochrom.pictures.writing import (
    encoded as written,
)

KINDS = {
    kind: encoded(picture(mode), kind)
    for kind, mode in (
        ("JPEG", "RGB"),
        ("PNG", "LA"),
        ("GIF", "P"),
        ("WEBP", "RGBA"),
        ("BMP", "L"),
        ("PPM", "1"),
        ("TIFF", "I;16"),
    )
}


# Paths


@pytest.mark.parametrize("path", ["missing.jpg", "missing/folder/scan.png", ""])
def test_a_path_that_is_not_there(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match=r"."):
        read_photograph(path)


def test_a_folder(tmp_path):
    with pytest.raises(IsADirectoryError):
        read_photograph(tmp_path)


def test_a_name_with_a_zero_byte():
    with pytest.raises(OSError, match="zero byte"):
        read_photograph("scan\0.jpg")


def test_a_device_or_pipe_is_no_file(tmp_path):
    """A pipe that nobody writes to would never end, nor would /dev/zero."""
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", "/dev/zero"):
        with pytest.raises(OSError, match="This is no file"):
            read_photograph(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "scan.png"
    path.write_bytes(KINDS["PNG"])
    path.chmod(0)
    with pytest.raises(PermissionError):
        read_photograph(path)


def test_an_empty_file(tmp_path):
    (tmp_path / "scan.png").touch()
    with pytest.raises(BadPhotographError, match=r"The file is empty\."):
        read_photograph(tmp_path / "scan.png")


def test_the_limit_is_looked_at_before_decoding(tmp_path):
    path = tmp_path / "scan.png"
    path.write_bytes(encoded(picture("L", 1001, 1000), "PNG"))
    for source in (path, path.read_bytes(), Image.open(path)):
        with pytest.raises(BadPhotographError, match="1001 x 1000 pixels, over the limit of 1 MP"):
            read_photograph(source, 1.0)
        if isinstance(source, Image.Image):
            source.close()


# Images of Pillow


@pytest.mark.parametrize("mode", ["La", "RGBa", "PA", "RGBX", "HSV", "I;16B", "I;16L"])
def test_modes_that_no_file_has(mode):
    if mode.startswith("I;16"):
        image = Image.frombytes(mode, (40, 28), deep().astype(f"{'<>'['B' in mode]}u2").tobytes())
        np.testing.assert_array_equal(read_photograph(image).pixels, deep())
        return
    via = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}.get(mode, "RGB")
    image = picture("P" if mode == "PA" else via).convert(mode)
    found = read_photograph(image)
    assert (found.alpha is not None) == (mode in ("La", "RGBa"))
    expected = np.asarray(image.convert(via))
    pixels = expected[..., 0] if mode == "La" else expected[..., :3]
    np.testing.assert_array_equal(found.pixels, pixels)


def test_an_image_is_turned_upright_and_left_as_it_was():
    exif = Image.Exif()
    exif[0x0112] = 8
    with Image.open(io.BytesIO(encoded(picture(), "PNG", exif=exif))) as image:
        found = read_photograph(image)
        assert found.size == (28, 40)
        assert found.format == "PNG"
        assert image.size == (40, 28)
        np.testing.assert_array_equal(found.pixels, np.rot90(np.asarray(image)))


# Damage and threads


@settings(max_examples=250)
@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=10),
    st.floats(0.2, 1),
)
def test_damaged_files_are_read_or_refused(kind, damage, share):
    data = bytearray(KINDS[kind])
    for place, value in damage:
        data[int(place**2 * len(data))] = value
    with contextlib.suppress(BadPhotographError):
        assert written(read_photograph(bytes(data[: int(share * len(data))]), 1.0), "PNG")


def test_threads_that_overlap_leave_warnings_as_they_were():
    """The one that came first goes first, with the filters that it found."""
    before = list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with refusing_what_is_damaged():
            inside.set()
            leave.wait(10)

    def second() -> None:
        inside.wait(10)
        with refusing_what_is_damaged():
            leave.set()
            thread.join(10)
            warnings.warn("still silent", stacklevel=1)

    thread = threading.Thread(target=first)
    thread.start()
    second()
    assert warnings.filters == before


def test_threads_read_what_one_alone_reads():
    data = [KINDS[kind] for kind in sorted(KINDS)] * 4
    alone = [read_photograph(one) for one in data]
    with ThreadPoolExecutor(4) as threads:
        for found, expected in zip(threads.map(read_photograph, data), alone, strict=True):
            np.testing.assert_array_equal(found.pixels, expected.pixels)
            assert found.notes == expected.notes


# Formats


def test_jpeg_keeps_the_resolution_of_color():
    """Two colors of one luminance in columns of one pixel: halved, they would run into gray."""
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (200, 60, 60), (0, 130, 60)
    found = read_photograph(written(Photograph(stripes), "JPEG")).pixels
    assert np.abs(found.astype(int) - stripes).mean() < 12
    with Image.open(io.BytesIO(written(Photograph(stripes), "JPEG"))) as image:
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}


def test_jpeg_lays_what_is_transparent_on_white():
    alpha = np.full((28, 40), 255, np.uint8)
    alpha[:14] = 0
    file = io.BytesIO()
    notes = write_photograph(Photograph(scene(), alpha), file, "JPEG")
    assert notes == ("JPEG has no transparency: it was laid on white.",)
    found = read_photograph(file.getvalue())
    assert found.pixels[:12].min() >= 245
    assert np.abs(found.pixels[16:].astype(int) - scene()[16:]).mean() < 4


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_sixteen_bits_that_are_rounded_are_told(form):
    file = io.BytesIO()
    (note,) = write_photograph(Photograph(deep()), file, form)
    assert note.startswith("Its 16 bits were rounded to the 8 of")
    assert write_photograph(Photograph(deep()), io.BytesIO(), "TIFF") == ()


@pytest.mark.parametrize("shape", [(1, 16_384), (16_384, 1, 3)])
def test_webp_holds_no_longer_side(shape):
    photograph = Photograph(np.zeros(shape, np.uint8))
    with pytest.raises(UnwritableError, match=r"WebP holds at most 16383 .* write PNG or TIFF\."):
        written(photograph, "WEBP")
    assert written(Photograph(np.zeros((1, 16_383), np.uint8)), "WEBP")
    for form in ("PNG", "JPEG", "TIFF"):
        assert read_photograph(written(photograph, form)).size == photograph.size


def test_jpeg_holds_no_longer_side():
    with pytest.raises(UnwritableError, match="65536 x 1"):
        written(Photograph(np.zeros((1, 65_536), np.uint8)), "JPEG")
    assert written(Photograph(np.zeros((1, 65_500), np.uint8)), "JPEG")


@pytest.mark.parametrize("form", sorted(set(SUFFIXES.values())))
def test_the_same_photograph_gives_the_same_bytes(form):
    photograph = read_photograph(encoded(picture("RGBA"), "PNG", dpi=(300, 300)))
    assert written(photograph, form) == written(photograph, form)
