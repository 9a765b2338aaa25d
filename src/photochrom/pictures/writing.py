"""Writing colored photographs, with what their files said of them."""

from io import BytesIO
from typing import BinaryIO

from photochrom.pictures.photograph import Photograph

SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
"""The formats that are written, by the file name's ending."""


def write_photograph(photograph: Photograph, target: BinaryIO, form: str) -> None:
    """Write a photograph as PNG, JPEG, TIFF or WEBP.

    Parameters
    ----------
    photograph : uint8 or uint16 pixels; TIFF keeps 16 bits, the others have eight.
    target : where to write, opened for binary writing.
    form : one of ``SUFFIXES``' values.
    """
    image = photograph.image()
    (image.convert("RGB") if form == "JPEG" else image).save(target, form)


def encoded(photograph: Photograph, form: str) -> bytes:
    """Return a photograph as the bytes of a file, see :func:`write_photograph`."""
    file = BytesIO()
    write_photograph(photograph, file, form)
    return file.getvalue()
