"""From stored squares to batches on the device; no work per photograph in Python."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from photochrom import environment
from photochrom.color.batch import Batch, normalised
from photochrom.color.lab import decode_lab
from photochrom.data.shards import LabSet
from photochrom.params.models import ImageParams

RESIDENT_SHARE, RESIDENT_SHARE_GPU = 0.25, 0.6
"""A split that takes at most this share of the device's free memory is held there whole."""
CHUNK = 2**28
"""Bytes that are copied there at once."""
AHEAD = 4
"""Batches that are read before they are asked for, each by a thread of its own."""


class Squares:
    """The squares of a split as uint8, resident on the device where they fit.

    Others are read from their files some batches ahead of their use.
    """

    def __init__(self, photographs: LabSet, device: torch.device) -> None:
        self._photographs, self._device = photographs, device
        self._resident: Tensor | None = None
        on_gpu = device.type == "cuda"
        share = RESIDENT_SHARE_GPU if on_gpu else RESIDENT_SHARE / environment.local_processes()
        if len(self) * self._bytes_each() <= share * _free_bytes(device):
            self._resident = self._whole()

    def _bytes_each(self) -> int:
        return 3 * self._photographs.size**2

    def _whole(self) -> Tensor:
        side = self._photographs.size
        whole = torch.empty((len(self), 3, side, side), dtype=torch.uint8, device=self._device)
        for rows in torch.arange(len(self)).split(max(1, CHUNK // self._bytes_each())):
            whole[rows[0] : rows[-1] + 1] = torch.from_numpy(self._photographs.take(rows.numpy()))
        return whole

    def __len__(self) -> int:
        return len(self._photographs)

    def batches(self, orders: Iterator[Tensor]) -> Iterator[Tensor]:
        """Yield uint8 (n, 3, S, S) on the device for each tensor of positions."""
        if self._resident is not None:
            resident = self._resident
            return (resident[_sent(rows, self._device)] for rows in orders)
        return self._read_ahead(orders)

    def _read_ahead(self, orders: Iterator[Tensor]) -> Iterator[Tensor]:
        with ThreadPoolExecutor(AHEAD) as readers:
            waiting: deque[Future[Tensor]] = deque()
            for rows in orders:
                waiting.append(readers.submit(self._read, rows))
                if len(waiting) > AHEAD:
                    yield self._arrived(waiting.popleft())
            while waiting:
                yield self._arrived(waiting.popleft())

    def _arrived(self, read: Future[Tensor]) -> Tensor:
        return read.result().to(self._device, non_blocking=True)

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


def augmented(
    stored: Tensor,
    image: ImageParams,
    generator: torch.Generator,
    total: int | None = None,
    positions: Tensor | None = None,
) -> Batch:
    """Turn stored squares into a training batch: resized; enlarged, cropped, mirrored at random.

    Parameters
    ----------
    stored : uint8 (N, 3, S, S).
    generator : a CPU generator; the draws depend on it alone, not on the device.
    total, positions : of how many photographs the whole batch is, and which of them (N,) these
        are: a photograph is cut alike whichever process sees it. None: they are the whole batch.
    """
    batch = to_batch(stored, image.size)
    lab = torch.cat((batch.lightness, batch.ab), dim=1)
    count = len(lab) if total is None else total
    if image.scale is not None:
        draws = torch.rand(3, count, generator=generator)
        lab = _enlarged(lab, image.scale, _of(draws, positions))
    if image.crop is not None:
        room = lab.shape[-1] - image.crop + 1
        corners = torch.randint(room, (2, count), generator=generator)
        lab = _crops(lab, image.crop, _of(corners, positions)[:, :, None])
    if image.flip:
        mirrored = _of(torch.rand(count, generator=generator) < 0.5, positions)
        lab = torch.where(_sent(mirrored, lab.device)[:, None, None, None], lab.flip(-1), lab)
    lab = lab.contiguous(memory_format=torch.channels_last)
    return Batch(lab[:, :1], lab[:, 1:])


def _of(draws: Tensor, positions: Tensor | None) -> Tensor:
    """Return the draws (.., total) of some photographs (.., N)."""
    return draws if positions is None else draws[..., positions]


def _enlarged(lab: Tensor, least: float, draws: Tensor) -> Tensor:
    """Enlarge a part of each square (N, C, S, S) to the whole side (bilinear).

    Parameters
    ----------
    least : the part's least share of the side.
    draws : (3, N) in 0..1: of the part's size, and of where it lies in both directions.
    """
    size, *places = _sent(draws, lab.device)
    share = least + size * (1 - least)
    shifts = [(2 * place - 1) * (1 - share) for place in places]
    zero = torch.zeros_like(share)
    rows = torch.stack((share, zero, shifts[0])), torch.stack((zero, share, shifts[1]))
    places_seen = F.affine_grid(torch.stack(rows).permute(2, 0, 1), list(lab.shape), False)
    return F.grid_sample(lab, places_seen, padding_mode="border", align_corners=False)


def _crops(lab: Tensor, side: int, corners: Tensor) -> Tensor:
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
