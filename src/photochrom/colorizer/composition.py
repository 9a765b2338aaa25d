"""Joining the luminance of a photograph with predicted colors, at full resolution.

The linear luminance Y of each pixel is kept, also where its color is out of the gamut: such a color
c moves toward the gray of the same luminance, Y + t (c - Y), by as little as brings it in, which
costs saturation alone.
"""

import numpy as np
import torch
from torch import Tensor

from photochrom.color.lab import _FROM_WHITE, _TO_WHITE
from photochrom.colorizer.light import Levels, levels
from photochrom.colorizer.upsampling import slopes, strips

_WEIGHTS = _TO_WHITE[1].float()
_RED, _GREEN, _BLUE = _WEIGHTS.tolist()
"""What each channel of linear light adds to the luminance."""
_FROM_XZ = _FROM_WHITE[[0, 2, 1]][:, [0, 2]].float()
"""From X - Y and Z - Y to linear red, blue and green, each less Y: of no luminance by itself."""
_EPSILON, _SLOPE = 0.008856, 7.787
_KNEE = _EPSILON ** (1 / 3)
_NONE = 1e-30
"""Less than any light, and more than the zero by which nothing can be divided."""


def compose(pixels: np.ndarray, ab: Tensor, guide: Tensor | None = None) -> np.ndarray:
    """Give a photograph colors, and keep its luminance.

    Parameters
    ----------
    pixels : uint8 or uint16, (H, W) gray or (H, W, 3) sRGB.
    ab : float32 tensor (2, h, w), any finite values and any size; it covers the whole photograph.
    guide : float32 tensor (h, w), L of the photograph at the size of ab, by whose edges ab is
        brought to full size; None leaves it bicubic.

    Returns
    -------
    sRGB pixels (H, W, 3) of the same depth. The gray level of the same luminance differs from the
    photograph's by at most half a level, for each pixel; gray with ab = 0 does not change.
    """
    depth, maps = levels(pixels.dtype.name), ab.float().cpu()
    if guide is not None:
        known = guide.float().cpu()
        maps = torch.cat((maps, slopes(maps, known), known[None]))
    colored = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    for rows, part in strips(maps, pixels.shape[:2]):
        luminance = _luminance(pixels[rows], depth)
        for channel, values in enumerate(_levels(luminance, _chroma(luminance, part), depth)):
            colored[rows, :, channel] = values.numpy()
    return colored


def _luminance(pixels: np.ndarray, depth: Levels) -> Tensor:
    """Return the linear luminance (H, W), 0..1, of gray or color."""
    light = depth.light(torch.from_numpy(pixels.astype(np.int32)))
    if light.ndim == 2:
        return light
    return torch.mv(light.flatten(0, 1), _WEIGHTS).view(light.shape[:2])


def _chroma(luminance: Tensor, maps: Tensor) -> Tensor:
    """Return linear red, blue and green, each less the luminance, within the gamut (3, H, W)."""
    f = _f(luminance)
    ab = maps[:2] if len(maps) == 2 else _guided(maps, 116.0 * f - 16.0)
    xz = _f_inverse(torch.stack((f + ab[0] / 500.0, f - ab[1] / 200.0))).sub_(luminance)
    chroma = torch.mm(_FROM_XZ, xz.flatten(1)).view(3, *luminance.shape)
    return _share_in_gamut(luminance, chroma) * chroma


def _guided(maps: Tensor, lightness: Tensor) -> Tensor:
    """Add to ab what the detail of L that bicubic lacks says of it (2, H, W)."""
    ab, slope, known = maps.split((2, 2, 1))
    guided: Tensor = ab + slope * (lightness - known)
    return guided


def _share_in_gamut(luminance: Tensor, chroma: Tensor) -> Tensor:
    """Return the greatest t in 0..1 with which Y + t chroma lies in 0..1 in each channel (H, W)."""
    red, blue, green = chroma
    above = torch.maximum(torch.maximum(red, blue), green)
    below = torch.minimum(torch.minimum(red, blue), green).neg_()
    room = 1.0 - luminance
    return torch.minimum(
        room / torch.maximum(room, above).clamp_(min=_NONE),
        luminance / torch.maximum(luminance, below).clamp_(min=_NONE),
    )


def _levels(luminance: Tensor, chroma: Tensor, depth: Levels) -> tuple[Tensor, Tensor, Tensor]:
    """Return the levels of red, green and blue (H, W) each.

    Red and blue are rounded; green, which weighs most, makes up for what that costs in luminance.
    """
    red, blue = depth.nearest(luminance + chroma[:2])
    rest = luminance - _RED * depth.light(red) - _BLUE * depth.light(blue)
    return red, depth.nearest(rest / _GREEN), blue


def _f(light: Tensor) -> Tensor:
    """Return CIE 15:2004's f; its straight part goes on from the root's at the knee."""
    bent = light.clamp(min=_EPSILON)
    root = torch.from_numpy(np.cbrt(bent.numpy()))
    return root.add_(light - bent, alpha=_SLOPE)


def _f_inverse(f: Tensor) -> Tensor:
    bent = f.clamp(min=_KNEE)
    return (bent * bent * bent).add_((f - bent) / _SLOPE)
