"""Decoding: from a network's raw output to ab values."""

import torch
from torch import Tensor

from photochrom.color.bins import Bins
from photochrom.params.models import AnnealedMeanParams, Decoding, LearnedParams

AB_SCALE = 110.0
"""Networks that give ab itself give it divided by this, so that outputs lie within -1..1."""


def decode(raw: Tensor, decoding: Decoding, where: Bins | None = None) -> Tensor:
    """Turn raw output into ab.

    Parameters
    ----------
    raw : tensor (N, C, H, W): ab / 110 (C = 2) for ``direct``, logits over the bins otherwise,
        which a learned ab / 110 may follow (C = bins + 2) and for ``learned`` must.
    decoding : how.
    where : the bins of the logits.

    Returns
    -------
    float32 tensor (N, 2, H, W).
    """
    raw = raw.float()
    if decoding.kind == "direct":
        return raw * AB_SCALE
    if where is None or raw.shape[1] - len(where) not in (0, 2):
        raise ValueError(f"decoding {decoding.kind} needs logits over bins, got {raw.shape[1]}")
    logits = where.logits(raw)
    if isinstance(decoding, LearnedParams):
        return _learned(raw[:, len(where) :], logits, where, decoding.temperature)
    if decoding.kind == "argmax":
        return where.colors(logits.argmax(1))
    temperature = decoding.temperature if isinstance(decoding, AnnealedMeanParams) else 1.0
    return annealed_mean(logits, where, temperature)


def _learned(shown: Tensor, logits: Tensor, where: Bins, temperature: float) -> Tensor:
    """Return the learned ab, moved by what the temperature moves the annealed mean."""
    if shown.shape[1] != 2:
        raise ValueError("decoding learned needs what a decoder has learned beside the logits")
    if temperature == 1.0:
        return shown * AB_SCALE
    moved = annealed_mean(logits, where, temperature) - annealed_mean(logits, where, 1.0)
    return shown * AB_SCALE + moved


def annealed_mean(logits: Tensor, where: Bins, temperature: float) -> Tensor:
    """Return the mean of softmax(logits / T) (Zhang et al. 2016, equation 5).

    T = 1 is the plain mean, T towards 0 the mode. The logits are divided, never the
    probabilities; softmax subtracts their maximum, so that no exponential overflows.
    """
    return where.expectation(torch.softmax(logits / temperature, dim=1))
