"""Joining the luminance of a photograph with predicted colors, at full resolution."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from photochrom.color.lab import lab_to_rgb8, rgb_to_lab
from photochrom.colorizer.options import Upsampling


def compose(pixels: np.ndarray, ab: Tensor, upsampling: Upsampling = "bicubic") -> np.ndarray:
    """Give a photograph colors.

    Parameters
    ----------
    pixels : uint8 or uint16, (H, W) gray or (H, W, 3) sRGB, whose luminance is kept.
    ab : float32 tensor (2, h, w), any size of about the same aspect.
    upsampling : how ab comes to the photograph's size.

    Returns
    -------
    sRGB pixels (H, W, 3) of the same depth.
    """
    rgb = torch.from_numpy(pixels.astype(np.float32) / np.iinfo(pixels.dtype).max)
    rgb = rgb.expand(3, *rgb.shape) if rgb.ndim == 2 else rgb.movedim(-1, 0)
    lightness = rgb_to_lab(rgb)[:1]
    full = F.interpolate(ab[None].cpu(), lightness.shape[-2:], mode="bicubic")[0]
    out: np.ndarray = lab_to_rgb8(torch.cat((lightness, full))).movedim(0, -1).numpy()
    return out if pixels.dtype == np.uint8 else out.astype(np.uint16) * 257
