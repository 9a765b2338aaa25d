"""Adversarial: a generator of colors against a discriminator of patches.

Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, 2017: the
discriminator sees L with the true or the generated ab; its loss is the mean over both; the
generator wants its patches taken for real, and its ab near the truth in L1.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.color.batch import Batch
from photochrom.color.decoding import AB_SCALE
from photochrom.networks import build_network
from photochrom.objectives.adversarial.patchgan import PatchGAN
from photochrom.objectives.base import Player, Task, Turn
from photochrom.objectives.targets import at_resolution
from photochrom.params.models import AdversarialParams, DirectParams, ModelParams

Distance = Callable[[Tensor, Tensor], Tensor]
DISTANCES: dict[str, Distance] = {
    "bce": F.binary_cross_entropy_with_logits,
    "lsgan": F.mse_loss,
}


class Adversarial(Task):
    """A generator and a discriminator, which moves first."""

    def __init__(self, model: ModelParams, objective: AdversarialParams) -> None:
        super().__init__()
        self.network = build_network(model.network, out_channels=2)
        self.discriminator = PatchGAN(objective.discriminator)
        self.bins = None
        self.decoding = DirectParams(kind="direct")
        self._distance = DISTANCES[objective.loss]
        self._l1_weight = objective.l1_weight
        self._optimizers = (objective.discriminator_optimizer, model.optimizer)

    def players(self) -> dict[str, Player]:
        """Return the discriminator and the generator."""
        return {
            "discriminator": Player(self.discriminator, self._optimizers[0]),
            "generator": Player(self.network, self._optimizers[1]),
        }

    def turns(self, batch: Batch) -> Iterator[Turn]:
        """Yield the discriminator's turn, then the generator's, from one generated picture."""
        fake = self.network(batch.lightness).float()
        gray, real = _pair(batch, fake)
        yield self._discriminator_turn(gray, real, fake.detach())
        self.discriminator.requires_grad_(False)
        yield self._generator_turn(gray, real, fake)
        self.discriminator.requires_grad_(True)

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the L1 distance, the part of the loss that can be compared between epochs."""
        fake = network(batch.lightness).float()
        return {"loss": F.l1_loss(fake, at_resolution(batch.ab, fake) / AB_SCALE)}

    def _discriminator_turn(self, gray: Tensor, real: Tensor, fake: Tensor) -> Turn:
        on_real, on_fake = self._judge(gray, real), self._judge(gray, fake)
        loss = 0.5 * (self._distance_to(on_real, 1.0) + self._distance_to(on_fake, 0.0))
        # A patch is called real above the middle: logit 0, or 0.5 where targets are 0 and 1.
        middle = 0.0 if self._distance is DISTANCES["bce"] else 0.5
        metrics = {
            "discriminator_loss": loss.detach(),
            "discriminator_accuracy_real": (on_real.detach() > middle).float().mean(),
            "discriminator_accuracy_fake": (on_fake.detach() <= middle).float().mean(),
        }
        return Turn("discriminator", loss, metrics)

    def _generator_turn(self, gray: Tensor, real: Tensor, fake: Tensor) -> Turn:
        fooling = self._distance_to(self._judge(gray, fake), 1.0)
        l1 = F.l1_loss(fake, real)
        loss = fooling + self._l1_weight * l1
        metrics = {"loss": loss.detach(), "adversarial_loss": fooling.detach(), "l1": l1.detach()}
        return Turn("generator", loss, metrics)

    def _judge(self, gray: Tensor, ab: Tensor) -> Tensor:
        logits: Tensor = self.discriminator(torch.cat((gray, ab), dim=1))
        return logits.float()

    def _distance_to(self, logits: Tensor, target: float) -> Tensor:
        return self._distance(logits, torch.full_like(logits, target))


def build(model: ModelParams, weights: Tensor | None) -> Adversarial:
    """Make the task; the prior's weights play no part."""
    assert isinstance(model.objective, AdversarialParams)
    return Adversarial(model, model.objective)


def _pair(batch: Batch, fake: Tensor) -> tuple[Tensor, Tensor]:
    return at_resolution(batch.lightness, fake), at_resolution(batch.ab, fake) / AB_SCALE
