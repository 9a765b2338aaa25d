"""Large pictures, worked through in strips of lines, so that memory holds no second whole one."""

from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image

STRIP_PIXELS = 1 << 20


def bounds(height: int, width: int) -> Iterator[tuple[int, int]]:
    """Yield the first line and the line after the last of each strip, about a megapixel each."""
    lines = max(1, STRIP_PIXELS // width)
    for top in range(0, height, lines):
        yield top, min(top + lines, height)


def strips(image: Image.Image) -> Iterator[Image.Image]:
    """Yield a picture's strips from above, with its mode and info."""
    for top, bottom in bounds(image.height, image.width):
        yield image.crop((0, top, image.width, bottom))


def joined(parts: Iterable[np.ndarray], height: int, orientation: int = 1) -> np.ndarray:
    """Join strips to the upright picture.

    Parameters
    ----------
    parts : arrays (h, W) or (h, W, C), together ``height`` lines, as they are stored.
    orientation : EXIF's, of the stored lines.

    Returns
    -------
    Contiguous array (height, W[, C]); (W, height[, C]) where it was stored on its side.
    """
    whole, stored, top = None, np.empty(0), 0
    for part in parts:
        if whole is None:
            shape = (height, *part.shape[1:])
            upright = (shape[1], shape[0], *shape[2:]) if orientation > 4 else shape
            whole = np.empty(upright, dtype=part.dtype)
            stored = as_stored(whole, orientation)
        stored[top : top + len(part)] = part
        top += len(part)
    assert whole is not None
    return whole


def as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """Return a view of an upright picture as a file of an orientation stores it (EXIF 2.32, 4.6.4).

    It is the inverse of :data:`photochrom.pictures.opening.ORIENTATIONS`.
    """
    view = upright.swapaxes(0, 1) if orientation > 4 else upright
    rows = slice(None, None, -1 if orientation in (3, 4, 6, 7) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 7, 8) else 1)
    return view[rows, columns]


def rounded(levels: np.ndarray) -> np.ndarray:
    """Round 16 bits to the nearest of 256 levels; 65535 = 257 * 255."""
    return ((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)
