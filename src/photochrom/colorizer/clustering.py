"""Weighted k-means, grown by halving the widest cluster: deterministic, and as few as needed."""

import torch
from torch import Tensor

MOST_STEPS = 50
"""Steps of Lloyd's algorithm after each halving; it settles in far fewer."""


def clusters(points: Tensor, weights: Tensor, most: int, radius: float) -> Tensor:
    """Divide weighted points into clusters.

    It begins with one cluster. The one of the greatest inertia among those wider than ``radius`` is
    halved across its principal axis, and Lloyd's algorithm moves all (Su and Dy, A Deterministic
    Method for Initializing K-means Clustering, 2004). No random numbers, and the order of the
    points plays no part.

    Parameters
    ----------
    points : float tensor (n, d).
    weights : float tensor (n,), all above 0.
    most : how many clusters at most.
    radius : the root mean square distance from its center within which a cluster stays whole.

    Returns
    -------
    int64 tensor (n,) of the cluster of each point, numbered from 0, none without points.
    """
    labels = torch.zeros(len(points), dtype=torch.long, device=points.device)
    for _ in range(1, most):
        chosen = _widest(points, weights, labels, radius)
        if chosen is None:
            break
        labels = _settled(points, weights, _halved(points, weights, labels, chosen))
    return labels


def centers(points: Tensor, weights: Tensor, labels: Tensor) -> Tensor:
    """Return the weighted mean (k, d) of the points of each cluster."""
    return sums(points * weights[:, None], labels) / sums(weights[:, None], labels)


def sums(values: Tensor, labels: Tensor) -> Tensor:
    """Return the sum (k, d) of the values (n, d) of each cluster."""
    count = int(labels.max()) + 1
    return values.new_zeros(count, values.shape[1]).index_add_(0, labels, values)


def _widest(points: Tensor, weights: Tensor, labels: Tensor, radius: float) -> int | None:
    apart = (points - centers(points, weights, labels)[labels]).square().sum(1)
    inertia, mass = sums(torch.stack((weights * apart, weights), 1), labels).unbind(1)
    wide = torch.where(inertia > mass * radius**2, inertia, 0.0)
    return int(wide.argmax()) if bool((wide > 0).any()) else None


def _halved(points: Tensor, weights: Tensor, labels: Tensor, chosen: int) -> Tensor:
    """Give those points of a cluster that lie beyond its center, along its axis, a new label."""
    mass = weights * (labels == chosen)
    apart = points - (points * mass[:, None]).sum(0) / mass.sum()
    covariance = (apart * mass[:, None]).T @ apart
    axis = torch.linalg.eigh(covariance.double())[1][:, -1].to(points)
    # Either direction is an eigenvector: the sign of the greatest component decides which it is.
    axis = axis * axis[axis.abs().argmax()].sign()
    return torch.where((mass > 0) & (apart @ axis > 0), labels.max() + 1, labels)


def _settled(points: Tensor, weights: Tensor, labels: Tensor) -> Tensor:
    """Assign points to the nearest center and move the centers until nothing changes."""
    for _ in range(MOST_STEPS):
        nearest = torch.cdist(points, centers(points, weights, labels)).argmin(1)
        nearest = nearest.unique(return_inverse=True)[1]
        if torch.equal(nearest, labels):
            break
        labels = nearest
    return labels
