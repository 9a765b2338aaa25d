"""What an objective is: networks, losses and the order in which their players move."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from photochrom.color.batch import Batch
from photochrom.color.bins import Bins
from photochrom.networks import ColorNetwork
from photochrom.params.models import Decoding, OptimizerParams


@dataclass(frozen=True)
class Turn:
    """One player's move: the engine minimises ``loss`` over that player's parameters.

    Attributes
    ----------
    player : whose turn it is.
    loss : scalar float32 tensor.
    metrics : detached scalars to average over the epoch.
    """

    player: str
    loss: Tensor
    metrics: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Player:
    """Parameters that move together, and how."""

    module: nn.Module
    optimizer: OptimizerParams


class Task(nn.Module, ABC):
    """A network and what it is trained for.

    Attributes
    ----------
    network : the colorizer that is kept at the end.
    bins : the bins of its logits; None where it gives ab.
    decoding : how its output is read while it trains; evaluation takes the decoding of
        params.yaml instead.
    keepable : whether the network of this epoch may be the one that is kept.
    """

    network: ColorNetwork
    bins: Bins | None
    decoding: Decoding
    keepable: bool = True

    def start_epoch(self, epoch: int) -> None:
        """Learn that an epoch (0, 1, ..) begins; its steps follow, perhaps from the middle on."""

    @abstractmethod
    def players(self) -> dict[str, Player]:
        """Return the players by name, in the order of their turns."""

    @abstractmethod
    def turns(self, batch: Batch) -> Iterator[Turn]:
        """Yield a turn for each player that moves in this epoch.

        The engine makes each move before it asks for the next turn, so that a later player sees
        the earlier ones as moved, and what was computed before the first turn can be shared.
        """

    @abstractmethod
    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return scalars that tell how good a network (this one or its average) is.

        Always among them are ``loss``, by which epochs are compared, and ``l1``, the mean
        absolute error of ab / 110 as it is decoded while training.
        """

    def remarks(self, row: Mapping[str, float]) -> tuple[str, ...]:
        """Return sentences about what an epoch's numbers warn of."""
        return ()
