"""Pixels and opacity of an opened picture, upright and in sRGB."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from photochrom.pictures.modes import is_deep
from photochrom.pictures.profiles import LEFT_ASIDE, base_mode, conversion, embedded, opacity, plain
from photochrom.pictures.shapers import read_shaper
from photochrom.pictures.strips import bounds, joined, rounded, strips

EIGHT_BITS_OF_PROFILE = (
    "Its 16 bits a channel were read as 8: its color profile works by a table of colors. Convert "
    "it to sRGB to keep them."
)
Levels = Callable[[np.ndarray], np.ndarray]


class Layers(NamedTuple):
    """Pixels uint8 or uint16, (H, W) or (H, W, 3); alpha uint8 (H, W) or None; notes."""

    pixels: np.ndarray
    alpha: np.ndarray | None
    notes: tuple[str, ...]


def of_image(image: Image.Image, orientation: int) -> Layers:
    """Take a loaded picture of any mode apart.

    Returns
    -------
    Layers of 16 bits for the modes of Pillow that have them (I;16, I, F), of eight for the others.
    Integers of 32 bits and floats are scaled from their greatest value, where that is over 65535 or
    over 1.
    """
    if is_deep(image):
        return _of_deep_gray(image, orientation)
    found = conversion(embedded(image), base_mode(image))
    parts = (np.asarray(found(plain(strip))) for strip in strips(image))
    pixels = joined(parts, image.height, orientation)
    alpha = None
    if image.has_transparency_data:
        shares = (np.asarray(opacity(strip)) for strip in strips(image))
        alpha = _unless_opaque(joined(shares, image.height, orientation))
    return Layers(pixels, alpha, (found.note,) if found.note else ())


def of_deep_color(pixels: np.ndarray, orientation: int, profile: bytes | None) -> Layers | None:
    """Take 16-bit colors apart.

    Parameters
    ----------
    pixels : uint16 (H, W, 3), or with alpha (H, W, 2) or (H, W, 4), as the file stores them.
    profile : the file's ICC profile.

    Returns
    -------
    None where the profile works by a table of colors, and can be followed with eight bits only.
    """
    gray = pixels.shape[2] == 2
    levels, notes = _deep_levels(profile, "L" if gray else "RGB")
    if levels is None:
        return None
    color = pixels[..., 0] if gray else pixels[..., :3]
    height, width = color.shape[:2]
    whole = joined((levels(color[a:b]) for a, b in bounds(height, width)), height, orientation)
    alpha = None
    if pixels.shape[2] in (2, 4):
        parts = (rounded(pixels[a:b, :, -1]) for a, b in bounds(height, width))
        alpha = _unless_opaque(joined(parts, height, orientation))
    return Layers(whole, alpha, notes)


def _of_deep_gray(image: Image.Image, orientation: int) -> Layers:
    levels, notes = _deep_levels(embedded(image), "L")
    if levels is None:
        levels, notes = _unchanged, (LEFT_ASIDE,)
    values = _values(image)
    pixels = joined((levels(part) for part in values), image.height, orientation)
    alpha = None
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        shares = ((part != clear) * np.uint8(255) for part in _values(image))
        alpha = _unless_opaque(joined(shares, image.height, orientation))
    return Layers(pixels, alpha, notes)


def _values(image: Image.Image) -> Iterator[np.ndarray]:
    """Yield strips of a deep gray picture as uint16."""
    if image.mode.startswith("I;16"):
        yield from (np.asarray(strip).astype(np.uint16, copy=False) for strip in strips(image))
        return
    least = 1.0 if image.mode == "F" else 65535.0
    greatest = max(float(_finite(strip).max()) for strip in strips(image))
    scale = 65535.0 / max(greatest, least)
    for strip in strips(image):
        yield np.round(_finite(strip) * scale).clip(0, 65535).astype(np.uint16)


def _finite(strip: Image.Image) -> np.ndarray:
    values = np.asarray(strip).astype(np.float64)
    return np.where(np.isfinite(values), values, 0.0)


def _deep_levels(profile: bytes | None, mode: str) -> tuple[Levels | None, tuple[str, ...]]:
    """Return what 16-bit levels become in sRGB; None where a sound profile has no curves."""
    found = conversion(profile, mode)
    if profile is None or not found.changes:
        return _unchanged, (found.note,) if found.note else ()
    shaper = read_shaper(profile)
    if shaper is None:
        return None, ()
    if mode == "RGB":
        return shaper.color, ()
    table = shaper.gray_table()
    return lambda pixels: table[pixels], ()


def _unchanged(pixels: np.ndarray) -> np.ndarray:
    return pixels


def _unless_opaque(alpha: np.ndarray) -> np.ndarray | None:
    return alpha if alpha.min() < 255 else None
