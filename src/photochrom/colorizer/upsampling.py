"""Bringing predicted colors to the size of a photograph."""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

STRIP = 2**18
"""Pixels of a strip: what is computed on it stays in the processor's cache, and memory bounded."""
FLAT = 100.0
"""Variance of L about a pixel, in units of L squared, that is taken for an edge of half strength:
the guided filter's eps."""


def strips(maps: Tensor, size: tuple[int, int]) -> Iterator[tuple[slice, Tensor]]:
    """Bring maps to a larger or smaller size, some rows at a time.

    Bicubic with a = -0.5 (Keys, Cubic convolution interpolation for digital image processing,
    1981), averaging where it reduces. The strips join without a seam: each is interpolated from
    the whole of a map.

    Parameters
    ----------
    maps : float32 tensor (C, h, w) on the CPU; each covers the whole photograph.
    size : height and width of the photograph.

    Yields
    ------
    Rows, and the float32 tensor (C, rows, W) for them; from top to bottom.
    """
    height, width = size
    images = [Image.fromarray(values) for values in maps.numpy()]
    step = max(1, STRIP // width)
    for top in range(0, height, step):
        rows = slice(top, min(height, top + step))
        yield rows, torch.from_numpy(np.stack([_part(image, rows, size) for image in images]))


def slopes(ab: Tensor, lightness: Tensor) -> Tensor:
    """Return how ab changes with L about each pixel.

    It is a of the fast guided filter (He and Sun 2015, algorithm 2) over 3 x 3 pixels of the
    working size: cov(L, ab) / (var(L) + eps), averaged once more.

    Parameters
    ----------
    ab : float32 tensor (2, h, w).
    lightness : float32 tensor (h, w), L in 0..100.

    Returns
    -------
    float32 tensor (2, h, w), ab units per unit of L.
    """
    mean, colors = _mean(lightness[None]), _mean(ab)
    covariance = _mean(lightness * ab) - mean * colors
    variance = (_mean(lightness[None].square()) - mean.square()).clamp(min=0.0)
    return _mean(covariance / (variance + FLAT))


def _mean(maps: Tensor) -> Tensor:
    """Return the mean over 3 x 3 pixels of maps (C, h, w), the edges repeated."""
    padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    return F.avg_pool2d(padded, kernel_size=3, stride=1)


def _part(image: Image.Image, rows: slice, size: tuple[int, int]) -> np.ndarray:
    """Return some rows (rows, W) of a map that is brought to a size (H, W)."""
    height, width = size
    top, bottom = (row * image.height / height for row in (rows.start, rows.stop))
    wanted = (width, rows.stop - rows.start)
    return np.asarray(image.resize(wanted, Image.Resampling.BICUBIC, (0, top, image.width, bottom)))
