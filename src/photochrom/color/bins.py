"""Color bins: a set of points of the ab plane that stands for all colors.

Two instances: the 313 bins of Zhang, Isola and Efros (Colorful Image Colorization, 2016),
computed from first principles, and the 16 x 16 grid of study 001.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from scipy.spatial import ConvexHull
from torch import Tensor

from photochrom.color.lab import AB_OFFSET, rgb_to_lab

BinsName = Literal["gamut313", "grid256"]
LATTICE = 256
"""Side of the lattice of stored ab values, see :func:`photochrom.color.lab.encode_lab`."""


@dataclass(frozen=True, eq=False)
class Bins:
    """Centers in the ab plane, and what is done with them.

    Attributes
    ----------
    name : which set this is.
    centers : float32 tensor (Q, 2) of a and b.
    """

    name: BinsName
    centers: Tensor

    def __len__(self) -> int:
        return len(self.centers)

    def nearest(self, ab: Tensor) -> Tensor:
        """Return the index of the nearest center of ab values (..., 2) (int64 tensor (...)).

        Of equally near ones, as there are for many stored colors, it is the first.
        """
        return torch.cdist(ab.reshape(-1, 2), self.centers.to(ab)).argmin(-1).reshape(ab.shape[:-1])

    def soft_encode(self, ab: Tensor, neighbours: int, sigma: float) -> tuple[Tensor, Tensor]:
        """Share each color among its nearest bins.

        Parameters
        ----------
        ab : float tensor (..., 2).
        neighbours : how many bins share it (Zhang et al. 2016: 5 in the paper, 10 in the code).
        sigma : width of the Gaussian of the distance, in ab units.

        Returns
        -------
        indices (int64) and weights (float32), both (..., neighbours); nearest first, equally near
        ones by index, the weights exp(-d^2 / (2 sigma^2)) normalised to sum to 1.
        """
        distances = torch.cdist(ab.reshape(-1, 2), self.centers.to(ab))
        ordered, indices = distances.sort(dim=-1, stable=True)
        weights = torch.softmax(-ordered[:, :neighbours].square() / (2 * sigma**2), dim=-1)
        shape = (*ab.shape[:-1], neighbours)
        return indices[:, :neighbours].reshape(shape), weights.reshape(shape)

    def lookup(self, neighbours: int, sigma: float) -> tuple[Tensor, Tensor]:
        """Return the soft codes of all stored ab values, so that encoding costs O(1) a pixel.

        Returns
        -------
        indices (int64) and weights (float32), both (65536, neighbours); the row of a color is
        ``256 * stored_a + stored_b``, see :func:`lattice_rows`.
        """
        return _lookup(self, neighbours, sigma)

    def expectation(self, probabilities: Tensor) -> Tensor:
        """Return the mean ab (N, 2, H, W) of distributions (N, Q, H, W)."""
        return torch.einsum("nqhw,qc->nchw", probabilities, self.centers.to(probabilities))

    def logits(self, raw: Tensor) -> Tensor:
        """Return the logits of a raw output (N, C, H, W), without what may follow them."""
        return raw[:, : len(self)]

    def colors(self, indices: Tensor) -> Tensor:
        """Return the ab (N, 2, H, W) of bin indices (N, H, W)."""
        return self.centers.to(indices.device)[indices].movedim(-1, 1)


def output_channels(where: Bins | None) -> int:
    """Return how many channels a network gives: a logit for each bin, or a and b without bins."""
    return 2 if where is None else len(where)


def bins(name: BinsName) -> Bins:
    """Return a set of bins by its name."""
    return {"gamut313": gamut313, "grid256": grid256}[name]()


@cache
def gamut313() -> Bins:
    """Return the 313 bins of Zhang et al. 2016, a ascending, then b ascending.

    They are the points of the 10-spaced ab grid within the convex hull of sRGB's colors, each
    shifted by (+-10, +-10).
    """
    axis = torch.linspace(0, 1, 9, dtype=torch.float64)
    cube = torch.cartesian_prod(axis, axis, axis).T[:, :, None]
    gamut = rgb_to_lab(cube)[1:, :, 0].T
    shifts = torch.cartesian_prod(*[torch.tensor([-10.0, 10.0], dtype=torch.float64)] * 2)
    hull = ConvexHull((gamut[:, None] + shifts).reshape(-1, 2).numpy())
    grid = torch.cartesian_prod(*[torch.arange(-120.0, 121.0, 10.0, dtype=torch.float64)] * 2)
    normals, offsets = hull.equations[:, :2], hull.equations[:, 2]
    inside = (grid.numpy() @ normals.T + offsets <= 1e-9).all(axis=1)
    return Bins("gamut313", grid[torch.from_numpy(inside)].float())


@cache
def grid256() -> Bins:
    """Return study 001's bins: a + 128 and b + 128 rounded to 8, 24, 40, .. 248 each."""
    axis = torch.arange(8.0, 256.0, 16.0) - AB_OFFSET
    return Bins("grid256", torch.cartesian_prod(axis, axis))


