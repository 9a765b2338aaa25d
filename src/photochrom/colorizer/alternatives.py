"""What else than the plain coloring a region of a photograph may look like."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from photochrom.color.bins import Bins
from photochrom.colorizer.modes import Mode

NEAR = 10.0
"""In ab units: a mode that looks like the plain coloring, to within this, is no alternative."""
FAINT = 0.05
"""A pixel that gives a mode this probability goes half the way to its color, one that gives it
less stays nearer to its plain color: what stands inside a region need not change with it."""


@dataclass(frozen=True)
class Alternative:
    """One of the looks of a region.

    Attributes
    ----------
    change : float32 tensor (2, h, w), what is added to the plain ab.
    share : how plausible it is beside the region's others, above 0.
    """

    change: Tensor
    share: float


def alternatives(
    logits: Tensor,
    region: Tensor,
    modes: Sequence[Mode],
    bins: Bins,
    temperature: float,
    plain: Tensor,
) -> list[Alternative]:
    """Return the looks of a region, the plain one first, then one for each mode unlike it.

    A mode's look is the annealed mean of the distribution given that the color is one of the mode,
    E[c | c in mode], with the logits divided by the temperature; each pixel by its own logits. The
    plain look stands for the modes that it is near, or for the nearest; as it is the model's own
    answer, it counts no less than any other.

    Parameters
    ----------
    logits : float32 tensor (Q, h, w) over the bins.
    region : float32 tensor (h, w), how far each pixel belongs to it, 0..1.
    modes : of the region's distribution, one at least.
    bins : the bins of the logits.
    temperature : of the annealed mean.
    plain : float32 tensor (2, h, w), the ab of the plain look.
    """
    inside = region.flatten().nonzero()[:, 0]
    there, shown = logits.flatten(1)[:, inside], plain.flatten(1)[:, inside]
    steps = torch.stack([_mean(there, mode.members, bins, temperature) - shown for mode in modes])
    masses = torch.stack([there[mode.members].logsumexp(0) for mode in modes])
    masses = (masses - there.logsumexp(0)).exp()
    change = torch.zeros(len(modes), 2, region.numel())
    belongs = region.flatten()[inside]
    change[..., inside] = (belongs * masses / (masses + FAINT))[:, None] * steps
    distances = _mean_lengths(steps, belongs * masses)
    return _ranked(change.reshape(-1, 2, *region.shape), modes, distances)


def _mean(logits: Tensor, members: Tensor, bins: Bins, temperature: float) -> Tensor:
    """Return the annealed mean (2, n) over some of the bins of logits (Q, n)."""
    return bins.centers[members].T @ (logits[members] / temperature).softmax(0)


def _mean_lengths(steps: Tensor, weights: Tensor) -> list[float]:
    """Return the mean length of steps (M, 2, n), weighted with (M, n), of each mode."""
    lengths = torch.linalg.vector_norm(steps, dim=1)
    means: list[float] = ((weights * lengths).sum(1) / weights.sum(1).clamp(min=1e-12)).tolist()
    return means


def _ranked(
    changes: Tensor, modes: Sequence[Mode], distances: Sequence[float]
) -> list[Alternative]:
    limit = max(NEAR, min(distances))
    every = list(zip(changes, modes, distances, strict=True))
    others = [Alternative(change, mode.share) for change, mode, apart in every if apart > limit]
    near = sum(mode.share for _, mode, apart in every if apart <= limit)
    plain = max([near, *(one.share for one in others)])
    return [Alternative(torch.zeros_like(changes[0]), plain), *others]
