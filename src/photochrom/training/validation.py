"""Validation: how good a network is on photographs that it does not learn from."""

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from photochrom.color.bins import output_channels
from photochrom.data.loader import Squares, centred
from photochrom.objectives import Task
from photochrom.params.models import ImageParams
from photochrom.training.distributed import Group

AT_ONCE = 64


@torch.inference_mode()
def validate(
    task: Task,
    network: nn.Module,
    photographs: Squares,
    image: ImageParams,
    group: Group,
    precision: AbstractContextManager[Any],
) -> dict[str, float]:
    """Return the means over all photographs of what the task measures.

    Each process measures its share; sums are added, so that shares of any size give the same means.

    Parameters
    ----------
    network : the task's network or its average; it is left in evaluation mode.
    precision : the autocast to compute in.
    """
    network.eval()
    own = group.share(len(photographs))
    # A process without any takes part in the sum all the same, with a photograph that counts zero.
    rows, weight = (own, 1) if own else (range(1), 0)
    sums: dict[str, Tensor] = {}
    orders = iter(torch.arange(rows.start, rows.stop).split(AT_ONCE))
    for stored in photographs.batches(orders):
        for batch in centred(stored, image).pieces(output_channels(task.bins)):
            with precision:
                values = task.validate(network, batch)
            for name, value in values.items():
                part = value.double() * (weight * len(batch))
                sums[name] = sums[name] + part if name in sums else part
    group.sum(sums.values())
    return {name: float(total) / len(photographs) for name, total in sums.items()}
