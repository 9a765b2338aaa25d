"""Which colors occur how often, wherever they lie: in a photograph and in all together."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photochrom.color.bins import LATTICE, gamut313, lattice_rows
from photochrom.color.overlap import overlap, overlap_side_by_side
from photochrom.data.shards import LabSet
from photochrom.evaluation.metrics import Comparison, nearest_bins
from photochrom.evaluation.recorder import Recorder, Summary, percentage
from photochrom.files import whole_file


def bin_counts(nearest: Tensor, bins: int) -> np.ndarray:
    """Count the bins (N, H, W) of each photograph (int64 (N, bins))."""
    first = torch.arange(len(nearest), device=nearest.device)[:, None, None] * bins
    counts = torch.bincount((nearest + first).flatten(), minlength=len(nearest) * bins)
    return counts.reshape(len(nearest), bins).cpu().numpy()


class Distribution(Recorder):
    """Counts the colors of outputs and truth over the 313 bins."""

    def __init__(self, test: LabSet) -> None:
        self._group = test.index["group"]
        self._bins: list[np.ndarray] = []
        self._true_bins: list[np.ndarray] = []
        self._histogram = torch.zeros(LATTICE * LATTICE, dtype=torch.int64)

    def measure(self, pair: Comparison, rows: np.ndarray) -> dict[str, Tensor]:
        """Count; return ``palette_overlap``."""
        bins = len(gamut313())
        found = bin_counts(nearest_bins(pair.predicted), bins)
        true = bin_counts(pair.true_bins, bins)
        self._bins.append(found.astype(np.uint32))
        self._true_bins.append(true.astype(np.uint32))
        colors = lattice_rows(pair.predicted).flatten()
        self._histogram += torch.bincount(colors, minlength=LATTICE * LATTICE).cpu()
        return {"palette_overlap": torch.from_numpy(overlap(found, true))}

    def summarise(self, resamples: int, seed: int) -> Summary:
        """Return ``color_overlap``."""
        sums = np.concatenate((np.concatenate(self._bins), np.concatenate(self._true_bins)), axis=1)
        return percentage("color_overlap", self._group, sums, overlap_side_by_side, resamples, seed)

    def save(self, details: Path) -> None:
        """Write distribution.npz, the same bytes for the same counts."""
        histogram = self._histogram.reshape(LATTICE, LATTICE).numpy()
        with whole_file(details / "distribution.npz") as path, path.open("wb") as handle:
            np.savez_compressed(handle, bins=np.concatenate(self._bins), histogram=histogram)
