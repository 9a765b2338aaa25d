"""Classification: the network gives a distribution over color bins at every pixel.

Zhang, Isola and Efros, Colorful Image Colorization, 2016, equation 2: cross-entropy with the
soft code of the true color, each pixel weighted by the rarity of its nearest bin.
"""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.color.batch import Batch
from photochrom.color.bins import bins, lattice_rows
from photochrom.color.decoding import AB_SCALE, decode
from photochrom.networks import build_network
from photochrom.objectives.base import Player, Task, Turn
from photochrom.objectives.classification.cross_entropy import SoftCrossEntropy
from photochrom.objectives.targets import at_resolution
from photochrom.params.models import ClassificationParams, MeanParams, ModelParams


class Classification(Task):
    """A distribution over the bins."""

    def __init__(
        self, model: ModelParams, objective: ClassificationParams, weights: Tensor | None
    ) -> None:
        super().__init__()
        self.bins = bins(objective.bins)
        self.network = build_network(model.network, out_channels=len(self.bins))
        self.decoding = MeanParams(kind="mean")
        self._optimizer = model.optimizer
        self._criterion = SoftCrossEntropy(
            self.bins, objective.neighbours, objective.sigma, weights
        )

    def players(self) -> dict[str, Player]:
        """Return the one player, the network."""
        return {"network": Player(self.network, self._optimizer)}

    def turns(self, batch: Batch) -> Iterator[Turn]:
        """Yield the network's turn."""
        loss = self.loss(self.network(batch.lightness), batch.ab)
        yield Turn("network", loss, {"loss": loss.detach()})

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the loss, the L1 error and how often the likeliest bin is the true one."""
        raw = network(batch.lightness).float()
        truth = at_resolution(batch.ab, raw)
        right = (raw.argmax(1) == self._criterion.indices[lattice_rows(truth), 0]).float().mean()
        l1 = F.l1_loss(decode(raw, self.decoding, self.bins), truth) / AB_SCALE
        return {"loss": self.loss(raw, batch.ab), "l1": l1, "bin_accuracy": right}

    def loss(self, raw: Tensor, ab: Tensor) -> Tensor:
        """Return the mean loss of logits (N, Q, h, w) against ab (N, 2, H, W)."""
        loss: Tensor = self._criterion(raw, at_resolution(ab, raw))
        return loss


def build(model: ModelParams, weights: Tensor | None) -> Classification:
    """Make the task.

    Raises
    ------
    ValueError
        If it rebalances and the weights are missing or of other bins.
    """
    objective = model.objective
    assert isinstance(objective, ClassificationParams)
    if objective.rebalance is None:
        return Classification(model, objective, None)
    expected = len(bins(objective.bins))
    if weights is None or len(weights) != expected:
        raise ValueError(f"rebalancing {objective.bins} needs {expected} weights")
    return Classification(model, objective, weights)
