"""Stage ``prior``: how often each color occurs in the training photographs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from photochrom.color import bins
from photochrom.data.shards import ShardError
from photochrom.files import whole_file
from photochrom.params.data import PriorParams
from photochrom.params.models import ClassificationParams


@dataclass(frozen=True)
class Prior:
    """The distribution of colors.

    Attributes
    ----------
    centers : float32 (313, 2), the bins.
    prior : float64 (313,), the mean soft code of the training pixels, smoothed, with
        pseudo-counts; sums to 1.
    weights : float64 (313,), the rebalancing weights; sum(prior * weights) is 1.
    grid_counts : int64 (256,), training pixels nearest to each bin of the 16 x 16 grid.
    histogram : int64 (256, 256), training pixels of each stored (a, b).
    """

    centers: np.ndarray
    prior: np.ndarray
    weights: np.ndarray
    grid_counts: np.ndarray
    histogram: np.ndarray

    @classmethod
    def from_histogram(cls, histogram: np.ndarray, photographs: int, params: PriorParams) -> Self:
        """Compute everything from the counts of stored colors in so many photographs."""
        gamut, counts = bins.gamut313(), torch.from_numpy(histogram)
        empirical = bins.distribution(counts, gamut, params.neighbours, params.sigma)
        smoothed = bins.smooth(empirical, gamut, params.smoothing)
        prior = bins.with_pseudo_counts(smoothed, photographs, params.pseudo_photographs)
        weights = bins.rebalancing_weights(prior, params.mix)
        classes = _class_counts(counts, bins.grid256())
        numbers = (gamut.centers, prior, weights, classes, counts)
        return cls(*(tensor.numpy() for tensor in numbers))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ShardError
            If the stage ``prior`` has not finished there.
        """
        path = folder / "prior.npz"
        if not path.is_file():
            raise ShardError(f"{path} is not there: run `dvc repro prior` first.")
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name] for name in cls.__dataclass_fields__})

    def save(self, folder: Path) -> None:
        """Write prior.npz, the same bytes for the same numbers."""
        with whole_file(folder / "prior.npz") as path, path.open("wb") as handle:
            np.savez(handle, **vars(self))

    def rebalancing_weights(self, objective: ClassificationParams) -> Tensor | None:
        """Return the weights (float64 (Q,)) of an objective's bins; None where it has none."""
        rebalance = objective.rebalance
        if not objective.weighs_bins:
            return None
        if rebalance is None or rebalance.kind == "prior":
            return torch.from_numpy(self.weights)
        return bins.count_weights(self._counts(objective.bins), rebalance.power, rebalance.offset)

    def _counts(self, name: bins.BinsName) -> Tensor:
        if name == "grid256":
            return torch.from_numpy(self.grid_counts)
        return _class_counts(torch.from_numpy(self.histogram), bins.bins(name))

    @property
    def mean_color(self) -> Tensor:
        """The mean a and b of the training pixels (float32 (2,))."""
        share = torch.from_numpy(self.histogram.reshape(-1) / self.histogram.sum())
        return (share[:, None] * bins.lattice()).sum(0).float()


def _class_counts(counts: Tensor, where: bins.Bins) -> Tensor:
    """Return how many of the colors counted on the lattice are nearest to each bin (int64 (Q,))."""
    nearest = where.nearest(bins.lattice())
    classes = torch.zeros(len(where), dtype=torch.int64)
    return classes.index_add_(0, nearest, counts.reshape(-1))
