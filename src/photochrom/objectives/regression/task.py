"""Regression: the network gives ab itself, and the distance to the truth is the loss."""

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.color.batch import Batch
from photochrom.color.decoding import AB_SCALE
from photochrom.networks import build_network
from photochrom.objectives.base import Player, Task, Turn
from photochrom.objectives.targets import at_resolution
from photochrom.params.models import DirectParams, ModelParams, RegressionParams

Loss = Callable[[Tensor, Tensor], Tensor]
LOSSES: dict[str, Loss] = {
    "l2": F.mse_loss,
    "l1": F.l1_loss,
    "smooth_l1": F.smooth_l1_loss,
}


class Regression(Task):
    """Mean distance of ab / 110 to the truth."""

    def __init__(self, model: ModelParams, objective: RegressionParams) -> None:
        super().__init__()
        self.network = build_network(model.network, out_channels=2)
        self.bins = None
        self.decoding = DirectParams(kind="direct")
        self._optimizer = model.optimizer
        self._loss = LOSSES[objective.loss]

    def players(self) -> dict[str, Player]:
        """Return the one player, the network."""
        return {"network": Player(self.network, self._optimizer)}

    def turns(self, batch: Batch) -> Iterator[Turn]:
        """Yield the network's turn."""
        loss = self.loss(self.network(batch.lightness), batch.ab)
        yield Turn("network", loss, {"loss": loss.detach()})

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the loss and the L1 error."""
        raw = network(batch.lightness).float()
        l1 = F.l1_loss(raw, at_resolution(batch.ab, raw) / AB_SCALE)
        return {"loss": self.loss(raw, batch.ab), "l1": l1}

    def loss(self, raw: Tensor, ab: Tensor) -> Tensor:
        """Return the mean loss of raw output (N, 2, h, w) against ab (N, 2, H, W)."""
        return self._loss(raw.float(), at_resolution(ab, raw) / AB_SCALE)


def build(model: ModelParams, weights: Tensor | None) -> Regression:
    """Make the task; the prior's weights play no part."""
    assert isinstance(model.objective, RegressionParams)
    return Regression(model, model.objective)
