"""How a batch is divided: in time, where a device cannot take all of it, and among processes.

Whatever the division, the sum of what the pieces give is what the whole batch gives: losses are
weighted by the pieces' sizes, random numbers are drawn for the whole batch and cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from photochrom.color.batch import Batch
from photochrom.training.distributed import Group
from photochrom.training.errors import TrainingError


@dataclass
class Division:
    """What this process takes of a batch, piece after piece.

    Attributes
    ----------
    total : photographs in a batch.
    pieces : this process's photographs of each piece, as positions in the batch.
    current : the piece that is being computed.
    """

    total: int
    pieces: list[range]
    current: range

    @cached_property
    def positions(self) -> Tensor | None:
        """This process's photographs as positions in the batch, piece after piece; None for all."""
        own = [position for piece in self.pieces for position in piece]
        return None if len(own) == self.total else torch.tensor(own)

    def cut(self, batch: Batch) -> Iterator[Batch]:
        """Cut this process's part of a batch into its pieces."""
        if len(self.pieces) == 1:
            return iter((batch,))
        sizes = [len(piece) for piece in self.pieces]
        pairs = zip(batch.lightness.split(sizes), batch.ab.split(sizes), strict=True)
        return (Batch(lightness, ab) for lightness, ab in pairs)


def divide(total: int, group: Group, most: int | None) -> Division:
    """Divide batches of ``total`` photographs.

    Every process takes part in every piece, since batch normalization asks all of them.

    Parameters
    ----------
    most : photographs that a device takes at once; None for all.

    Raises
    ------
    TrainingError
        If there are more processes than photographs in a batch.
    """
    if total < group.size:
        raise TrainingError(
            f"A batch of {total} photographs cannot be shared by {group.size} processes: raise "
            f"batch_size, or set PHOTOCHROM_PROCESSES to {total} or less."
        )
    wanted = 1 if most is None else -(-total // (most * group.size))
    parts = _ranges(total, min(wanted, total // group.size))
    pieces = [_within(part, group.share(len(part))) for part in parts]
    return Division(total, pieces, pieces[0])


def _ranges(total: int, count: int) -> list[range]:
    """Cut 0..total into ranges whose lengths differ by one at most."""
    return [Group(number, count).share(total) for number in range(count)]


def _within(whole: range, part: range) -> range:
    return range(whole.start + part.start, whole.start + part.stop)
