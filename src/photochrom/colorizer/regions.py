"""The regions of a photograph that are colored alike."""

import torch
import torch.nn.functional as F
from torch import Tensor

from photochrom.color.bins import Bins, blur
from photochrom.colorizer.clustering import centers, clusters

MOST = 3
"""With more than these, objects fall into patches."""
RADIUS = 0.28
"""The root mean square distance of the square roots of distributions that still count as alike."""
BLUR = 10.0
"""In ab units: distributions over neighboring bins are no strangers to each other."""
AXES = 16
"""Principal axes that are kept of the distributions, of which a photograph has far fewer kinds."""
SMALLEST = 0.04
"""Share of the photograph below which a region joins those most like it."""
MAJORITY, BORDER = 5, 3
"""Sides in pixels of the window in which the majority decides on a pixel, so that there are no
speckles, and of that over which a border is softened."""


def regions(probabilities: Tensor, bins: Bins) -> Tensor:
    """Divide a photograph into regions whose predicted distributions are alike.

    They are clusters of the square roots of the distributions, whose Euclidean distance is
    sqrt(2) times Hellinger's. Where in the photograph a pixel is plays no part but that its
    neighbors have a say: the sky on both sides of a tree is one region.

    Parameters
    ----------
    probabilities : float tensor (Q, h, w) over the bins.
    bins : their centers.

    Returns
    -------
    float32 tensor (K, h, w), K from 1 to :data:`MOST`: 1 where a pixel belongs to a region, else 0;
    each belongs to one.
    """
    spread = blur(bins, BLUR).to(probabilities) @ probabilities.flatten(1)
    labels = _divided(_projected(spread.sqrt().T)).reshape(probabilities.shape[1:])
    firm = _averaged(_one_hot(labels), MAJORITY).argmax(0)
    return _one_hot(firm.unique(return_inverse=True)[1])


def softened(region: Tensor) -> Tensor:
    """Return how far each pixel belongs to a region (h, w) whose border is a few pixels wide.

    Those of all regions of a photograph sum to 1 at each pixel, as the regions do.
    """
    return _averaged(region[None], BORDER)[0]


def _projected(points: Tensor) -> Tensor:
    """Return the coordinates (n, AXES) of points (n, d) along their principal axes."""
    apart = points - points.mean(0)
    axes: Tensor = torch.linalg.eigh((apart.T @ apart).double())[1][:, -AXES:]
    coordinates: Tensor = apart @ axes.to(points)
    return coordinates


def _divided(points: Tensor) -> Tensor:
    weights = points.new_ones(len(points))
    labels = clusters(points, weights, MOST, RADIUS)
    large = labels.bincount() >= SMALLEST * len(labels)
    return torch.cdist(points, centers(points, weights, labels)[large]).argmin(1)


def _one_hot(labels: Tensor) -> Tensor:
    return F.one_hot(labels).movedim(-1, 0).float()


def _averaged(maps: Tensor, side: int) -> Tensor:
    """Return the means of maps (K, h, w) over a window, of which only what is inside counts."""
    return F.avg_pool2d(maps, side, stride=1, padding=side // 2, count_include_pad=False)
