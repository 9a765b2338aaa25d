"""What a training has come to, and who looks on."""

from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor, nn

Row = dict[str, float]
"""The numbers of an epoch by name."""


class Observer(Protocol):
    """Whoever wants to see a training as it goes."""

    def epoch(self, row: Row, network: nn.Module) -> None:
        """Receive an epoch's row of the history and the network as it would be kept."""


@dataclass
class Progress:
    """What a training has come to.

    Attributes
    ----------
    step : moves made.
    seconds : time spent, over all interruptions.
    history : one row per finished epoch.
    best_epoch, best_loss : the epoch with the least validation loss, or L1 error.
    best : the network's state after it.
    sums : the current epoch's metrics, summed over its steps.
    """

    step: int = 0
    seconds: float = 0.0
    history: list[Row] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float = float("inf")
    best: dict[str, Tensor] = field(default_factory=dict)
    sums: dict[str, Tensor] = field(default_factory=dict)
