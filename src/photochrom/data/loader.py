"""From stored squares to batches on the device; no work per photograph in Python."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from photochrom import environment
from photochrom.color.batch import Batch, normalised
from photochrom.color.lab import AB_OFFSET, L_STEP
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
            return (resident.index_select(0, _sent(rows, self._device)) for rows in orders)
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
    return _decoded(_resized(stored, size))


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
    # Squares stay bytes as long as no number between two levels arises.
    squares, count = _resized(stored, image.size), len(stored) if total is None else total
    if image.scale is not None:
        draws = torch.rand(3, count, generator=generator)
        squares = _enlarged(squares.float(), image.scale, _of(draws, positions))
    if image.crop is not None:
        room = squares.shape[-1] - image.crop + 1
        corners = torch.randint(room, (2, count), generator=generator)
        squares = _crops(squares, image.crop, _of(corners, positions)[:, :, None])
    if image.flip:
        mirrored = _of(torch.rand(count, generator=generator) < 0.5, positions)
        squares = _mirrored(squares, mirrored[:, None])
    return _decoded(squares)


def _resized(stored: Tensor, size: int | None) -> Tensor:
    """Return squares (N, 3, S, S), area-averaged (float32) if that is not their side already."""
    if size is None or size == stored.shape[-1]:
        return stored
    return F.adaptive_avg_pool2d(stored.float(), size)


def _decoded(squares: Tensor) -> Batch:
    """Scale stored levels, whole or between two, to what a batch holds."""
    scale, offset = _to_batch(squares.device)
    lab = (squares.float() * scale).add_(offset)
    # A single channel's strides name the format that networks compute in, and nothing else.
    return Batch(lab[:, 0, ..., None].movedim(-1, 1), lab[:, 1:])


@cache
def _to_batch(device: torch.device) -> Tensor:
    """Return the factors and the offsets (2, 3, 1, 1) of L / 50 - 1, a and b in stored levels."""
    dark, next_level = normalised(torch.tensor([0.0, L_STEP], dtype=torch.float64)).tolist()
    pairs = [[next_level - dark, 1.0, 1.0], [dark, -AB_OFFSET, -AB_OFFSET]]
    return torch.tensor(pairs, dtype=torch.float32, device=device)[:, :, None, None]


def _of(draws: Tensor, positions: Tensor | None) -> Tensor:
    """Return the draws (.., total) of some photographs (.., N)."""
    return draws if positions is None else draws[..., positions]


def _enlarged(squares: Tensor, least: float, draws: Tensor) -> Tensor:
    """Enlarge a part of each square (N, C, S, S) to the whole side (bilinear).

    Parameters
    ----------
    least : the part's least share of the side.
    draws : (3, N) in 0..1: of the part's size, and of where it lies in both directions.
    """
    size, *places = _sent(draws, squares.device)
    share = least + size * (1 - least)
    shifts = [(2 * place - 1) * (1 - share) for place in places]
    zero = torch.zeros_like(share)
    rows = torch.stack((share, zero, shifts[0])), torch.stack((zero, share, shifts[1]))
    places_seen = F.affine_grid(torch.stack(rows).permute(2, 0, 1), list(squares.shape), False)
    return F.grid_sample(squares, places_seen, padding_mode="border", align_corners=False)


def _crops(squares: Tensor, side: int, corners: Tensor) -> Tensor:
    """Cut a part of so many pixels out of each square, whose corners are (2, N, 1)."""
    rows, columns = corners + torch.arange(side)
    return _picked(_picked(squares, rows, axis=2), columns, axis=3)


def _mirrored(squares: Tensor, which: Tensor) -> Tensor:
    """Mirror some squares; ``which`` is bool (N, 1)."""
    last = squares.shape[-1] - 1
    columns = torch.arange(last + 1)
    return _picked(squares, torch.where(which, last - columns, columns), axis=3)


def _picked(squares: Tensor, places: Tensor, axis: int) -> Tensor:
    """Take the rows (axis 2) or columns (axis 3) at ``places`` (N, n) of each square."""
    shape = list(squares.shape)
    shape[axis] = places.shape[1]
    index = _sent(places, squares.device)[:, None].unsqueeze(5 - axis)
    return squares.gather(axis, index.expand(shape))


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