def lattice() -> Tensor:
    """Return the ab values (65536, 2) that eight bits can store, in the order of the lookup."""
    axis = torch.arange(LATTICE, dtype=torch.float32) - AB_OFFSET
    return torch.cartesian_prod(axis, axis)


def lattice_rows(ab: Tensor) -> Tensor:
    """Return the row of the lookup (int64 (N, H, W)) of each ab (N, 2, H, W), rounded."""
    stored = (ab + AB_OFFSET).round().clamp(0, LATTICE - 1).long()
    return stored[:, 0] * LATTICE + stored[:, 1]


def distribution(counts: Tensor, where: Bins, neighbours: int, sigma: float) -> Tensor:
    """Return the mean soft code of colors counted on the lattice.

    Parameters
    ----------
    counts : tensor (65536,) or (256, 256) of how often each stored ab occurs.

    Returns
    -------
    float64 tensor (Q,) that sums to 1 (Zhang et al. 2016, the empirical prior).
    """
    indices, weights = where.lookup(neighbours, sigma)
    mass = weights.double() * counts.reshape(-1, 1).double()
    total = torch.zeros(len(where), dtype=torch.float64).index_add_(
        0, indices.reshape(-1), mass.reshape(-1)
    )
    return total / total.sum()


def smooth(prior: Tensor, where: Bins, sigma: float) -> Tensor:
    """Blur a distribution over the ab plane with a Gaussian of width ``sigma``; 0 leaves it."""
    return prior if sigma == 0 else blur(where, sigma) @ prior


def blur(where: Bins, sigma: float) -> Tensor:
    """Return the matrix (float64 (Q, Q)) that spreads each bin's mass over its neighbours.

    A Gaussian of width ``sigma`` in ab units; each column sums to 1.
    """
    kernel = torch.exp(-(torch.cdist(where.centers, where.centers).double() ** 2) / (2 * sigma**2))
    return kernel / kernel.sum(0)


def with_pseudo_counts(prior: Tensor, samples: float, pseudo: float) -> Tensor:
    """Add ``pseudo`` evenly distributed samples to the ``samples`` a distribution comes from."""
    return (samples * prior + pseudo / len(prior)) / (samples + pseudo)


def rebalancing_weights(prior: Tensor, mix: float) -> Tensor:
    """Return Zhang et al. 2016's class weights, w = 1 / ((1 - mix) p + mix / Q), sum(p w) = 1.

    Bins that never occur get the greatest weight, and a finite one even where ``mix`` is 0: that
    of the rarest bin that does occur.
    """
    mixed = (1 - mix) * prior + mix / len(prior)
    weights = 1.0 / mixed.clamp(min=float(mixed[mixed > 0].min()))
    return weights / (prior * weights).sum()


def count_weights(counts: Tensor, power: float, offset: float) -> Tensor:
    """Return the class weights of study 001, w = (n + offset)^-power, sum(p w) = 1.

    Parameters
    ----------
    counts : tensor (Q,) of the pixels n of each class; p is their share.
    """
    weights = (counts.double() + offset) ** -power
    return weights / (counts.double() / counts.sum() * weights).sum()


@cache
def _lookup(where: Bins, neighbours: int, sigma: float) -> tuple[Tensor, Tensor]:
    pieces = [where.soft_encode(part, neighbours, sigma) for part in lattice().split(8192)]
    indices, weights = zip(*pieces, strict=True)
    return torch.cat(indices), torch.cat(weights)


def lattice_histogram(stored: np.ndarray) -> np.ndarray:
    """Count the ab values of stored Lab (N, 3, H, W) uint8 on the lattice (int64 (256, 256))."""
    rows = stored[:, 1].astype(np.int32) * LATTICE + stored[:, 2]
    counts: np.ndarray = np.bincount(rows.ravel(), minlength=LATTICE * LATTICE)
    return counts.reshape(LATTICE, LATTICE)
