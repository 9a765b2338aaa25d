"""sRGB and CIE Lab, and the eight-bit Lab in which photographs are stored.

sRGB with the transfer curve of IEC 61966-2-1, D65 white (0.95047, 1, 1.08883), CIE 15:2004 f.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

WHITE = (0.95047, 1.0, 1.08883)
AB_OFFSET = 128
L_STEP = 100.0 / 255.0

_RGB_TO_XYZ = torch.tensor(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ],
    dtype=torch.float64,
)
_TO_WHITE = _RGB_TO_XYZ / torch.tensor(WHITE, dtype=torch.float64)[:, None]
_FROM_WHITE = torch.linalg.inv(_TO_WHITE)
_EPSILON, _SLOPE, _SHIFT = 0.008856, 7.787, 16.0 / 116.0
_FAR = 1e6
"""Far beyond any color, and its cube far below infinity: infinities would mix to NaN."""
CACHED_PIXELS = 2**15
"""So many are converted at a time: their intermediate values, some 50 bytes each, stay in cache."""
DOUBT = 1e-3
"""Levels that float32 errs by at most on the way to stored Lab, with room to spare."""


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Convert sRGB to Lab.

    Parameters
    ----------
    rgb : float tensor (..., 3, H, W) in 0..1. Eight-bit values must be divided by 255 first.

    Returns
    -------
    Tensor (..., 3, H, W): L in 0..100, a in -86.2..98.2, b in -107.9..94.5.

    Raises
    ------
    TypeError
        For integer tensors, whose range is not 0..1.
    """
    if not rgb.is_floating_point():
        raise TypeError(f"rgb_to_lab takes floats in 0..1, got {rgb.dtype}; divide by 255 first")
    x, y, z = _f(_mix(_TO_WHITE, _linear(rgb))).unbind(-3)
    return torch.stack((116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)), dim=-3)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Convert Lab to sRGB in 0..1; colors outside the gamut are clipped channel by channel.

    Parameters
    ----------
    lab : float tensor (..., 3, H, W), any finite values: none gives NaN.
    """
    lightness, a, b = lab.unbind(-3)
    y = (lightness + 16.0) / 116.0
    xyz = _f_inverse(torch.stack((y + a / 500.0, y, y - b / 200.0), dim=-3))
    linear = _mix(_FROM_WHITE, xyz).clamp(0.0, 1.0)
    curved = 1.055 * linear.clamp(min=0.0031308) ** (1.0 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, curved, 12.92 * linear).clamp(0.0, 1.0)


def lab_to_rgb8(lab: Tensor) -> Tensor:
    """Convert Lab to eight-bit sRGB, rounded to the nearest value (uint8, same shape)."""
    return (lab_to_rgb(lab) * 255.0).round().to(torch.uint8)


def encode_lab(lab: Tensor) -> Tensor:
    """Store Lab in eight bits: L in steps of 100/255, a and b in steps of 1, offset by 128."""
    lightness, ab = lab.narrow(-3, 0, 1) / L_STEP, lab.narrow(-3, 1, 2) + AB_OFFSET
    return torch.cat((lightness, ab), dim=-3).round().clamp(0, 255).to(torch.uint8)


def decode_lab(stored: Tensor) -> Tensor:
    """Undo :func:`encode_lab`, to within half a step (float32)."""
    values = stored.float()
    return torch.cat((values.narrow(-3, 0, 1) * L_STEP, values.narrow(-3, 1, 2) - AB_OFFSET), -3)


def encode_rgb8(rgb: np.ndarray) -> np.ndarray:
    """Convert eight-bit sRGB to stored Lab, several times as fast as the definition.

    Parameters
    ----------
    rgb : uint8 (N, H, W, 3).

    Returns
    -------
    uint8 (N, 3, H, W), ``encode_lab(rgb_to_lab(rgb / 255))`` in float64. Of the 2^24 colors none
    comes nearer than 5e-9 to the middle of two levels, far more than float64 errs by, so that the
    bytes are the same on every machine. Float32 takes two thirds of the time and errs by less than
    :data:`DOUBT`: the few pixels that it leaves between two levels are converted again in float64.
    """
    count, height, width, _ = rgb.shape
    area = height * width
    pixels = rgb.reshape(count, area, 3)
    stored = np.empty((count, 3, area), dtype=np.uint8)
    doubtful = np.empty((count, area), dtype=np.bool_)
    convert = _SinglePrecision(min(CACHED_PIXELS, count * area))
    step = max(1, CACHED_PIXELS // max(1, area))
    for square in range(0, count, step):
        for first in range(0, area, CACHED_PIXELS):
            place = slice(square, square + step), slice(first, first + CACHED_PIXELS)
            piece = pixels[place]
            levels, apart = convert(piece.reshape(-1, 3))
            stored[place[0], :, place[1]] = levels.reshape(3, *piece.shape[:2]).transpose(1, 0, 2)
            doubtful[place] = apart.reshape(piece.shape[:2])
    doubts = np.flatnonzero(doubtful)
    squares, places = np.divmod(doubts, area)
    stored[squares, :, places] = _in_double(rgb.reshape(-1, 3)[doubts]).T
    return stored.reshape(count, 3, height, width)


class _SinglePrecision:
    """Converts pixels in float32, in buffers that are at hand: to make them takes longer."""

    def __init__(self, most: int) -> None:
        # Levels are looked up by twos, so that an odd number of them takes one more.
        self._rgb = np.zeros(3 * most + 1, dtype=np.uint8)
        self._linear = np.empty(3 * most + 1, dtype=np.float32)
        self._terms = np.empty(7 * most, dtype=np.float32)
        self._levels = np.empty(6 * most, dtype=np.uint8)

    def __call__(self, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the levels (3, n) of pixels (n, 3), and which pixels may have others (n,)."""
        count, size = len(rgb), rgb.size
        terms = self._terms[: 7 * count].reshape(7, count)
        self._fill(terms, self._linear_of(rgb))
        levels = self._linear[:size].reshape(3, count)
        np.matmul(_single_tables()[2], terms, out=levels)
        low, high = self._levels[: 2 * size].reshape(2, 3, count)
        # What follows the point is cut off; no color of sRGB is out of range.
        np.copyto(low, levels, casting="unsafe")
        levels += np.float32(2 * DOUBT)
        np.copyto(high, levels, casting="unsafe")
        apart = low != high
        return low, apart[0] | apart[1] | apart[2]

    def _linear_of(self, rgb: np.ndarray) -> np.ndarray:
        """Return the linear values of pixels (n, 3)."""
        size = rgb.size
        even = size + size % 2
        self._rgb[:size] = rgb.ravel()
        codes, linear = self._rgb[:even].view(np.uint16), self._linear[:even]
        np.take(_single_tables()[0], codes, out=linear.view(np.uint64), mode="wrap")
        return linear[:size].reshape(-1, 3)

    def _fill(self, terms: np.ndarray, linear: np.ndarray) -> None:
        """Write what levels are sums of: cube roots, what is dark, and a one.

        The f of CIE 15:2004 is the cube root of what is bright, or of the least such value, and
        a multiple of what is dark less the multiple of the greatest such value.
        """
        bright, dark, terms[6] = terms[:3], terms[3:6], 1.0
        np.matmul(_single_tables()[1], linear.T, out=dark)
        np.clip(dark, np.float32(_EPSILON), np.float32(2), out=bright)
        np.cbrt(bright, out=bright)
        np.clip(dark, np.float32(0), np.float32(_EPSILON), out=dark)


