"""How well a classifier knows the bins of the colors, and how well it knows that it does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from photochrom.color.bins import Bins, lattice_rows
from photochrom.data.shards import LabSet
from photochrom.evaluation.metrics import Comparison
from photochrom.evaluation.recorder import Recorder, Summary, percentage
from photochrom.files import whole_file

INTERVALS = 15
LIKELIEST = 5
PIECE = 2**21
"""Logits looked at together, so that they stay in a CPU's cache: four times faster."""


@dataclass(frozen=True)
class Answers:
    """What logits say of each pixel at the resolution of the network.

    Attributes
    ----------
    confidence : float32 (n, h, w), the probability of the likeliest bin at temperature 1.
    first : bool (n, h, w), whether the true bin is the likeliest.
    among_five : bool (n, h, w), whether it is among the five likeliest.
    """

    confidence: Tensor
    first: Tensor
    among_five: Tensor


def answers(logits: Tensor, truth: Tensor, where: Bins) -> Answers:
    """Hold logits (n, Q, h, w) against the true ab (n, 2, H, W), averaged over areas to (h, w).

    A tie counts against the true bin: a network that finds all bins alike knows none of them.
    """
    height, width = logits.shape[-2:]
    averaged = F.adaptive_avg_pool2d(truth.to(logits.device), (height, width))
    true = _true_bins(averaged, where)
    rows = max(1, PIECE // logits[0].numel())
    pieces = zip(logits.split(rows), true[:, None].split(rows), strict=True)
    confidence, as_likely = zip(*(_looked_at(*piece) for piece in pieces), strict=True)
    ranks = torch.cat(as_likely)
    return Answers(torch.cat(confidence), ranks == 1, ranks <= LIKELIEST)


def bin_top1(found: Answers) -> Tensor:
    """Return the percentage (n,) of pixels whose likeliest bin is the true one."""
    return 100.0 * found.first.float().mean((1, 2))


def bin_top5(found: Answers) -> Tensor:
    """Return the percentage (n,) of pixels whose true bin is among the five likeliest."""
    return 100.0 * found.among_five.float().mean((1, 2))


def confidence_sums(found: Answers) -> np.ndarray:
    """Sum over the pixels of each photograph whose confidence lies in each interval.

    Returns
    -------
    float64 (n, 3, 15): the pixels, the sum of their confidence, and how many are right. The
    intervals are (0, 1/15], (1/15, 2/15] .. (14/15, 1].
    """
    confidence = found.confidence.cpu().double()
    place = ((confidence * INTERVALS).ceil().long() - 1).clamp(0, INTERVALS - 1)
    first = torch.arange(len(place))[:, None, None] * INTERVALS
    places, cells = (place + first).flatten(), len(place) * INTERVALS
    parts = (torch.ones_like(confidence), confidence, found.first.cpu().double())
    sums = [torch.bincount(places, part.flatten(), minlength=cells) for part in parts]
    return torch.stack(sums).reshape(3, -1, INTERVALS).transpose(0, 1).numpy()


def calibration_error(sums: np.ndarray) -> np.ndarray:
    """Return the expected calibration error in percent (Guo et al. 2017, equation 3).

    The mean over all pixels of |accuracy - confidence| of their interval.

    Parameters
    ----------
    sums : (B, 3 * 15), :func:`confidence_sums` of sets of photographs.
    """
    pixels, confidence, right = np.split(sums, 3, axis=1)
    gaps: np.ndarray = np.abs(right - confidence).sum(1) / pixels.sum(1)
    return 100.0 * gaps


class Classifier(Recorder):
    """Looks at the logits of a classifier."""

    def __init__(self, test: LabSet, where: Bins) -> None:
        self._group = test.index["group"]
        self._where = where
        self._seen: list[Answers] = []
        self._sums: list[np.ndarray] = []

    def observer(self, truth: Tensor) -> Callable[[Tensor], None]:
        """Return what looks at the logits of the photographs whose true ab (n, 2, H, W) is given.

        It takes them piece by piece, in the order of the photographs. :meth:`measure` of the same
        photographs must follow.
        """
        waiting = truth

        def observe(logits: Tensor) -> None:
            nonlocal waiting
            self._seen.append(answers(logits, waiting[: len(logits)], self._where))
            waiting = waiting[len(logits) :]

        return observe

    def measure(self, pair: Comparison, rows: np.ndarray) -> dict[str, Tensor]:
        """Return ``bin_top1`` and ``bin_top5`` of the photographs just observed."""
        seen, self._seen = self._seen, []
        self._sums += [confidence_sums(found) for found in seen]
        tops = {"bin_top1": bin_top1, "bin_top5": bin_top5}
        return {key: torch.cat([top(found) for found in seen]) for key, top in tops.items()}

    def summarise(self, resamples: int, seed: int) -> Summary:
        """Return ``calibration_error``."""
        sums = np.concatenate(self._sums).reshape(-1, 3 * INTERVALS)
        return percentage(
            "calibration_error", self._group, sums, calibration_error, resamples, seed
        )

    def table(self) -> pd.DataFrame:
        """Return a row for each interval of confidence.

        Columns: low and high of the interval, pixels, and in percent the mean confidence and the
        accuracy, which an interval without pixels lacks.
        """
        pixels, confidence, right = np.concatenate(self._sums).sum(0)
        edges = np.arange(INTERVALS + 1) / INTERVALS
        filled = np.where(pixels > 0, pixels, np.nan)
        return pd.DataFrame(
            {
                "low": edges[:-1],
                "high": edges[1:],
                "pixels": pixels.astype(np.int64),
                "confidence": 100.0 * confidence / filled,
                "accuracy": 100.0 * right / filled,
            }
        )

    def save(self, details: Path) -> None:
        """Write calibration.csv."""
        with whole_file(details / "calibration.csv") as path:
            self.table().to_csv(path, index=False, float_format="%.6f", lineterminator="\n")


def _looked_at(logits: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Return the confidence, and how many bins are at least as likely as the true one, itself."""
    logits = logits.float()
    as_likely = (logits >= logits.gather(1, true)).sum(1)
    return torch.exp(logits.amax(1) - torch.logsumexp(logits, dim=1)), as_likely


def _true_bins(ab: Tensor, where: Bins) -> Tensor:
    nearest = where.lookup(1, 5.0)[0][:, 0].to(ab.device)
    return nearest[lattice_rows(ab)]
