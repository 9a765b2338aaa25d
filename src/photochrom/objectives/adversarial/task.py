"""Adversarial: a generator of colors against a discriminator.

Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, 2017: the
discriminator sees L with the true or the generated ab; its loss is the mean over both; the
generator wants its colors taken for real, and near the truth.
"""

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.color.batch import Batch
from photochrom.color.decoding import AB_SCALE
from photochrom.networks import build_network
from photochrom.objectives.adversarial.dcgan import DCGAN
from photochrom.objectives.adversarial.losses import GAN_LOSSES
from photochrom.objectives.adversarial.patchgan import PatchGAN
from photochrom.objectives.base import Player, Task, Turn
from photochrom.objectives.targets import at_resolution
from photochrom.params.models import AdversarialParams, DirectParams, Discriminator, ModelParams

PIXEL_LOSSES = {"l1": F.l1_loss, "l2": F.mse_loss}
WON = 0.96
"""The discriminator's accuracies on real and on fake, summed, less one: 1 is never wrong."""
LOST = 0.04
"""At 0 its answers do not depend on what it sees."""


class Adversarial(Task):
    """A generator and a discriminator, which moves first."""

    def __init__(self, model: ModelParams, objective: AdversarialParams) -> None:
        super().__init__()
        self.network = build_network(model.network, out_channels=2)
        self.discriminator = build_discriminator(objective.discriminator)
        self.bins = None
        self.decoding = DirectParams(kind="direct")
        self._losses = GAN_LOSSES[objective.loss]
        self._pixel_loss = PIXEL_LOSSES[objective.pixel_loss]
        self._pixel_weight = objective.pixel_weight
        self._pretraining_epochs = objective.pretraining_epochs
        self._pretraining = False
        self._optimizers = (objective.discriminator_optimizer, model.optimizer)

    def players(self) -> dict[str, Player]:
        """Return the discriminator and the generator."""
        return {
            "discriminator": Player(self.discriminator, self._optimizers[0]),
            "generator": Player(self.network, self._optimizers[1]),
        }

    def start_epoch(self, epoch: int) -> None:
        """Leave the discriminator out of the first epochs, and keep none of them."""
        self._pretraining = epoch < self._pretraining_epochs
        self.keepable = not self._pretraining

    def turns(self, batch: Batch) -> Iterator[Turn]:
        """Yield the discriminator's turn, then the generator's, from one generated picture.

        While it is pretrained, the generator has the only turn, on the distance alone.
        """
        fake = self.network(batch.lightness).float()
        gray, real = _pair(batch, fake)
        if self._pretraining:
            loss = self._pixel_weight * self._pixel_loss(fake, real)
            yield Turn("generator", loss, {"loss": loss.detach()})
            return
        yield self._discriminator_turn(gray, real, fake.detach())
        self.discriminator.requires_grad_(False)
        yield self._generator_turn(gray, real, fake)
        self.discriminator.requires_grad_(True)

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the distances to the truth, which can be compared between epochs."""
        fake = network(batch.lightness).float()
        real = at_resolution(batch.ab, fake) / AB_SCALE
        return {"loss": self._pixel_loss(fake, real), "l1": F.l1_loss(fake, real)}

    def remarks(self, row: Mapping[str, float]) -> tuple[str, ...]:
        """Say when the discriminator wins or has collapsed."""
        accuracies = [row.get(f"train/discriminator_accuracy_{of}") for of in ("real", "fake")]
        if accuracies[0] is None or accuracies[1] is None:
            return ()
        found = f"{accuracies[0]:.0%} of the real and {accuracies[1]:.0%} of the generated"
        skill = accuracies[0] + accuracies[1] - 1.0
        if skill >= WON:
            return (
                f"the discriminator wins, it knows {found}: the generator learns little from it. "
                "Lower discriminator_optimizer.lr or narrow the discriminator.",
            )
        if skill <= LOST:
            return (
                f"the discriminator tells nothing apart, it knows {found}: it has collapsed or is "
                "fooled. Raise discriminator_optimizer.lr or widen the discriminator.",
            )
        return ()

    def _discriminator_turn(self, gray: Tensor, real: Tensor, fake: Tensor) -> Turn:
        on_real, on_fake = self._judge(gray, real), self._judge(gray, fake)
        loss = 0.5 * (self._losses.on_real(on_real) + self._losses.on_fake(on_fake))
        middle = self._losses.middle
        metrics = {
            "discriminator_loss": loss.detach(),
            "discriminator_accuracy_real": (on_real.detach() > middle).float().mean(),
            "discriminator_accuracy_fake": (on_fake.detach() <= middle).float().mean(),
        }
        return Turn("discriminator", loss, metrics)

    def _generator_turn(self, gray: Tensor, real: Tensor, fake: Tensor) -> Turn:
        fooling = self._losses.fooling(self._judge(gray, fake))
        pixel = self._pixel_loss(fake, real)
        loss = fooling + self._pixel_weight * pixel
        metrics = {"loss": loss, "adversarial_loss": fooling, "pixel_loss": pixel}
        return Turn("generator", loss, {name: value.detach() for name, value in metrics.items()})

    def _judge(self, gray: Tensor, ab: Tensor) -> Tensor:
        logits: Tensor = self.discriminator(torch.cat((gray, ab), dim=1))
        return logits.float()


def build(model: ModelParams, weights: Tensor | None) -> Adversarial:
    """Make the task; rebalancing weights play no part."""
    assert isinstance(model.objective, AdversarialParams)
    return Adversarial(model, model.objective)


def build_discriminator(params: Discriminator) -> nn.Module:
    """Make a discriminator with fresh weights."""
    return PatchGAN(params) if params.kind == "patchgan" else DCGAN(params)


def _pair(batch: Batch, fake: Tensor) -> tuple[Tensor, Tensor]:
    return at_resolution(batch.lightness, fake), at_resolution(batch.ab, fake) / AB_SCALE