def _in_double(rgb: np.ndarray) -> np.ndarray:
    """Return the levels (3, n) of pixels (n, 3), computed in float64."""
    table, to_levels = _tables()
    xyz = _TO_WHITE.numpy() @ table[rgb.T]
    f = np.where(xyz > _EPSILON, np.cbrt(xyz), _SLOPE * xyz + _SHIFT)
    levels: np.ndarray = (to_levels[:, :3] @ f + to_levels[:, 3:]).astype(np.uint8)
    return levels


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Return the linear values of 256 levels, and the way from f and a one to stored levels.

    The offsets hold the half that lets what follows the point be cut off to round.
    """
    table = _linear(torch.arange(256, dtype=torch.float64) / 255.0).numpy()
    to_levels = [
        [0.0, 116.0 / L_STEP, 0.0, 0.5 - 16.0 / L_STEP],
        [500.0, -500.0, 0.0, 0.5 + AB_OFFSET],
        [0.0, 200.0, -200.0, 0.5 + AB_OFFSET],
    ]
    return table, np.array(to_levels)


@cache
def _single_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the linear values of every two levels side by side, and the ways to XYZ and levels.

    Two float32 stand in a uint64 (65536,), by the uint16 whose bytes the two levels are.
    """
    table, to_levels = _tables()
    both = np.arange(2**16, dtype=np.uint16).view(np.uint8)
    of_f, offsets = to_levels[:, :3], to_levels[:, 3:]
    least = offsets - of_f.sum(1, keepdims=True) * _SLOPE * _EPSILON - DOUBT
    ways = _TO_WHITE.numpy(), np.concatenate((of_f, _SLOPE * of_f, least), 1)
    to_white, to_least = (way.astype(np.float32) for way in ways)
    return table.astype(np.float32)[both].view(np.uint64), to_white, to_least


def _linear(rgb: Tensor) -> Tensor:
    return torch.where(rgb > 0.04045, ((rgb.clamp(min=0) + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def _mix(matrix: Tensor, channels: Tensor) -> Tensor:
    return torch.einsum("ij,...jhw->...ihw", matrix.to(channels), channels)


def _f(t: Tensor) -> Tensor:
    return torch.where(t > _EPSILON, t.clamp(min=_EPSILON) ** (1 / 3), _SLOPE * t + _SHIFT)


def _f_inverse(f: Tensor) -> Tensor:
    f = f.clamp(-_FAR, _FAR)
    return torch.where(f > 0.2068966, f**3, (f - _SHIFT) / _SLOPE)
