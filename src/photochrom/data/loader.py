"""From stored squares to batches on the device; no work per photograph in Python."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from photochrom.color.batch import Batch, normalised
from photochrom.color.lab import decode_lab
from photochrom.data.shards import LabSet
from photochrom.params.models import ImageParams

RESIDENT_SHARE = 0.25
"""A split that takes at most this share of the device's free memory is held there whole."""


class Squares:
    """The squares of a split as uint8, resident on the device where they fit.

    Others are read from the memory maps one batch ahead of their use.
    """

    def __init__(self, photographs: LabSet, device: torch.device) -> None:
        self._photographs, self._device = photographs, device
        size = len(photographs) * 3 * photographs.size**2
        self._resident: Tensor | None = None
        if size <= RESIDENT_SHARE * _free_bytes(device):
            whole = photographs.take(np.arange(len(photographs)))
            self._resident = torch.from_numpy(whole).to(device)

    def __len__(self) -> int:
        return len(self._photographs)

    def batches(self, orders: Iterator[Tensor]) -> Iterator[Tensor]:
        """Yield uint8 (n, 3, S, S) on the device for each tensor of positions."""
        if self._resident is not None:
            resident = self._resident
            return (resident[_sent(rows, self._device)] for rows in orders)
        return self._read_ahead(orders)

    def _read_ahead(self, orders: Iterator[Tensor]) -> Iterator[Tensor]:
        with ThreadPoolExecutor(1) as reader:
            waiting: Future[Tensor] | None = None
            for rows in orders:
                following = reader.submit(self._read, rows)
                if waiting is not None:
                    yield waiting.result().to(self._device, non_blocking=True)
                waiting = following
            if waiting is not None:
                yield waiting.result().to(self._device, non_blocking=True)

    def _read(self, rows: Tensor) -> Tensor:
        read = torch.from_numpy(self._photographs.take(rows.numpy()))
        return read.pin_memory() if self._device.type == "cuda" else read


def to_batch(stored: Tensor, size: int | None = None) -> Batch:
    """Turn stored squares (N, 3, S, S) into a batch, area-averaged to ``size`` if given."""
    lab = decode_lab(stored)
    if size is not None and size != lab.shape[-1]:
        lab = F.adaptive_avg_pool2d(lab, size)
    return Batch(normalised(lab[:, :1]), lab[:, 1:])


def centred(stored: Tensor, image: ImageParams) -> Batch:
    """Turn stored squares (N, 3, S, S) into a batch to validate on: resized, its centre cropped.

    The network sees the side that it is trained on; the whole may not be a multiple of its stride.
    """
    batch = to_batch(stored, image.size)
    if image.crop is None:
        return batch
    first = (batch.ab.shape[-1] - image.crop) // 2
    inside = slice(first, first + image.crop)
    return Batch(batch.lightness[..., inside, inside], batch.ab[..., inside, inside])


def augmented(stored: Tensor, image: ImageParams, generator: torch.Generator) -> Batch:
    """Turn stored squares into a training batch: resized, cropped and mirrored at random.

    Parameters
    ----------
    stored : uint8 (N, 3, S, S).
    generator : a CPU generator; the draws depend on it alone, not on the device.
    """
    batch = to_batch(stored, image.size)
    lab = torch.cat((batch.lightness, batch.ab), dim=1)
    if image.crop is not None:
        lab = _random_crops(lab, image.crop, generator)
    if image.flip:
        mirrored = torch.rand(len(lab), 1, 1, 1, generator=generator) < 0.5
        lab = torch.where(_sent(mirrored, lab.device), lab.flip(-1), lab)
    lab = lab.contiguous(memory_format=torch.channels_last)
    return Batch(lab[:, :1], lab[:, 1:])


def _random_crops(lab: Tensor, side: int, generator: torch.Generator) -> Tensor:
    room = lab.shape[-1] - side + 1
    corners = torch.randint(room, (2, len(lab), 1), generator=generator)
    rows, columns = _sent(corners + torch.arange(side), lab.device)
    picked = torch.arange(len(lab), device=lab.device)[:, None, None]
    return lab.movedim(1, -1)[picked, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def _sent(small: Tensor, device: torch.device) -> Tensor:
    """Send to the device without waiting for what it computes now."""
    if device.type != "cuda":
        return small
    return small.pin_memory().to(device, non_blocking=True)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return _available_memory()


def _available_memory() -> int:
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration):
        return 4 * 2**30
