"""What a file says of its photograph: read so that it is true of the upright one in sRGB."""

import math
import re

from PIL import ExifTags, Image

from photochrom.pictures.photograph import Metadata

NO_EXIF = "Its EXIF is damaged and was left out."
MOST_DPI = 65535.0

# What tells how the pixels of the old file were stored, TIFF 6.0's and its supplements'; and XMP,
# IPTC, Photoshop's resources and the profile, which stand in EXIF only in a TIFF.
STORAGE = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284),
    *(288, 289, 290, 291, 292, 293, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330),
    *(332, 333, 334, 336, 337, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519),
    *(520, 521, 529, 530, 531, 532, 559, 700, 33723, 34377, 34675, 37724, 50341),
}
ORIENTATION = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)\d+")


def read_metadata(image: Image.Image, size: tuple[int, int]) -> tuple[Metadata, tuple[str, ...]]:
    """Read EXIF, XMP and resolution.

    Parameters
    ----------
    image : as Pillow opened it.
    size : width and height of the upright photograph.

    Returns
    -------
    The metadata: the orientation is upright, the old thumbnail left out, the color space sRGB. And
    sentences on what could not be kept.
    """
    exif, notes = _exif(image, size)
    return Metadata(exif, _xmp(image), _dpi(image)), notes


def _exif(image: Image.Image, size: tuple[int, int]) -> tuple[bytes | None, tuple[str, ...]]:
    try:
        found = image.getexif()
        kept = _kept(found, size)
        return (kept.tobytes() if len(kept) else None), ()
    except Exception:  # Damaged EXIF raises whatever it makes the reader run into.
        return None, (NO_EXIF,)


def _kept(found: Image.Exif, size: tuple[int, int]) -> Image.Exif:
    """Return EXIF without what was true only of the old file; its thumbnail is never copied."""
    kept = Image.Exif()
    for tag, value in found.items():
        if tag not in STORAGE and tag not in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            kept[tag] = value
    for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        entries = dict(found.get_ifd(part))
        if part == ExifTags.IFD.Exif:
            entries = _of_the_upright(entries, size)
        if entries:
            kept[part] = entries
    if kept.get(ExifTags.Base.Orientation) is not None:
        kept[ExifTags.Base.Orientation] = 1
    return kept


def _of_the_upright(entries: dict[int, object], size: tuple[int, int]) -> dict[int, object]:
    true = {
        ExifTags.Base.ExifImageWidth: size[0],
        ExifTags.Base.ExifImageHeight: size[1],
        ExifTags.Base.ColorSpace: 1,
    }
    # The directory of interoperability only says which color space it was.
    kept = {tag: value for tag, value in entries.items() if tag != ExifTags.IFD.Interop}
    return kept | {int(tag): value for tag, value in true.items() if tag in entries}


def _xmp(image: Image.Image) -> bytes | None:
    found = image.info.get("xmp")
    if isinstance(found, str):
        found = found.encode()
    if not isinstance(found, bytes) or not found.strip(b"\0 "):
        return None
    return ORIENTATION.sub(rb"\g<1>1", found)


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    sound = all(math.isfinite(value) and 1.0 <= value <= MOST_DPI for value in (across, down))
    return (across, down) if sound else None
