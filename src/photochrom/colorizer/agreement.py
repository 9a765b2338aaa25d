"""How far two ways of computing a model's colors lie apart."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from photochrom.colorizer.prediction import Predictor

OCTAVES = (2, 4, 8, 16, 32, 64)
TIE = 1e-3
"""Logits that differ by at most this are one and the same to rounding: either bin may win."""
REACH = 5
"""Side in samples of what bicubic interpolation mixes into one pixel, its center included."""


@dataclass(frozen=True)
class Agreement:
    """How far two ways lie apart.

    Attributes
    ----------
    largest, mean : of the absolute differences of a and b, in ab units.
    compared : share of the pixels that were compared, 0..1.
    """

    largest: float
    mean: float
    compared: float = 1.0


def agreement(one: Tensor, other: Tensor, clear: Tensor | None = None) -> Agreement:
    """Compare two predictions.

    Parameters
    ----------
    one, other : float tensors (N, 2, H, W) of ab.
    clear : bool tensor (N, 1, H, W), the pixels to compare; None compares all.
    """
    distances = (one - other).abs()
    kept = torch.ones_like(distances[:, :1], dtype=torch.bool) if clear is None else clear
    chosen = distances[kept.expand_as(distances)].double()
    share = float(kept.double().mean())
    if not len(chosen):
        return Agreement(0.0, 0.0, share)
    return Agreement(float(chosen.max()), float(chosen.mean()), share)


def clear_pixels(predictor: Predictor, raw: Tensor, size: tuple[int, ...]) -> Tensor | None:
    """Find the pixels whose likeliest bin does not hang on rounding.

    Parameters
    ----------
    raw : the predictor's raw output (N, C, h, w) for lightness of the size (H, W).

    Returns
    -------
    bool tensor (N, 1, H, W); None where all are clear, since only ``argmax`` jumps.
    """
    if predictor.decoding.kind != "argmax":
        return None
    logits = raw if predictor.bins is None else predictor.bins.logits(raw)
    best, second = logits.topk(2, dim=1).values.unbind(1)
    tied = (best - second <= TIE).float()[:, None]
    if raw.shape[-2:] != torch.Size(size):
        tied = F.max_pool2d(tied, REACH, stride=1, padding=REACH // 2)
        tied = F.interpolate(tied, size, mode="nearest")
    return tied == 0.0


def photograph_like(count: int, height: int, width: int) -> Tensor:
    """Make lightness with the spectrum of photographs: as much contrast in every octave.

    The amplitude of photographs falls as 1 / frequency (Field 1987). The result is the same each
    time.

    Returns
    -------
    float32 tensor (N, 1, H, W) of L, each from 0 to 100.
    """
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros(count, 1, height, width)
    for cells in OCTAVES:
        noise = torch.rand(count, 1, cells, cells, generator=generator)
        total += F.interpolate(noise, (height, width), mode="bicubic", align_corners=False)
    low, high = total.amin((1, 2, 3), keepdim=True), total.amax((1, 2, 3), keepdim=True)
    return (total - low) / (high - low) * 100.0
