"""Classification whose distributions a small network learns to read, as colorful as the truth.

The decoder makes the distance of the color it shows to the true one small, under the condition that
its pictures are on average as colorful as the photographs. Without it the best answer to any doubt
is a pale one. The condition has a multiplier, the price of colorfulness, which rises while color is
missing (dual ascent) and is paid for a proxy (Cotter, Jiang and Sridharan, Two-Player Games for
Efficient Non-Convex Constrained Optimization, 2019): what is missing is counted by Hasler and
Suesstrunk's colorfulness of RGB, as pictures are measured, but paid by their colorfulness of ab, of
regions. RGB would sell light cyan at half the distance from gray, and pixels would sell specks.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.color.batch import Batch
from photochrom.color.bins import lattice_rows
from photochrom.color.colorfulness import colorfulness, lab_colorfulness
from photochrom.color.decoding import AB_SCALE
from photochrom.color.lab import lab_to_rgb
from photochrom.objectives.base import Player, Turn
from photochrom.objectives.classification.distribution import Classification
from photochrom.objectives.targets import at_resolution
from photochrom.params.models import (
    ClassificationParams,
    DecoderParams,
    LearnedParams,
    ModelParams,
    OptimizerParams,
)

PRICE_RATE = 2e-4
"""How much the price rises per step and unit of missing colorfulness."""
SMOOTH = 1.0
"""Added under the roots of distances and colorfulness, whose gradients are infinite at 0."""

REGIONS = 4
"""Rows and columns of regions whose mean colors are paid for."""


class Price(nn.Module):
    """What a unit of the colorfulness of ab is worth, in ab units of error."""

    def __init__(self, first: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(first))

    def forward(self, missing: Tensor) -> Tensor:
        """Return the loss whose descent raises the price by what colorfulness is missing."""
        return -self.value * missing


class DecodedClassification(Classification):
    """A distribution over the bins, and the colors to show for it.

    Parameters
    ----------
    rebalancing : (Q,) weights of the bins in the cross-entropy; None weighs all alike.
    weights : (Q,) of the bins' rarity, for the decoder; None where it weighs all pixels alike.
    """

    def __init__(
        self,
        model: ModelParams,
        objective: ClassificationParams,
        rebalancing: Tensor | None,
        weights: Tensor | None,
    ) -> None:
        super().__init__(model, objective, rebalancing)
        assert objective.decoder is not None
        self._params: DecoderParams = objective.decoder
        self.decoding = LearnedParams(kind="learned", temperature=1.0)
        self.price = None if self._params.price is None else Price(self._params.price)
        rarity = torch.ones(len(self.bins)) if weights is None else weights.float()
        self.register_buffer("_rarity", rarity, persistent=False)
        self._rarity: Tensor

    def players(self) -> dict[str, Player]:
        """Return the price, where there is one, and the network."""
        network = super().players()
        return network if self.price is None else {"price": Player(self.price, _RISING)} | network

    def turns(self, batch: Batch) -> Iterator[Turn]:
        """Yield the price's turn, then the network's."""
        raw = self.network(batch.lightness)
        shown = raw[:, len(self.bins) :].float() * AB_SCALE
        truth, lightness = at_resolution(batch.ab, raw), at_resolution(batch.lightness, raw)
        cross_entropy, error = self.loss(raw, truth), self.error(shown, truth)
        loss = cross_entropy + error / AB_SCALE
        metrics = {"cross_entropy": cross_entropy.detach(), "ab_error": error.detach()}
        if self.price is not None:
            found = vividness(lightness, shown.detach())
            wanted = vividness(batch.lightness, batch.ab)
            yield Turn("price", self.price(wanted - found))
            value = self.price.value.detach()
            loss = loss - value * self.gain(shown) / AB_SCALE
            metrics |= {"price": value, "colorfulness_delta": found - wanted}
        yield Turn("network", loss, {"loss": cross_entropy.detach()} | metrics)

    def loss(self, raw: Tensor, ab: Tensor, repeats: int = 1) -> Tensor:
        """Return the mean cross-entropy of raw output (N, Q + 2, h, w) with ab (N, 2, H, W)."""
        return super().loss(self.bins.logits(raw), ab, repeats)

    def error(self, shown: Tensor, truth: Tensor) -> Tensor:
        """Return the mean distance of ab (N, 2, h, w) in ab units, of rare true colors more."""
        distance = ((shown - truth).square().sum(1) + SMOOTH).sqrt()
        if self._params.rarity == 0:
            return distance.mean()
        rarity = self._rarity[self._criterion.indices[lattice_rows(truth), 0]]
        return (distance * (1 + self._params.rarity * (rarity - 1))).mean()

    def gain(self, shown: Tensor) -> Tensor:
        """Return the mean colorfulness of ab (N, 2, h, w) by regions, in ab units."""
        return lab_colorfulness(F.adaptive_avg_pool2d(shown, REGIONS), SMOOTH).mean()


_RISING = OptimizerParams(
    kind="sgd",
    lr=PRICE_RATE,
    betas=(0.0, 0.0),
    weight_decay=0.0,
    schedule="constant",
    warmup=0.0,
    clip=None,
)


def vividness(lightness: Tensor, ab: Tensor) -> Tensor:
    """Return the mean colorfulness of pictures of L / 50 - 1 and ab (scalar, in 0..255 units)."""
    rgb = lab_to_rgb(torch.cat(((lightness + 1) * 50, ab), dim=1)) * 255.0
    return colorfulness(rgb, SMOOTH).mean()
