"""The processes that train one model together, each on its share of every batch.

They are started by torchrun or by :mod:`photochrom.training.launch` and hold the same weights.
Gradients are summed by an all-reduce per turn, not by DistributedDataParallel: that wraps one
module and one forward pass, a GAN has two modules and passes through them in turns; and it averages
over processes, which is wrong where their shares of a batch differ.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import torch
import torch.distributed as dist
from torch import Tensor

from photochrom import environment
from photochrom.training.errors import ProcessLostError

LOST = (
    "Another process of this training has gone. Run the same command again to continue from the "
    "last checkpoint."
)
GONE = ("gloo/transport", "remote process exited")
"""What gloo and NCCL say of it."""


class Group:
    """The processes of a training, or this one alone.

    Parameters
    ----------
    rank : this process's number, 0 for the one that writes and reports.
    size : how many there are.
    talk : what small messages between CPUs travel by.
    """

    def __init__(self, rank: int = 0, size: int = 1, talk: Any = None) -> None:
        self.rank, self.size, self._talk = rank, size, talk

    def __deepcopy__(self, _: Any) -> Self:
        return self

    @property
    def first(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """Return which of ``count`` things are this process's; shares differ by one at most."""
        least, more = divmod(count, self.size)
        start = self.rank * least + min(self.rank, more)
        return range(start, start + least + (self.rank < more))

    def sum(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, all in one message."""
        parts = list(tensors)
        if self.size == 1 or not parts:
            return
        whole = torch.cat([part.reshape(-1) for part in parts])
        with _watched():
            dist.all_reduce(whole)
        pieces = whole.split([part.numel() for part in parts])
        for part, piece in zip(parts, pieces, strict=True):
            part.copy_(piece.view(part.shape))

    def gather(self, values: Tensor) -> Tensor:
        """Return each process's tensor (...) as (size, ...), in the order of ranks."""
        if self.size == 1:
            return values[None]
        parts = [torch.empty_like(values) for _ in range(self.size)]
        with _watched():
            dist.all_gather(parts, values)
        return torch.stack(parts)

    def greatest(self, number: int) -> int:
        """Return the greatest of all processes' numbers, to each."""
        if self.size == 1:
            return number
        told = torch.tensor(number)
        with _watched():
            dist.all_reduce(told, dist.ReduceOp.MAX, group=self._talk)
        return int(told)

    def told(self, value: Any) -> Any:
        """Return the first process's value to each; the others' plays no part."""
        if self.size == 1:
            return value
        box = [value]
        with _watched():
            dist.broadcast_object_list(box, src=0, group=self._talk)
        return box[0]

    def await_first(self) -> None:
        """Wait until the first process has gone: until then the launcher lets it say why."""
        with suppress(ProcessLostError):
            self.told(None)


ALONE = Group()


@contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """Yield the group that torchrun has put this process into; :data:`ALONE` without torchrun.

    Raises
    ------
    ProcessLostError
        If the others cannot be reached.
    """
    if not environment.launched():
        yield ALONE
        return
    gpu = device.type == "cuda"
    with _watched():
        dist.init_process_group("nccl" if gpu else "gloo", device_id=device if gpu else None)
    try:
        talk = dist.new_group(backend="gloo") if gpu else None
        yield Group(dist.get_rank(), dist.get_world_size(), talk)
    finally:
        dist.destroy_process_group()


@contextmanager
def _watched() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        lost = isinstance(error, dist.DistNetworkError) or any(s in str(error) for s in GONE)
        if not lost:
            raise
        raise ProcessLostError(LOST) from None
