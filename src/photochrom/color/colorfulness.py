"""Colorfulness (Hasler and Suesstrunk, Measuring colourfulness in natural images, 2003)."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BLOCK = 64
"""Pixels summed at once: 64 times 2 yb, at most 64 x 510, are below 2^15, as int16 must be, and
their squares, at most 64 x 510^2, below 2^24, up to where float32 is exact."""
ONES = np.ones(BLOCK, np.float32)
PASS = 2048 * BLOCK
"""Pixels worked on at once, so that a panorama takes no more memory than a photograph."""


def colorfulness(rgb: Tensor, least: float = 0.0) -> Tensor:
    """Return the colorfulness of each picture, as Hasler and Suesstrunk define it.

    With rg = R - G and yb = (R + G) / 2 - B:
    sqrt(var rg + var yb) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2).

    Parameters
    ----------
    rgb : tensor (..., 3, H, W) in 0..255, of any type.
    least : added under both square roots, whose gradients are infinite where a picture is gray.

    Returns
    -------
    float32 tensor (...): 0 gray, 15 slightly, 33 moderately, 45 averagely, 59 quite, 82 highly,
    109 extremely colorful.
    """
    return _spread_and_mean(*_opponents(rgb), least)


def lab_colorfulness(ab: Tensor, least: float = 0.0) -> Tensor:
    """Return the colorfulness of each picture by its ab, as the same paper's first measure.

    sqrt(var a + var b) + 0.37 sqrt(mean(a)^2 + mean(b)^2), which agreed with their observers almost
    as well as :func:`colorfulness`. Equal steps in ab are about equally visible, so that no hue and
    no lightness gets it cheaper than others: light cyan has half of red's chroma in Lab and the
    same |rg|.

    Parameters
    ----------
    ab : tensor (..., 2, H, W) in Lab units.
    least : as of :func:`colorfulness`.

    Returns
    -------
    float32 tensor (...) in Lab units.
    """
    a, b = (channel.float().flatten(-2) for channel in ab.unbind(-3))
    return _spread_and_mean(a, b, least, 0.37)


def absolute_colorfulness(rgb: Tensor) -> Tensor:
    """Return the variant that DDColor and CT2 publish as CF: of \\|rg\\| and \\|yb\\|.

    About 8 % lower on photographs. Same shapes as :func:`colorfulness`.
    """
    rg, yb = _opponents(rgb)
    return _spread_and_mean(rg.abs(), yb.abs())


def both_colorfulnesses(planes: NDArray[np.int16]) -> tuple[float, float]:
    """Return :func:`colorfulness` and :func:`absolute_colorfulness` of one picture, fast.

    All sums are of whole numbers and exact, in whatever order a processor adds them up, so that
    every machine finds the same.

    Parameters
    ----------
    planes : int16 (3, ...) in 0..255 with at least one pixel: red, green and blue.
    """
    pixels = planes.reshape(3, -1)
    count = pixels.shape[1]
    sums = np.zeros(6)
    for start in range(0, count, PASS):
        sums += _sums(pixels[:, start : start + PASS])
    rg, yb, rg_square, yb_square, rg_size, yb_size = (sums / count).tolist()
    # The sums are of 2 yb, which is whole.
    squares = rg_square + yb_square / 4
    return _of_moments(rg, yb / 2, squares), _of_moments(rg_size, yb_size / 2, squares)


def _sums(pixels: NDArray[np.int16]) -> NDArray[np.float64]:
    """Return the sums of rg, 2 yb, their squares and their absolute values."""
    red, green, blue = pixels
    count = len(red)
    terms = np.empty((4, BLOCK, -(-count // BLOCK)), np.int16)
    flat = terms.reshape(4, -1)
    flat[:2, count:] = 0
    np.subtract(red, green, out=flat[0, :count])
    yb = np.add(red, green, out=flat[1, :count])
    yb -= blue
    yb -= blue
    np.abs(flat[:2], out=flat[2:])
    sums = np.add.reduce(terms, 1, dtype=np.int16).sum(1, dtype=np.float64)
    squares = flat[:2].astype(np.float32)
    np.square(squares, out=squares)
    of_blocks = (squares.reshape(-1, BLOCK) @ ONES).reshape(2, -1)
    return np.concatenate((sums[:2], of_blocks.sum(1, dtype=np.float64), sums[2:]))


def _of_moments(rg: float, yb: float, squares: float) -> float:
    """Return the colorfulness from both means and the sum of both means of squares."""
    means = rg * rg + yb * yb
    return math.sqrt(max(0.0, squares - means)) + 0.3 * math.sqrt(means)


def _opponents(rgb: Tensor) -> tuple[Tensor, Tensor]:
    red, green, blue = (channel.float().flatten(-2) for channel in rgb.unbind(-3))
    return red - green, (red + green) / 2 - blue


def _spread_and_mean(one: Tensor, other: Tensor, least: float = 0.0, share: float = 0.3) -> Tensor:
    one_mean, other_mean = one.mean(-1), other.mean(-1)
    spread = torch.sqrt(_variance(one, one_mean) + _variance(other, other_mean) + least)
    return spread + share * torch.sqrt(one_mean.square() + other_mean.square() + least)


def _variance(values: Tensor, mean: Tensor) -> Tensor:
    return (values - mean[..., None]).square_().mean(-1)
