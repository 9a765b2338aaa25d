"""Fields of distributions whose modes and regions are known."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from photochrom.color.bins import Bins

Odds = Mapping[tuple[float, float], float]
"""The probability of each color ab; the bins nearest to them get it."""

RED, GREEN, BLUE, GRAY = (60.0, 40.0), (-40.0, 40.0), (20.0, -60.0), (0.0, 0.0)


def center(color: tuple[float, float], bins: Bins) -> Tensor:
    """Return the center of a color's bin, (2,)."""
    return bins.centers[bins.nearest(torch.tensor(color))]


def distribution(odds: Odds, bins: Bins) -> Tensor:
    """Return the distribution (Q,)."""
    probabilities = torch.zeros(len(bins))
    for color, probability in odds.items():
        probabilities[bins.nearest(torch.tensor(color))] += probability
    return probabilities


def columns(parts: Sequence[tuple[Odds, int]], height: int, bins: Bins) -> Tensor:
    """Return the logits (Q, height, w) of upright stripes, each of so many columns."""
    stripes = [
        (distribution(odds, bins) + 1e-12).log()[:, None, None].expand(-1, height, width)
        for odds, width in parts
    ]
    return torch.cat(stripes, 2)
