"""Lab shards: photographs as memory-mapped uint8 arrays (N, 3, S, S) of L, a and b."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from photochrom.files import read_json

SHARD_BYTES = 512 * 2**20


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

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Read squares by their position in the split (uint8 (n, 3, S, S))."""
        out = np.empty((len(rows), 3, self.size, self.size), dtype=np.uint8)
        shard, row = self._places[0][rows], self._places[1][rows]
        for number in np.unique(shard):
            chosen = shard == number
            out[chosen] = self._arrays[number][row[chosen]]
        return out

    def spread(self, count: int) -> np.ndarray:
        """Choose positions of ``count`` squares, of as many different groups as there are."""
        first = self.index.groupby("group", sort=False).head(1).index.to_numpy()
        others = np.setdiff1d(np.arange(len(self)), first)
        chosen = _evenly(first, count), _evenly(others, max(0, count - len(first)))
        return np.sort(np.concatenate(chosen))

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        return self.index["shard"].to_numpy(), self.index["row"].to_numpy()

    @cached_property
    def _arrays(self) -> list[np.ndarray]:
        count = int(self.index["shard"].max()) + 1 if len(self.index) else 0
        paths = [self.folder / shard_name(self.split, number) for number in range(count)]
        return [np.load(path, mmap_mode="r") for path in paths]


def _evenly(positions: np.ndarray, count: int) -> np.ndarray:
    places = np.linspace(0, len(positions) - 1, min(count, len(positions))).round().astype(int)
    return np.asarray(positions[places])


def shard_name(split: str, number: int) -> str:
    """Return the file name of a shard."""
    return f"{split}-{number:05d}.npy"


def rows_per_shard(size: int) -> int:
    """Return how many squares of ``size`` pixels go into one shard."""
    return max(1, SHARD_BYTES // (3 * size * size))


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
