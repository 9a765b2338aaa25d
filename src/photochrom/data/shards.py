"""Lab shards: photographs as uint8 arrays (N, 3, S, S) of L, a and b in many files."""

import math
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import pandas as pd

from photochrom.files import read_json

MAGIC = np.lib.format.magic(1, 0)
FIXED = len(MAGIC) + 2
"""Bytes before a file's header, whose length is in the last two (NumPy's format, version 1.0)."""
OPEN = 128
"""Files held open at once by a reader; systems allow a process a thousand or fewer."""


class ShardError(Exception):
    """The Lab shards are not there or not whole; the message says what to do."""


@dataclass(frozen=True)
class LabSet:
    """The photographs of one split.

    Attributes
    ----------
    folder : where the shards lie.
    split : train, validation or test.
    index : one row per stored square: split, shard, row, id, group, label and its box.
    size : side of the squares in pixels.
    """

    folder: Path
    split: str
    index: pd.DataFrame
    size: int

    @classmethod
    def open(cls, folder: Path, split: str) -> Self:
        """Open a split for reading.

        Raises
        ------
        ShardError
            If the stage ``lab`` has not finished there.
        """
        about = describe(folder)
        index = pd.read_parquet(folder / "index.parquet", filters=[("split", "==", split)])
        return cls(folder, split, index.reset_index(drop=True), int(about["size"]))

    def __len__(self) -> int:
        return len(self.index)

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[Any, ...]]:
        """Leave the open files behind where this travels to another process."""
        return type(self), (self.folder, self.split, self.index, self.size)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Read squares by their position in the split (uint8 (n, 3, S, S)).

        Raises
        ------
        ShardError
            If a shard is missing or shorter than it should be.
        """
        out = np.empty((len(rows), 3, self.size, self.size), dtype=np.uint8)
        shard, row = self._places[0][rows], self._places[1][rows]
        with _refusing_damage(self.folder):
            self._files.read(shard, row, out)
        return out

    def spread(self, count: int) -> np.ndarray:
        """Choose positions of ``count`` squares, of as many different groups as there are."""
        first = self.index.groupby("group", sort=False).head(1).index.to_numpy()
        others = np.setdiff1d(np.arange(len(self)), first)
        chosen = _evenly(first, count), _evenly(others, max(0, count - len(first)))
        return np.sort(np.concatenate(chosen))

    @property
    def shards(self) -> list[Path]:
        """The split's files, in the order of their squares."""
        count = int(self._places[0].max()) + 1 if len(self) else 0
        return [self.folder / shard_name(self.split, number) for number in range(count)]

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        return self.index["shard"].to_numpy(), self.index["row"].to_numpy()

    @cached_property
    def _files(self) -> "_Files":
        return _Files(self.shards)


def _evenly(positions: np.ndarray, count: int) -> np.ndarray:
    places = np.linspace(0, len(positions) - 1, min(count, len(positions))).round().astype(int)
    return np.asarray(positions[places])


def shard_name(split: str, number: int) -> str:
    """Return the file name of a shard."""
    return f"{split}-{number:05d}.npy"


def squares_in_order(shard: Path, pixels: int) -> Iterator[np.ndarray]:
    """Yield all squares (n, 3, S, S) of a shard, about so many pixels at a time.

    Raises
    ------
    ShardError
        If it is missing or shorter than it should be.
    """
    with _refusing_damage(shard), shard.open("rb") as handle:
        np.lib.format.read_magic(handle)
        (count, *shape), _, _ = np.lib.format.read_array_header_1_0(handle)
        rows = max(1, pixels // math.prod(shape[1:]))
        for start in range(0, count, rows):
            wanted = (min(rows, count - start), *shape)
            piece = np.fromfile(handle, np.uint8, math.prod(wanted))
            if piece.size != math.prod(wanted):
                raise EOFError(f"{shard} ends too early.")
            yield piece.reshape(wanted)


@contextmanager
def _refusing_damage(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, ValueError):
        raise ShardError(
            f"{place} is missing, damaged or cannot be read: run `dvc repro --force lab`."
        ) from None


def describe(folder: Path) -> dict[str, Any]:
    """Return lab.json: size, fit, counts and the digest of all shards.

    Raises
    ------
    ShardError
        If it is not there.
    """
    if not (folder / "lab.json").is_file():
        raise ShardError(f"{folder} holds no Lab shards: run `dvc repro lab` first.")
    about: dict[str, Any] = read_json(folder / "lab.json")
    return about


class _Files:
    """Reads rows of several files, of which it holds a limited number open.

    Rows are read where they lie, not through memory maps: a map counts against the limits of the
    system, and one of a network file system kills the process when the server goes.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._open: OrderedDict[int, _OpenFile] = OrderedDict()
        self._lock = Lock()

    def read(self, files: np.ndarray, rows: np.ndarray, out: np.ndarray) -> None:
        """Read one row of a file after the other into ``out``; neighbours are read at once.

        Parameters
        ----------
        files, rows : int (n,), the number of each row's file and its place there.
        out : uint8 (n, ...), contiguous.

        Raises
        ------
        OSError, ValueError, EOFError
            If a file is missing, no array, or too short.
        """
        if not len(files):
            return
        breaks = np.flatnonzero((np.diff(files) != 0) | (np.diff(rows) != 1)) + 1
        target, size = out.reshape(-1).data, out[0].nbytes
        begins = np.concatenate(([0], breaks))
        ends = np.concatenate((breaks, [len(files)]))
        for file, row, begin, end in zip(
            files[begins].tolist(), rows[begins].tolist(), begins.tolist(), ends.tolist(),
            strict=True,
        ):  # fmt: skip
            self._file(file).read(row * size, target[begin * size : end * size])

    def _file(self, number: int) -> "_OpenFile":
        with self._lock:
            found = self._open.pop(number, None) or _OpenFile(self._paths[number])
            self._open[number] = found
            if len(self._open) > OPEN:
                self._open.popitem(last=False)
            return found


class _OpenFile:
    """A file that is closed when nobody has it any more, whichever thread was the last."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        begin = os.pread(self._descriptor, FIXED, 0)
        if begin[: len(MAGIC)] != MAGIC:
            raise ValueError(f"{path} is no array of NumPy's format, version 1.0.")
        self._start = FIXED + int.from_bytes(begin[len(MAGIC) :], "little")

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)

    def read(self, start: int, target: memoryview) -> None:
        """Fill ``target`` with the bytes from ``start`` on, in spite of other threads."""
        start += self._start
        while len(target):
            count = os.preadv(self._descriptor, [target], start)
            if count == 0:
                raise EOFError
            start, target = start + count, target[count:]
