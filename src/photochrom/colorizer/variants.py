"""Several plausible colorizations of one photograph.

A photograph is divided into regions whose predicted distributions are alike, the distribution of
each into modes, and a coloring is a choice of one mode for each region.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, prod, sqrt

import torch
import torch.nn.functional as F
from torch import Tensor

from photochrom.color.bins import Bins
from photochrom.color.decoding import annealed_mean
from photochrom.colorizer.alternatives import Alternative, alternatives
from photochrom.colorizer.modes import modes
from photochrom.colorizer.regions import regions, softened

DISTINCT = 6.0
"""In ab units: the mean distance over a photograph from which two colorings are two."""
IMPLAUSIBLE = 0.05
"""Colorings of less than this part of the plain one's probability are left out."""
MOST_PIXELS = 128 * 128
"""What a variant changes is found at about this many pixels at most; detail is the plain one's."""
AT_ONCE = 2**24
"""Most logits that are decoded at a time: 64 MiB of them."""


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


@torch.inference_mode()
def choices(
    logits: Tensor, bins: Bins, temperature: float, count: int, plain: Tensor | None = None
) -> list[Choice]:
    """Return up to ``count`` colorings that the predicted distribution allows, likeliest first.

    The first is the plain coloring. Each of the others
    differs from all before it by :data:`DISTINCT` or more. Nothing is drawn at random: the same
    logits always give the same colorings.

    Parameters
    ----------
    logits : float tensor (Q, h, w) over the bins.
    bins : their centers.
    temperature : of the annealed mean, also within each mode; how plausible a mode is follows from
        the distribution as it was predicted.
    count : how many are wanted, 1 or more; fewer come where the model sees fewer.
    plain : float32 (2, h, w), the plain ab; None takes the annealed mean of the distribution.
    """
    if plain is None:
        plain = _plain(logits, bins, temperature)
    if count == 1:
        return [Choice(plain, 1.0)]
    # On the CPU, where sums come in the same order every time.
    seen, shown = (_sampled(one).float().cpu() for one in (logits, plain))
    taken = _distinct(_parts(seen, bins, temperature, shown), count)
    total = sum(one.share for one in taken)
    return [Choice(_changed(plain, one.change), one.share / total) for one in taken]


def _plain(logits: Tensor, bins: Bins, temperature: float) -> Tensor:
    rows = logits[None].split(max(1, AT_ONCE // logits[:, 0].numel()), 2)
    return torch.cat([annealed_mean(part.float(), bins, temperature) for part in rows], 2)[0]


def _sampled(channels: Tensor) -> Tensor:
    """Return every nth row and column of channels (C, h, w), so that few pixels are left."""
    step = ceil(sqrt(channels[0].numel() / MOST_PIXELS))
    size = [max(1, round(side / step)) for side in channels.shape[1:]]
    return F.interpolate(channels[None], size, mode="nearest-exact")[0]


def _parts(
    logits: Tensor, bins: Bins, temperature: float, plain: Tensor
) -> list[list[Alternative]]:
    """Return what each region may look like."""
    probabilities, parts = logits.softmax(0), []
    for region in regions(probabilities, bins):
        found = modes((probabilities * region).sum((1, 2)) / region.sum(), bins)
        parts.append(alternatives(logits, softened(region), found, bins, temperature, plain))
    return parts


def _distinct(parts: Sequence[Sequence[Alternative]], count: int) -> list[Alternative]:
    """Return the likeliest choices of which no two look the same."""
    taken: list[Alternative] = []
    for one in _combined(parts):
        if all(_distance(one.change, other.change) >= DISTINCT for other in taken):
            taken.append(one)
        if len(taken) == count:
            break
    return taken


def _combined(parts: Sequence[Sequence[Alternative]]) -> Iterator[Alternative]:
    """Yield choices of a look for each region, the likeliest first, which is the plain one."""
    every = [(prod(one.share for one in chosen), chosen) for chosen in product(*parts)]
    for share, chosen in sorted(every, key=lambda choice: -choice[0]):
        if share < IMPLAUSIBLE * every[0][0]:
            break
        yield Alternative(torch.stack([one.change for one in chosen]).sum(0), share)


def _distance(one: Tensor, other: Tensor) -> float:
    """Return the mean distance of two ab (2, h, w)."""
    return float(torch.linalg.vector_norm(one - other, dim=0).mean())


def _changed(plain: Tensor, change: Tensor) -> Tensor:
    size = plain.shape[-2:]
    full = F.interpolate(change[None], size, mode="bilinear", align_corners=False)[0]
    return plain + full.to(plain.device)
