"""Classification: the network gives a distribution over color bins at every pixel.

Zhang, Isola and Efros, Colorful Image Colorization, 2016, equation 2: cross-entropy with the
soft code of the true color, each pixel weighted by the rarity of its nearest bin.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from photochrom.color.batch import Batch
from photochrom.color.bins import Bins, bins, lattice_rows
from photochrom.networks import build_network
from photochrom.objectives.base import Player, Task, Turn
from photochrom.objectives.targets import at_resolution
from photochrom.params.models import ClassificationParams, MeanParams, ModelParams


class SoftCrossEntropy(nn.Module):
    """Rebalanced cross-entropy with soft targets, without the dense target.

    The codes of all stored colors stand in a table, so that the loss needs only the gathered
    log-probabilities of the ``neighbours`` bins of each pixel.
    """

    indices: Tensor
    shares: Tensor
    pixel_weights: Tensor

    def __init__(self, where: Bins, neighbours: int, sigma: float, weights: Tensor | None) -> None:
        super().__init__()
        indices, shares = where.lookup(neighbours, sigma)
        of_bins = torch.ones(len(where)) if weights is None else weights.float()
        self.register_buffer("indices", indices, persistent=False)
        self.register_buffer("shares", shares, persistent=False)
        self.register_buffer("pixel_weights", of_bins[indices[:, 0]], persistent=False)

    def forward(self, logits: Tensor, ab: Tensor) -> Tensor:
        """Return the mean loss over all pixels.

        Parameters
        ----------
        logits : tensor (N, Q, h, w).
        ab : float tensor (N, 2, h, w); taken at the nearest color that eight bits can store.
        """
        rows = lattice_rows(ab)
        log_probabilities = logits.float().log_softmax(1)
        gathered = log_probabilities.gather(1, self.indices[rows].movedim(-1, 1))
        entropy = -(gathered * self.shares[rows].movedim(-1, 1)).sum(1)
        return (entropy * self.pixel_weights[rows]).mean()


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
        """Return the loss and how often the likeliest bin is the true one."""
        assert self.bins is not None
        raw = network(batch.lightness)
        nearest = self._criterion.indices[lattice_rows(at_resolution(batch.ab, raw)), 0]
        right = (raw.argmax(1) == nearest).float().mean()
        return {"loss": self.loss(raw, batch.ab), "bin_accuracy": right}

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
    if not objective.rebalance:
        return Classification(model, objective, None)
    expected = len(bins(objective.bins))
    if weights is None or len(weights) != expected:
        raise ValueError(f"rebalancing {objective.bins} needs {expected} weights of its prior")
    return Classification(model, objective, weights)
