"""The modes of a predicted distribution: the kinds of color that something may have."""

from dataclasses import dataclass

import torch
from torch import Tensor

from photochrom.color.bins import Bins
from photochrom.colorizer.clustering import centers, clusters, sums

MOST = 4
RADIUS = 18.0
"""In ab units: the root mean square distance from its mean within which a mode stays whole."""
APART = 25.0
"""In ab units: modes whose means are nearer than this are one."""
LIGHTEST = 0.12
"""Share of the distribution below which a mode falls away."""


@dataclass(frozen=True)
class Mode:
    """Colors that belong together.

    Attributes
    ----------
    members : int64 tensor (n,), the bins that it is made of.
    share : of the mass of all modes that are kept, 0..1.
    """

    members: Tensor
    share: float


def modes(distribution: Tensor, bins: Bins) -> list[Mode]:
    """Return the modes of a distribution over bins, the heaviest first; one at least.

    Parameters
    ----------
    distribution : float tensor (Q,) that sums to 1.
    bins : their centers.
    """
    # Lloyd's algorithm needs a mean of each cluster, even of one of bins that never occur.
    points, weights = bins.centers.to(distribution), distribution.clamp(min=1e-12)
    labels = _merged(points, weights, clusters(points, weights, MOST, RADIUS))
    masses = sums(weights[:, None], labels)[:, 0]
    kept = [int(i) for i in masses.argsort(descending=True, stable=True) if masses[i] >= LIGHTEST]
    total = float(masses[kept].sum())
    return [Mode((labels == one).nonzero()[:, 0], float(masses[one]) / total) for one in kept]


def _merged(points: Tensor, weights: Tensor, labels: Tensor) -> Tensor:
    """Join the two clusters that are nearest to each other, until all are apart."""
    while labels.max() > 0:
        means = centers(points, weights, labels)
        distances = torch.cdist(means, means).fill_diagonal_(torch.inf)
        if distances.min() >= APART:
            break
        one, other = divmod(int(distances.argmin()), len(means))
        labels = torch.where(labels == other, one, labels).unique(return_inverse=True)[1]
    return labels
