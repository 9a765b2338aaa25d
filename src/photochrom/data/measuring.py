"""One photograph measured and judged by itself."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photochrom.color.colorfulness import both_colorfulnesses
from photochrom.params.data import FilterParams
from photochrom.pictures.opening import BadPhotographError, open_photograph

Planes = NDArray[np.int16]
MEASURED_SIDE = 256
"""Photographs are measured at the smallest whole fraction whose shorter side is at least this."""
LUMA = tuple(np.uint16(weight) for weight in (77, 150, 29))
"""Weights of red, green and blue in 1/256 (ITU-R BT.601); the luma of any color fits 16 bits."""
HALF = np.uint16(128)
MOST_ROWS = 65535 // 255
"""Rows whose levels sum up in 16 bits."""
GRAY_LEVELS, GRAY_SHARE = 4, 0.001
MOST_OF_GRAY = 15.0
"""No gray photograph reaches this colorfulness: 99.9 % of its pixels have \\|rg\\| and \\|yb\\| of
at most 4, the others of at most 255, which makes 12.8 + 1.9 at most."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one look at a photograph tells.

    Attributes
    ----------
    sha256 : of the encoded file.
    width, height : upright, in pixels; 0 where it cannot be opened.
    colorfulness, colorfulness_absolute : both published variants; NaN where it cannot be opened.
    hash : 64-bit difference hash, 16 hexadecimal digits; empty where it cannot be opened.
    reason, detail : why it cannot be kept by itself, or empty.
    """

    sha256: str = ""
    width: int = 0
    height: int = 0
    colorfulness: float = float("nan")
    colorfulness_absolute: float = float("nan")
    hash: str = ""
    reason: str = ""
    detail: str = ""


def measure(data: bytes, params: FilterParams) -> Measured:
    """Measure one encoded photograph and judge it by itself; never raises for a bad one."""
    digest = hashlib.sha256(data).hexdigest()
    try:
        image = open_photograph(data, params.max_megapixels, MEASURED_SIDE)
    except BadPhotographError as error:
        return Measured(sha256=digest, reason=error.fault, detail=str(error))
    width, height = image.info["full_size"]
    planes = planes_of(image)
    signed, absolute = both_colorfulnesses(planes)
    reason, detail = _judge(min(width, height), signed, planes, params)
    found = difference_hash(planes)
    return Measured(digest, width, height, signed, absolute, found, reason, detail)


def planes_of(image: Image.Image) -> Planes:
    """Return red, green and blue of an RGB image, int16 (3, H, W) in 0..255."""
    planes = np.empty((3, image.height, image.width), np.int16)
    for plane, band in zip(planes, "RGB", strict=True):
        plane[:] = np.frombuffer(image.tobytes("raw", band), np.uint8).reshape(plane.shape)
    return planes


def difference_hash(planes: Planes) -> str:
    """Return the 64-bit difference hash: is each of 9 x 8 gray areas darker than its right one.

    Neal Krawetz, Kind of Like That (2013). Gray is the luma of ITU-R BT.601, and the mean of an
    area is rounded to a level of 255, so that what is flat but for noise counts as equal.

    Parameters
    ----------
    planes : int16 (3, H, W) in 0..255: red, green and blue.
    """
    red, green, blue = planes.view(np.uint16)
    luma = red * LUMA[0]
    luma += green * LUMA[1]
    luma += blue * LUMA[2]
    luma += HALF
    luma >>= 8
    grid = _grid(*luma.shape)
    bands = _sums_of_rows(luma, grid)
    means = np.add.reduceat(bands, grid.left, axis=1, dtype=np.int64)
    # Rounded: (2 sum + pixels) / (2 pixels).
    means *= 2
    means += grid.pixels
    means //= 2 * grid.pixels
    return np.packbits(means[:, 1:] > means[:, :-1]).tobytes().hex()


@dataclass(frozen=True)
class _Grid:
    """The areas of a difference hash: slices of rows, first columns, and the pixels of each."""

    rows: tuple[slice, ...]
    left: NDArray[np.int64]
    pixels: NDArray[np.int64]
    sums: type[np.unsignedinteger]


def _sums_of_rows(luma: NDArray[np.uint16], grid: _Grid) -> NDArray[Any]:
    """Return the sums (8, W) over the rows of each area, in one call where all are as high."""
    height, width = luma.shape
    if height % 8 == 0:
        return np.asarray(np.add.reduce(luma.reshape(8, -1, width), 1, dtype=grid.sums))
    return np.stack([np.add.reduce(luma[rows], 0, dtype=grid.sums) for rows in grid.rows])


@lru_cache(maxsize=256)
def _grid(height: int, width: int) -> _Grid:
    (top, bottom), (left, right) = _parts(height, 8), _parts(width, 9)
    rows = tuple(slice(*edges) for edges in zip(top.tolist(), bottom.tolist(), strict=True))
    fits = int((bottom - top).max()) <= MOST_ROWS
    return _Grid(rows, left, np.outer(bottom - top, right - left), np.uint16 if fits else np.uint64)


def _parts(length: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut a side into equal parts of whole pixels, each of at least one: first and behind last."""
    edges = (2 * np.arange(count + 1) * length + count) // (2 * count)
    first = np.minimum(edges[:-1], length - 1)
    return first, np.maximum(edges[1:], first + 1)


def _judge(side: int, signed: float, planes: Planes, params: FilterParams) -> tuple[str, str]:
    if side < params.min_side:
        return "too small", f"Its shorter side is {side} px, under {params.min_side}."
    least = params.min_colorfulness
    if least is None:
        return "", ""
    if signed < MOST_OF_GRAY and _is_gray(planes):
        return "gray", "It has no color."
    if signed < least:
        return "not colorful", f"Its colorfulness is {signed:.1f}, under {least:g}."
    return "", ""


def _is_gray(planes: Planes) -> bool:
    red, green, blue = planes
    most, least = np.maximum(red, green), np.minimum(red, green)
    spread = np.maximum(most, blue) - np.minimum(least, blue)
    colored = int(np.count_nonzero(spread > GRAY_LEVELS))
    return colored < GRAY_SHARE * int(spread.size)
