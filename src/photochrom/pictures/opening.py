"""Opening photographs of every kind."""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from PIL import ExifTags, Image, UnidentifiedImageError

from photochrom.pictures.modes import BITS, PLANES, at_full_scale, to_rgb
from photochrom.pictures.profiles import to_srgb

Fault = Literal["corrupt", "too large"]

# The size is checked here, before anything is decoded, against a limit that the user sets.
Image.MAX_IMAGE_PIXELS = None
# No others: an EPS would start Ghostscript, and an ICO may hold a larger picture than it says.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
SEPARATE = 2
ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by the value of EXIF's Orientation."""


class BadPhotographError(Exception):
    """A file that cannot be used as a photograph; the message says why."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(fault, detail)
        self.fault: Fault = fault
        self.detail = detail

    def __str__(self) -> str:
        return self.detail


def open_photograph(data: bytes, max_megapixels: float, side: int | None = None) -> Image.Image:
    """Decode a photograph of any mode and depth to upright eight-bit RGB.

    Parameters
    ----------
    data : the encoded file, in one of :data:`FORMATS`.
    max_megapixels : larger pictures are refused before they are decoded.
    side : give the photograph at a half, a third .. of its size, as small as keeps its shorter side
        at least this; JPEGs decode 1/2, 1/4 and 1/8 directly. None gives the full size.

    Returns
    -------
    RGB image in sRGB, converted from its ICC profile. Rotated as EXIF says; transparency laid on
    white; 16 bits scaled to 8; the first frame of an animation. The attribute
    ``info['full_size']`` is the unreduced, upright size, and ``info['scale']`` the fraction of it;
    where it leaves a rest, the last column or row is narrower than the others.

    Raises
    ------
    BadPhotographError
        ``corrupt`` for what is empty, truncated or no picture, ``too large`` for a bomb.
    """
    if not data:
        raise BadPhotographError("corrupt", "The file is empty.")
    with refusing_what_is_damaged():
        return _decode(data, max_megapixels, side)


class _Silence:
    """Silences warnings while any thread is in it: odd metadata is no reason to warn or refuse.

    What :func:`warnings.catch_warnings` restores is the whole process's, so that threads which
    overlap would leave each other's filters behind.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._restored = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._restored = warnings.catch_warnings()
                self._restored.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._restored.__exit__(None, None, None)


_SILENCE = _Silence()


@contextmanager
def refusing_what_is_damaged() -> Iterator[None]:
    """Turn whatever a decoder raises into a :class:`BadPhotographError`, a sentence of one line."""
    try:
        with _SILENCE:
            yield
    except (BadPhotographError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise BadPhotographError("corrupt", "This is no picture that can be read here.") from None
    except Exception as error:  # The decoders let out whatever damaged bytes make them run into.
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise BadPhotographError("corrupt", f"It cannot be decoded: {said}.") from None


def refuse_more_than(max_megapixels: float, size: tuple[int, int]) -> None:
    """Raise a :class:`BadPhotographError` when a picture has more pixels than the limit."""
    width, height = size
    if width * height > max_megapixels * 1e6:
        fault = f"It has {width} x {height} pixels, over the limit of {max_megapixels:g} MP."
        raise BadPhotographError("too large", fault)


def refuse_what_is_misread(image: Image.Image) -> None:
    """Raise a :class:`BadPhotographError` for what Pillow would take for something else.

    Of a TIFF with 16 bits and a plane for each color it takes each half of a number for a number.
    """
    tags = getattr(image, "tag_v2", {})
    if tags.get(PLANES) == SEPARATE and max(tags.get(BITS, (8,))) > 8 and len(tags[BITS]) > 1:
        sentence = "Its colors lie in separate planes of 16 bits, which cannot be read here."
        raise BadPhotographError("corrupt", sentence)


def _decode(data: bytes, max_megapixels: float, side: int | None) -> Image.Image:
    image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height = image.size
    refuse_more_than(max_megapixels, image.size)
    refuse_what_is_misread(image)
    fraction = _draft(image, side)
    image.load()
    turned = orientation(image) > 4
    factor = 1 if side is None else max(1, min(image.size) // side)
    picture = to_rgb(to_srgb(upright(at_full_scale(image))))
    picture = picture if factor == 1 else picture.reduce(factor)
    picture.info["full_size"] = (height, width) if turned else (width, height)
    picture.info["scale"] = fraction / factor
    return picture


def _draft(image: Image.Image, side: int | None) -> float:
    """Have a JPEG decoded at the least fraction of its size that will do; return the fraction."""
    width, height = image.size
    shorter = min(width, height)
    if side is None or shorter <= side:
        return 1.0
    wanted = (round(width * side / shorter), round(height * side / shorter))
    drafted = image.draft(None, wanted)
    return drafted[1][2] / width if drafted else 1.0


def upright(image: Image.Image) -> Image.Image:
    """Turn and mirror a photograph as its EXIF orientation says."""
    turn = ORIENTATIONS.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def orientation(image: Image.Image) -> int:
    """Return EXIF's Orientation, 1..8; 1 where there is none, or none that can be read."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # Damaged EXIF raises whatever it makes the reader run into.
        return 1
    return value if value in ORIENTATIONS else 1
