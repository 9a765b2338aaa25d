"""Writing TIFF at eight and sixteen bits, with EXIF, which tifffile leaves to its callers."""

import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from photochrom.pictures.photograph import Photograph
from photochrom.pictures.profiles import srgb_profile

NO_EXIF = "Its EXIF could not be written as TIFF and was left out."
# tifffile refuses to write tags that point to further directories, so that each is written under
# the number before its own, which no baseline tag has, and renamed when the directory is there.
SUBORDINATE = (int(ExifTags.IFD.Exif), int(ExifTags.IFD.GPSInfo))
XMP = 700
# tifffile writes these itself: orientation, resolution across, down, and its unit.
WRITTEN = {274, 282, 283, 296}
INCH, BYTE, LONG = 2, 1, 4
# The first level takes a sixth of the usual sixth's time and 8 % more space.
COMPRESSION: dict[str, Any] = {
    "compression": "zlib",
    "compressionargs": {"level": 1},
    "predictor": True,
}
ENTRY = 12
BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""The length of a number by its type (TIFF 6.0, section 2)."""
Tag = tuple[int, int, int, bytes, bool]


def write_tiff(photograph: Photograph, target: BinaryIO) -> tuple[str, ...]:
    """Write a photograph as TIFF of the depth of its pixels, packed without loss.

    Returns
    -------
    Sentences on what could not be written.
    """
    import tifffile

    tags, subordinate, notes = _exif(photograph.metadata.exif)
    places = [(part - 1, LONG, 1, bytes(4), True) for part in subordinate]
    pixels, file = _pixels(photograph), io.BytesIO()
    tifffile.imwrite(
        file,
        pixels,
        photometric="rgb" if pixels.ndim > 2 and pixels.shape[2] > 2 else "minisblack",
        extrasamples=None if photograph.alpha is None else ["unassalpha"],
        planarconfig=None if pixels.ndim == 2 else "contig",
        byteorder="<",
        metadata=None,
        software=False,
        resolution=photograph.metadata.dpi,
        resolutionunit=None if photograph.metadata.dpi is None else INCH,
        iccprofile=srgb_profile() if photograph.profiled else None,
        extratags=[*tags, *places, *_xmp(photograph.metadata.xmp)],
        **COMPRESSION,
    )
    _append(file, subordinate)
    target.write(file.getbuffer())
    return notes


def _pixels(photograph: Photograph) -> np.ndarray:
    pixels, alpha = photograph.pixels, photograph.alpha
    if alpha is None:
        return pixels
    if pixels.dtype == np.uint8:
        return np.concatenate((np.atleast_3d(pixels), alpha[..., None]), -1)
    if pixels.ndim == 2:  # Pillow, and what builds on it, reads no gray of 16 bits with opacity.
        pixels = np.stack((pixels,) * 3, -1)
    return np.concatenate((pixels, alpha[..., None].astype(np.uint16) * 257), -1)


def _xmp(xmp: bytes | None) -> Iterator[Tag]:
    if xmp is not None:
        yield XMP, BYTE, len(xmp), xmp, True


def _exif(exif: bytes | None) -> tuple[list[Tag], dict[int, dict[int, Any]], tuple[str, ...]]:
    """Return EXIF's first directory as tags of tifffile, its further directories, and notes."""
    if exif is None:
        return [], {}, ()
    try:
        found = Image.Exif()
        found.load(exif)
        first = {tag: value for tag, value in found.items() if tag not in WRITTEN}
        parts = {part: dict(found.get_ifd(part)) for part in SUBORDINATE if part in first}
        tags = _tags({tag: value for tag, value in first.items() if tag not in parts})
        for part, entries in parts.items():
            _directory(part, entries, 8)
    except Exception:  # Whatever is damaged in it must not lose the photograph.
        return [], {}, (NO_EXIF,)
    return tags, parts, ()


def _tags(entries: dict[int, Any]) -> list[Tag]:
    """Return entries as tags of tifffile, packed and typed as Pillow does."""
    packed = _directory(0, entries, 0)
    (count,) = struct.unpack_from("<H", packed)
    tags: list[Tag] = []
    for place in range(2, 2 + ENTRY * count, ENTRY):
        tag, kind, number, start = struct.unpack_from("<HHII", packed, place)
        length = number * BYTES[kind]
        start = place + 8 if length <= 4 else start
        tags.append((tag, kind, number, packed[start : start + length], True))
    return tags


def _append(file: io.BytesIO, subordinate: dict[int, dict[int, Any]]) -> None:
    """Put directories at the end of a TIFF, and their places into the tags that await them."""
    import tifffile

    for part, entries in subordinate.items():
        file.seek(0)
        with tifffile.TiffFile(file) as opened:
            awaiting = opened.pages.first.tags[part - 1].offset
        place = file.seek(0, io.SEEK_END)
        place += file.write(bytes(place % 2))
        file.write(_directory(part, entries, place))
        file.seek(awaiting)
        file.write(struct.pack("<HHII", part, LONG, 1, place))


def _directory(part: int, entries: dict[int, Any], place: int) -> bytes:
    """Return the bytes of a directory that will stand at a place."""
    head = b"II*\0\x08\0\0\0"
    directory = TiffImagePlugin.ImageFileDirectory_v2(head, group=part or None)
    for tag, value in entries.items():
        directory[tag] = value
    written: bytes = directory.tobytes(place)
    return written
