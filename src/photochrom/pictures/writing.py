"""Writing colored photographs, with what their files said of them."""

from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, PngImagePlugin

from photochrom.pictures.photograph import Photograph
from photochrom.pictures.profiles import srgb_profile
from photochrom.pictures.tiff import write_tiff

SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
"""The formats that are written, by the file name's ending."""

# Color is the point, so none of it is thrown away (4:4:4), and little of anything else. PNG's first
# level takes a quarter of the usual sixth's time and 7 % more space (12 MP: 1.0 and 4.3 s, 17.1 and
# 16.0 MB); WebP's second method half of the fourth's, for a file no larger.
SETTINGS: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 1},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "method": 2},
}
LONGEST_SIDE = {"JPEG": 65_535, "WEBP": 16_383}
# A JPEG holds each in one segment of 64 KiB, behind a header of its own.
LONGEST_IN_JPEG = {"EXIF": 65_533, "XMP": 65_504}
NAMES = {"PNG": "PNG", "JPEG": "JPEG", "TIFF": "TIFF", "WEBP": "WebP"}


class UnwritableError(Exception):
    """A photograph that does not go into a format; the message says why, and what would do."""


def write_photograph(photograph: Photograph, target: BinaryIO, form: str) -> tuple[str, ...]:
    """Write a photograph as PNG, JPEG, TIFF or WEBP.

    Its EXIF, XMP and resolution go along (WebP holds no resolution of its own), and an sRGB profile
    where its file had any.

    Parameters
    ----------
    photograph : uint8 or uint16 pixels; TIFF keeps 16 bits, the others have eight. JPEG has no
        transparency: it is laid on white.
    target : where to write, opened for binary writing.
    form : one of ``SUFFIXES``' values.

    Returns
    -------
    Sentences on what could not be written; the photograph's own notes are not among them.

    Raises
    ------
    UnwritableError
        If it has more pixels a side than the format allows.
    OSError
        If the target cannot be written.
    """
    _refuse_sides(photograph.size, form)
    kept, notes = _metadata(photograph, form)
    if form == "TIFF":
        return write_tiff(photograph, target) + notes
    image = _image(photograph, form)
    image.save(target, form, **SETTINGS[form], **kept)
    return notes


def encoded(photograph: Photograph, form: str) -> bytes:
    """Return a photograph as the bytes of a file, see :func:`write_photograph`."""
    file = BytesIO()
    write_photograph(photograph, file, form)
    return file.getvalue()


def _refuse_sides(size: tuple[int, int], form: str) -> None:
    longest = LONGEST_SIDE.get(form)
    if longest is not None and max(size) > longest:
        raise UnwritableError(
            f"{NAMES[form]} holds at most {longest} pixels a side, and this photograph has "
            f"{size[0]} x {size[1]}: write PNG or TIFF."
        )


def _image(photograph: Photograph, form: str) -> Image.Image:
    image = photograph.image()
    if form != "JPEG" or photograph.alpha is None:
        return image
    opaque = "L" if image.mode == "LA" else "RGB"
    paper = Image.new(opaque, image.size, "white")
    paper.paste(image.convert(opaque), mask=image.getchannel("A"))
    return paper


def _metadata(photograph: Photograph, form: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what Pillow is to write beside the pixels, and notes on the rest."""
    found, notes = photograph.metadata, []
    if photograph.pixels.dtype == np.uint16 and form != "TIFF":
        notes.append(
            f"Its 16 bits were rounded to the 8 of {NAMES[form]}: write TIFF to keep them."
        )
    if photograph.alpha is not None and form == "JPEG":
        notes.append("JPEG has no transparency: it was laid on white.")
    parts = {"exif": ("EXIF", found.exif), "xmp": ("XMP", found.xmp)}
    kept: dict[str, Any] = {}
    for key, (name, data) in parts.items():
        if data is not None and form == "JPEG" and len(data) > LONGEST_IN_JPEG[name]:
            notes.append(
                f"Its {name} is too long for a JPEG and was left out: PNG or TIFF keep it."
            )
        elif data is not None:
            kept[key] = data
    if photograph.profiled:
        kept["icc_profile"] = srgb_profile()
    if found.dpi is not None and form != "WEBP":
        kept["dpi"] = found.dpi
    return _for_png(kept) if form == "PNG" else kept, tuple(notes)


def _for_png(kept: dict[str, Any]) -> dict[str, Any]:
    xmp = kept.pop("xmp", None)
    if xmp is not None:
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
        kept["pnginfo"] = text
    return kept
