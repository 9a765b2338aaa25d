"""What a network is shown of a photograph: its lightness, small."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from photochrom.color.lab import rgb_to_lab
from photochrom.colorizer.prediction import LONGEST
from photochrom.pictures.modes import to_rgb
from photochrom.pictures.photograph import Photograph

_FINER = 4
"""Photographs are averaged down to no less than so many times the working size, and scaled from
there: networks see how sharp a photograph is, and averages are softer than what they know."""

_STRIP = 2**22
"""Pixels that are reduced at a time, so that no second copy of a large photograph is made."""


def lightness(photograph: Photograph, side: int) -> Tensor:
    """Return L of a photograph, averaged down to no less than four times a working size.

    Parameters
    ----------
    photograph : of any size; what is transparent lies on white.
    side : the working size in pixels.

    Returns
    -------
    float32 tensor (1, 1, h, w), 0..100. It shows the whole photograph, each pixel the same part.
    """
    small = _reduced(photograph, _factor(photograph.size, side)).convert("RGB")
    rgb = torch.from_numpy(np.array(small)).movedim(-1, 0).float() / 255.0
    return rgb_to_lab(rgb)[None, :1]


def _factor(size: tuple[int, int], side: int) -> int:
    scale = max(min(size) / side, max(size) / (LONGEST * side))
    return max(1, int(scale / _FINER))


def _reduced(photograph: Photograph, factor: int) -> Image.Image:
    if factor == 1:
        return _image(photograph)
    rows = [np.asarray(_image(part).reduce(factor)) for part in _strips(photograph, factor)]
    small = Image.fromarray(np.concatenate(rows))
    # The last row and column may stand for fewer pixels than the others: as much of them counts.
    width, height = (length / factor for length in photograph.size)
    size = (max(1, round(width)), max(1, round(height)))
    return small.resize(size, Image.Resampling.BICUBIC, (0, 0, width, height))


def _strips(photograph: Photograph, factor: int) -> Iterator[Photograph]:
    """Yield parts of whole cells of ``factor`` rows, from the top."""
    width, height = photograph.size
    step = max(1, _STRIP // (width * factor)) * factor
    for top in range(0, height, step):
        rows = slice(top, top + step)
        alpha = None if photograph.alpha is None else photograph.alpha[rows]
        yield replace(photograph, pixels=photograph.pixels[rows], alpha=alpha)


def _image(photograph: Photograph) -> Image.Image:
    image = photograph.image()
    return image if photograph.alpha is None else to_rgb(image)
