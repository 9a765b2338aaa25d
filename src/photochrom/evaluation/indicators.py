"""What goes wrong with colors, counted: left gray, in stray spots, of a wrong hue, bled over edges.

Each is a pure function of truth and prediction with one value in percent per photograph. All but
the stray colors are shares of the pixels, or pairs of pixels, that can fail in that way; their
numbers are the weights with which photographs are averaged. A photograph without any has the value
0 and the weight 0. The failures are those that study 003 names; the thresholds are chosen here.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from photochrom.evaluation.metrics import Comparison
from photochrom.uncertainty import WEIGHTS

COLORED = 20.0
"""Least chroma of a colored pixel of the truth."""
TINTED = 10.0
"""Least chroma of an output that shows a hue; below it is nearly gray."""
STANDING_OUT = 15.0
SURROUNDINGS = 4
"""The window of a pixel's surroundings is so many times smaller than the side."""
WRONG_COSINE = 0.5
"""Of 60 degrees."""
APART = 2
"""Pixels from one of a pair to the other."""
EDGE_LIGHTNESS, EDGE_COLOR = 10.0, 20.0
BLED = 0.25


def gray_collapse(pair: Comparison) -> tuple[Tensor, Tensor]:
    """Return the share of the colored pixels that come out nearly gray, and their number."""
    colored = pair.true_chroma >= COLORED
    return _share(colored & (pair.predicted_chroma < TINTED), colored)


def wrong_hue(pair: Comparison) -> tuple[Tensor, Tensor]:
    """Return the share of pixels, colored in both, whose hue is off by more than 60 degrees."""
    colored = (pair.true_chroma >= COLORED) & (pair.predicted_chroma >= TINTED)
    cosine = (pair.truth * pair.predicted).sum(1)
    off = cosine < WRONG_COSINE * pair.true_chroma * pair.predicted_chroma
    return _share(colored & off, colored)


def bleeding(pair: Comparison) -> tuple[Tensor, Tensor]:
    """Return the share of pairs across an edge that get almost the same color, and their number.

    The pairs are two pixels apart, along rows and along columns.
    """
    along_rows, along_columns = (_across_edges(pair, axis) for axis in (-1, -2))
    bled, pairs = (
        torch.cat((one.flatten(1), other.flatten(1)), dim=1)[:, None]
        for one, other in zip(along_rows, along_columns, strict=True)
    )
    return _share(bled, pairs)


def stray_color(pair: Comparison) -> Tensor:
    """Return the share of pixels that stand out from their surroundings more than in truth.

    The surroundings of a pixel are a square window around it, of an odd number of pixels next to
    a quarter of the side, as far as it lies within the picture.
    """
    more = _standing_out(pair.predicted) - _standing_out(pair.truth)
    return 100.0 * (more >= STANDING_OUT).float().mean((1, 2))


COUNTED: dict[str, Callable[[Comparison], tuple[Tensor, Tensor]]] = {
    "gray_collapse": gray_collapse,
    "wrong_hue": wrong_hue,
    "bleeding": bleeding,
}
"""The indicators that are shares of what can fail, with its number."""


def measure(pair: Comparison) -> dict[str, np.ndarray]:
    """Return the indicators of every photograph, and their weights (float64 (N,) each)."""
    values = {"stray_color": stray_color(pair)}
    for key, function in COUNTED.items():
        values[key], values[WEIGHTS[key]] = function(pair)
    return {key: value.double().cpu().numpy() for key, value in values.items()}


def pairs_of(height: int, width: int) -> int:
    """Return how many pairs of pixels, two apart, a picture has."""
    return height * max(0, width - APART) + width * max(0, height - APART)


def _share(failed: Tensor, possible: Tensor) -> tuple[Tensor, Tensor]:
    """Return percentages (N,), 0 where nothing is possible, and the numbers of what is."""
    total = possible.sum((1, 2)).double()
    return 100.0 * failed.sum((1, 2)) / total.clamp(min=1), total


def _across_edges(pair: Comparison, axis: int) -> tuple[Tensor, Tensor]:
    """Return which pairs along an axis bled, and which lie across an edge that was colored."""
    far = _differences(pair.truth, axis)
    edge = _differences(pair.lightness, axis) >= EDGE_LIGHTNESS
    tinted = pair.predicted_chroma >= TINTED
    one, other = _ends(tinted, axis)
    possible = edge & (far >= EDGE_COLOR) & (one | other)
    return possible & (_differences(pair.predicted, axis) < BLED * far), possible


def _differences(channels: Tensor, axis: int) -> Tensor:
    """Return the Euclidean distance of each pair along an axis over the channels (N, C, H, W)."""
    one, other = _ends(channels, axis)
    return (one - other).square().sum(1).sqrt()


def _ends(values: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    pairs = max(0, values.shape[axis] - APART)
    return values.narrow(axis, 0, pairs), values.narrow(axis, values.shape[axis] - pairs, pairs)


def _standing_out(ab: Tensor) -> Tensor:
    """Return how far the color of each pixel (N, H, W) is from the mean of its surroundings."""
    height, width = ab.shape[-2:]
    mean = _averaging(height).to(ab) @ ab @ _averaging(width).to(ab).T
    return (ab - mean).square().sum(1).sqrt()


def _averaging(side: int) -> Tensor:
    """Return the matrix (side, side) that averages over a window along one axis."""
    place, reach = torch.arange(side), side // (2 * SURROUNDINGS)
    window = ((place[:, None] - place).abs() <= reach).float()
    return window / window.sum(1, keepdim=True)
