"""The ab plane, each color in itself and as dense as it is frequent."""

import io

import numpy as np
import torch
from PIL import Image

from photochrom.color.lab import AB_OFFSET, lab_to_rgb8

LIGHTNESS = 62.0
"""The L at which the plane is drawn."""
REACH = 112
"""Largest a and b that are drawn, either way: sRGB has none beyond."""
CELL = 2
"""Width of a drawn cell in units of ab."""
FAINTEST, FULL = -5.0, -1.5
"""Frequencies, as powers of ten of the most frequent color's: unseen up to the one, opaque from the
other."""


def color_plane(histogram: np.ndarray) -> bytes:
    """Draw how often each color occurs as a PNG: transparent where it does not, b upward.

    Parameters
    ----------
    histogram : (256, 256), pixels by rounded a and b, each plus 128.

    Returns
    -------
    The file: RGBA, 112 x 112, opacity linear in the logarithm of the frequency.
    """
    cells = _cells(histogram)
    share = cells / max(1, cells.max())
    power = np.log10(np.maximum(share, 10**FAINTEST))
    opacity = np.clip((power - FAINTEST) / (FULL - FAINTEST), 0, 1)
    picture = np.dstack((_colors(), np.round(31 * opacity) * (255 / 31)))
    upright = picture.transpose(1, 0, 2)[::-1].astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(upright)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _cells(histogram: np.ndarray) -> np.ndarray:
    middle = slice(int(AB_OFFSET) - REACH, int(AB_OFFSET) + REACH)
    side = 2 * REACH // CELL
    cells: np.ndarray = histogram[middle, middle].reshape(side, CELL, side, CELL).sum((1, 3))
    return cells


def _colors() -> np.ndarray:
    """Return uint8 (A, B, 3), the nearest color of sRGB to each cell."""
    values = torch.arange(-REACH, REACH, CELL, dtype=torch.float32) + CELL / 2
    a, b = torch.meshgrid(values, values, indexing="ij")
    lab = torch.stack((torch.full_like(a, LIGHTNESS), a, b))
    colors: np.ndarray = lab_to_rgb8(lab).permute(1, 2, 0).numpy()
    return colors
