"""Reading photographs to be colored, from files, bytes, arrays and Pillow's images."""

import errno
import io
import os
import stat
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from photochrom.pictures import layers
from photochrom.pictures.arrays import from_array
from photochrom.pictures.deep import EIGHT_BITS, has_deep_color, read_deep
from photochrom.pictures.metadata import read_metadata
from photochrom.pictures.modes import at_full_scale
from photochrom.pictures.opening import (
    FORMATS,
    BadPhotographError,
    orientation,
    refuse_more_than,
    refuse_what_is_misread,
    refusing_what_is_damaged,
)
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.profiles import embedded

MOST_MEGAPIXELS = 200.0
FIRST_OF_SEVERAL = "It holds several pictures: the first was taken."
Source = Path | str | bytes | Image.Image | np.ndarray


def read_photograph(source: Source, max_megapixels: float = MOST_MEGAPIXELS) -> Photograph:
    """Read a photograph of any format, mode and depth.

    Parameters
    ----------
    source : a path, the bytes of a file, an image of Pillow, or an array: (H, W), (H, W, 1),
        (H, W, 2), (H, W, 3) or (H, W, 4) of uint8, uint16, bool, or floats in 0..1; with two or
        four channels the last is opacity.
    max_megapixels : larger ones are refused before they are decoded.

    Returns
    -------
    The photograph, upright and in sRGB. Gray is (H, W). Of 16 bits where the source has them: gray
    of every format, colors of PNG and TIFF. Of TIFFs packed by LZW that takes the package
    imagecodecs; a note says so where only eight bits could be had.

    Raises
    ------
    BadPhotographError
        ``corrupt`` for what is empty, truncated or no picture; ``too large`` for a bomb.
    OSError
        When a file cannot be read, or the path is none of a file.
    """
    if isinstance(source, np.ndarray):
        return from_array(source, max_megapixels)
    if isinstance(source, Image.Image):
        refuse_more_than(max_megapixels, source.size)
        with refusing_what_is_damaged():
            return _read_loaded(source)
    if isinstance(source, bytes):
        return _read_file(io.BytesIO(source), len(source), max_megapixels)
    with _opened(source) as file:
        return _read_file(file, os.fstat(file.fileno()).st_size, max_megapixels)


def _opened(path: Path | str) -> IO[bytes]:
    """Open a file, and nothing that only looks like one: a device may never end."""
    try:
        mode = Path(path).stat().st_mode
    except ValueError:
        raise OSError(errno.EINVAL, "The name holds a zero byte", repr(path)) from None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "This is no file", str(path))
    return Path(path).open("rb")


def _read_file(file: IO[bytes], length: int, max_megapixels: float) -> Photograph:
    if length == 0:
        raise BadPhotographError("corrupt", "The file is empty.")
    with refusing_what_is_damaged():
        image: Image.Image = Image.open(file, formats=FORMATS)
        refuse_more_than(max_megapixels, image.size)
        several = _holds_several(image)
        photograph = _read_deep(file, image) if has_deep_color(image) else _read_loaded(image)
        return photograph.with_notes((FIRST_OF_SEVERAL,) if several else ())


def _holds_several(image: Image.Image) -> bool:
    # The further pictures of a camera's JPEG are previews and maps of depth or brightness.
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))


def _read_deep(file: IO[bytes], image: Image.Image) -> Photograph:
    """Read colors of 16 bits; of eight, with a note, where there is no other way."""
    pixels = read_deep(file, image)
    if pixels is None:
        refuse_what_is_misread(image)
        return _read_loaded(image).with_notes((EIGHT_BITS,))
    found = layers.of_deep_color(pixels, orientation(image), embedded(image))
    if found is None:
        refuse_what_is_misread(image)
        return _read_loaded(image).with_notes((layers.EIGHT_BITS_OF_PROFILE,))
    return _assembled(image, found)


def _read_loaded(image: Image.Image) -> Photograph:
    image.load()
    # Pillow turns a TIFF upright as it loads it, and its EXIF says so afterwards.
    return _assembled(image, layers.of_image(at_full_scale(image), orientation(image)))


def _assembled(image: Image.Image, found: layers.Layers) -> Photograph:
    height, width = found.pixels.shape[:2]
    metadata, notes = read_metadata(image, (width, height))
    form = "JPEG" if image.format == "MPO" else image.format
    profiled = bool(image.info.get("icc_profile"))
    return Photograph(
        found.pixels, found.alpha, form, metadata, (*found.notes, *notes), profiled=profiled
    )
