"""Classification: the network gives a distribution over color bins at every pixel.

Zhang, Isola and Efros, Colorful Image Colorization, 2016, equation 2: cross-entropy with the
soft code of the true color, each pixel weighted by the rarity of its nearest bin.
"""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.color.batch import Batch
from photochrom.color.bins import Bins, bins, lattice_rows
from photochrom.color.decoding import AB_SCALE, decode
from photochrom.networks import build_network
from photochrom.objectives.base import Player, Task, Turn
from photochrom.objectives.classification.cross_entropy import SoftCrossEntropy
from photochrom.objectives.targets import at_resolution
from photochrom.params.models import ClassificationParams, MeanParams, ModelParams


class Classification(Task):
    """A distribution over the bins."""

    bins: Bins

    def __init__(
        self, model: ModelParams, objective: ClassificationParams, weights: Tensor | None
    ) -> None:
        super().__init__()
        self.bins = bins(objective.bins)
        width = None if objective.decoder is None else objective.decoder.width
        self.network = build_network(model.network, len(self.bins), width)
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
        loss = self._loss_of_a_turn(batch)
        yield Turn("network", loss, {"loss": loss.detach()})

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the loss, the L1 error and how often the likeliest bin is the true one."""
        raw = network(batch.lightness).float()
        truth = at_resolution(batch.ab, raw)
        likeliest = self.bins.logits(raw).argmax(1)
        right = (likeliest == self._criterion.indices[lattice_rows(truth), 0]).float().mean()
        l1 = F.l1_loss(decode(raw, self.decoding, self.bins), truth) / AB_SCALE
        return {"loss": self.loss(raw, batch.ab), "l1": l1, "bin_accuracy": right}

    def _loss_of_a_turn(self, batch: Batch) -> Tensor:
        if self.network.repeats == 1:
            return self.loss(self.network(batch.lightness), batch.ab)
        # Pixels of one distribution share its logarithm: a quarter of the numbers gives the same.
        raw = self.network(batch.lightness, repeated=False)
        return self.loss(raw, batch.ab, self.network.repeats)

    def loss(self, raw: Tensor, ab: Tensor, repeats: int = 1) -> Tensor:
        """Return the mean loss of logits (N, Q, h, w) against ab (N, 2, H, W).

        Parameters
        ----------
        repeats : each distribution is that of so many pixels in both directions.
        """
        loss: Tensor = self._criterion(raw, at_resolution(ab, raw, repeats), repeats)
        return loss
