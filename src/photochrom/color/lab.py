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
CACHED_PIXELS = 2**14
"""So many are converted at a time: their intermediate values fit into a core's own cache."""


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
    bytes are the same on every machine. In float32 one value in 98,000 differs, by one level.
    """
    count, height, width, _ = rgb.shape
    pixels = rgb.reshape(count, height * width, 3)
    stored = np.empty((count, 3, height * width), dtype=np.uint8)
    step = max(1, CACHED_PIXELS // max(1, height * width))
    space = np.empty((3, 3 * CACHED_PIXELS))
    for square in range(0, count, step):
        for first in range(0, height * width, CACHED_PIXELS):
            piece = pixels[square : square + step, first : first + CACHED_PIXELS]
            target = stored[square : square + step, :, first : first + CACHED_PIXELS]
            levels = _encoded(piece.reshape(-1, 3), space).reshape(3, *piece.shape[:2])
            target[:] = levels.transpose(1, 0, 2)  # To uint8.
    return stored.reshape(count, 3, height, width)


def _encoded(rgb: np.ndarray, space: np.ndarray) -> np.ndarray:
    """Convert pixels (n, 3) in three buffers that are at hand: to make them takes longer."""
    table, to_white, to_levels = _tables()
    linear, xyz, f = (buffer[: rgb.size].reshape(3, -1) for buffer in space)
    np.take(table, np.ascontiguousarray(rgb.T), out=linear, mode="clip")
    np.matmul(to_white, linear, out=xyz)
    np.cbrt(xyz, out=f)
    dark = xyz <= _EPSILON
    f[dark] = _SLOPE * xyz[dark] + _SHIFT
    levels: np.ndarray = np.matmul(to_levels, f, out=linear)
    # With the half, what follows the point is cut off to round; no color of sRGB is out of range.
    levels += np.array([[0.5 - 16.0 / L_STEP], [0.5 + AB_OFFSET], [0.5 + AB_OFFSET]])
    return levels


@cache
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the linear values of 256 levels, the way to XYZ, and that from f to stored levels."""
    table = _linear(torch.arange(256, dtype=torch.float64) / 255.0).numpy()
    to_lab = [[0.0, 116.0 / L_STEP, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]]
    return table, _TO_WHITE.numpy(), np.array(to_lab)


def _linear(rgb: Tensor) -> Tensor:
    return torch.where(rgb > 0.04045, ((rgb.clamp(min=0) + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def _mix(matrix: Tensor, channels: Tensor) -> Tensor:
    return torch.einsum("ij,...jhw->...ihw", matrix.to(channels), channels)


def _f(t: Tensor) -> Tensor:
    return torch.where(t > _EPSILON, t.clamp(min=_EPSILON) ** (1 / 3), _SLOPE * t + _SHIFT)


def _f_inverse(f: Tensor) -> Tensor:
    f = f.clamp(-_FAR, _FAR)
    return torch.where(f > 0.2068966, f**3, (f - _SHIFT) / _SLOPE)
