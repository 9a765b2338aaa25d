"""The losses of a GAN, all on logits or scores before any sigmoid.

With D = sigmoid(logit), -log D is softplus(-logit) and log(1 - D) is -softplus(logit).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class GANLoss:
    """What both players minimise, as means over the verdicts.

    Attributes
    ----------
    on_real, on_fake : the discriminator's loss on real and on generated colors.
    fooling : the generator's loss on the verdicts about its colors.
    middle : a verdict above it says real.
    """

    on_real: Loss
    on_fake: Loss
    fooling: Loss
    middle: float


def _minus_log_real(logits: Tensor) -> Tensor:
    return F.softplus(-logits).mean()


def _minus_log_fake(logits: Tensor) -> Tensor:
    return F.softplus(logits).mean()


def _log_fake(logits: Tensor) -> Tensor:
    return -_minus_log_fake(logits)


def _square_to_one(scores: Tensor) -> Tensor:
    return (scores - 1.0).square().mean()


def _square_to_zero(scores: Tensor) -> Tensor:
    return scores.square().mean()


GAN_LOSSES = {
    # Isola et al. 2017: the generator maximises log D, which does not saturate.
    "bce": GANLoss(_minus_log_real, _minus_log_fake, _minus_log_real, 0.0),
    # Goodfellow et al. 2014, equation 1: the generator minimises log(1 - D).
    "minimax": GANLoss(_minus_log_real, _minus_log_fake, _log_fake, 0.0),
    # Mao et al. 2017.
    "lsgan": GANLoss(_square_to_one, _square_to_zero, _square_to_one, 0.5),
}
