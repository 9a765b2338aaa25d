"""The plan of the stage ``lab``: every square's photograph, its area and its place in the shards.

It is made and kept in pieces, so that its memory does not depend on the number of photographs.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from photochrom.data.shards import shard_name
from photochrom.data.tables import in_groups
from photochrom.files import whole_file
from photochrom.params.data import LabParams

SHARD_BYTES = 256 * 2**20
SHARDS = 64
"""A set is cut into so many shards, so that as many processes have work, unless they would hold
more than SHARD_BYTES or fewer than LEAST_ROWS squares."""
LEAST_ROWS = 32
BATCH = 8192
"""Photographs that are planned at a time."""
GROUP = 2**17
"""Squares in a row group of the index, at least."""
SOURCE = ("shard", "path")
"""Columns of the manifest that tell where a photograph's bytes lie."""
PHOTOGRAPHS = pa.schema(
    [
        *((name, pa.string()) for name in ("id", "group", "label", "split", *SOURCE)),
        *((name, pa.int32()) for name in ("width", "height")),
    ]
)
AREA = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class PlannedShard:
    """One shard to be: its file's name, its number in the plan, and how many squares it takes."""

    name: str
    number: int
    squares: int


@dataclass(frozen=True)
class Plan:
    """A plan in a file (Arrow's IPC format), one record batch for each shard.

    Columns: id, group, label, split; shard_file and path, where the photograph's bytes lie;
    width, height; left, top, right, bottom (pixels of the upright photograph); shard, row.

    Attributes
    ----------
    path : the file. Only this travels to other processes.
    """

    path: Path

    @cached_property
    def shards(self) -> list[PlannedShard]:
        """All shards, each split's in ascending order."""
        batches = map(self.squares, range(self._reader.num_record_batches))
        return [
            PlannedShard(planned_name(batch), number, batch.num_rows)
            for number, batch in enumerate(batches)
        ]

    def squares(self, number: int) -> pa.RecordBatch:
        """Return the squares of one shard, in the order of their rows."""
        return self._reader.get_batch(number)

    def __reduce__(self) -> tuple[type[Self], tuple[Path]]:
        """Leave the open file behind where this travels to another process."""
        return type(self), (self.path,)

    @cached_property
    def _reader(self) -> pa.ipc.RecordBatchFileReader:
        return pa.ipc.open_file(pa.memory_map(str(self.path)))

    def write_index(self, path: Path) -> dict[str, int]:
        """Write all but shard_file and path to a Parquet file; return the squares of each split."""
        counts: dict[str, int] = {}
        kept = [name for name in _planned_schema().names if name not in ("shard_file", "path")]
        schema = pa.schema([_planned_schema().field(name) for name in kept])
        with whole_file(path) as temporary, pq.ParquetWriter(temporary, schema) as writer:
            batches = (self.squares(shard.number).select(kept) for shard in self.shards)
            for table in in_groups(batches, GROUP):
                writer.write_table(table)
                for count in table["split"].value_counts().to_pylist():
                    counts[count["values"]] = counts.get(count["values"], 0) + count["counts"]
        return counts


def planned_name(squares: pa.RecordBatch) -> str:
    """Return the file name of the shard that the squares make up."""
    return shard_name(squares["split"][0].as_py(), squares["shard"][0].as_py())


def write_plan(manifest: Path, params: LabParams, path: Path) -> Plan:
    """Plan the squares of the kept photographs.

    It depends on the manifest and the parameters alone. A photograph's squares all lie in one
    shard, so that it is decoded once.

    Parameters
    ----------
    manifest : the file that the stage ``filter`` wrote.
    path : where the plan goes.
    """
    tiles = max(params.tiles.train, params.tiles.held_out) if params.fit == "tiles" else 1
    capacity = rows_per_shard(params.size, _total(manifest, params), tiles)
    schema = _planned_schema()
    with (
        whole_file(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        for batch in _shards(manifest, params, capacity):
            writer.write_batch(batch)
    return Plan(path)


def _shards(manifest: Path, params: LabParams, capacity: int) -> Iterator[pa.RecordBatch]:
    growing: dict[str, _GrowingShard] = {}
    for photographs in _kept(manifest, PHOTOGRAPHS.names):
        for split, squares, starts in _squares_by_split(photographs, params):
            yield from growing.setdefault(split, _GrowingShard(capacity)).add(squares, starts)
    yield from (shard.close() for shard in growing.values())


@dataclass
class _GrowingShard:
    """The shard of a split that still takes squares.

    A photograph goes to the next shard when its first square's position in the split reaches the
    next multiple of the capacity.
    """

    capacity: int
    number: int = 0
    squares: int = 0
    rows: list[pa.Table] = field(default_factory=list)
    window: int = 0

    def add(self, squares: pa.Table, starts: np.ndarray) -> Iterator[pa.RecordBatch]:
        """Take squares with the number in ``squares`` at which each one's photograph begins."""
        windows = (self.squares + starts) // self.capacity
        self.squares += len(windows)
        edges = np.flatnonzero(np.diff(windows, prepend=self.window))
        for begin, end in zip([0, *edges], [*edges, len(windows)], strict=True):
            if end > begin and windows[begin] != self.window:
                yield self.close()
                self.window = int(windows[begin])
            self.rows.append(squares.slice(begin, end - begin))

    def close(self) -> pa.RecordBatch:
        """Return the squares of this shard, and begin the next."""
        table = pa.concat_tables(self.rows)
        places = {
            "shard": np.full(len(table), self.number, dtype=np.int64),
            "row": np.arange(len(table), dtype=np.int64),
        }
        for name, values in places.items():
            table = table.append_column(name, pa.array(values))
        self.rows, self.number = [], self.number + 1
        (batch,) = table.combine_chunks().cast(_planned_schema()).to_batches()
        return batch


def _planned_schema() -> pa.Schema:
    names = [f"{name}_file" if name == "shard" else name for name in PHOTOGRAPHS.names]
    fields = [pa.field(name, kind) for name, kind in zip(names, PHOTOGRAPHS.types, strict=True)]
    fields += [pa.field(name, pa.float64()) for name in AREA]
    return pa.schema([*fields, ("shard", pa.int64()), ("row", pa.int64())])


def _kept(manifest: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the kept photographs of a manifest, a few thousand at a time."""
    schema = pa.schema([PHOTOGRAPHS.field(name) for name in columns])
    with pq.ParquetFile(manifest) as file:
        for batch in file.iter_batches(BATCH, columns=[*columns, "status"]):
            kept = pa.Table.from_batches([batch]).filter(pc.field("status") == "kept")
            if len(kept):
                yield kept.select(columns).cast(schema)


def _total(manifest: Path, params: LabParams) -> int:
    tables = _kept(manifest, ["split", "width", "height"])
    return sum(int(count_squares(*_sizes(table), params).sum()) for table in tables)


def _sizes(photographs: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    train = pc.equal(photographs["split"], "train").to_numpy()
    return photographs["width"].to_numpy(), photographs["height"].to_numpy(), train


def _squares_by_split(
    photographs: pa.Table, params: LabParams
) -> Iterator[tuple[str, pa.Table, np.ndarray]]:
    """Yield each split's squares, and the number at which each one's photograph begins."""
    for split in sorted(photographs["split"].unique().to_pylist()):
        own = photographs.filter(pc.field("split") == split)
        sizes = _sizes(own)
        counts = count_squares(*sizes, params)
        edges = areas(own["id"].to_pylist(), *sizes, params)
        squares = own.take(pa.array(np.repeat(np.arange(len(own)), counts)))
        for name, edge in zip(AREA, edges.T, strict=True):
            squares = squares.append_column(name, pa.array(np.ascontiguousarray(edge)))
        names = [f"{name}_file" if name == "shard" else name for name in squares.schema.names]
        yield split, squares.rename_columns(names), np.repeat(counts.cumsum() - counts, counts)


def count_squares(
    width: np.ndarray, height: np.ndarray, train: np.ndarray, params: LabParams
) -> np.ndarray:
    """Return how many squares each photograph gives (int64 (N,)).

    Parameters
    ----------
    width, height : in pixels, upright.
    train : whether it is one to train on.
    """
    if params.fit != "tiles":
        return np.ones(len(width), dtype=np.int64)
    wanted = np.where(train, params.tiles.train, params.tiles.held_out)
    return np.where(np.minimum(width, height) <= params.size, 1, wanted).astype(np.int64)


def areas(
    names: Sequence[str],
    width: np.ndarray,
    height: np.ndarray,
    train: np.ndarray,
    params: LabParams,
) -> np.ndarray:
    """Return the areas of the photographs that become squares.

    Tiles are drawn from a generator seeded by the photograph's name, so that they depend on
    nothing else. A photograph no larger than a square gives one tile: its centre.

    Returns
    -------
    float64 (squares, 4) of left, top, right, bottom in pixels, the photographs one by one.
    """
    counts = count_squares(width, height, train, params)
    wide, high = (np.repeat(sides.astype(np.float64), counts) for sides in (width, height))
    if params.fit == "resize":
        return np.stack((np.zeros_like(wide), np.zeros_like(wide), wide, high), 1)
    short = np.minimum(wide, high)
    scale, x, y = _draws(names, counts, short, params).T
    smallest = np.maximum(params.size, np.rint(params.tiles.min_scale * short))
    least = np.minimum(short, smallest)
    side = np.rint(least + scale * (short - least))
    left, top = np.rint(x * (wide - side)), np.rint(y * (high - side))
    return np.stack((left, top, left + side, top + side), 1)


def _draws(
    names: Sequence[str], counts: np.ndarray, short: np.ndarray, params: LabParams
) -> np.ndarray:
    """Return what decides scale, x and y of each square, 0..1; (1, 1/2, 1/2) is the centre."""
    draws = np.full((len(short), 3), (1.0, 0.5, 0.5))
    if params.fit == "tiles":
        starts = counts.cumsum() - counts
        for number in np.flatnonzero(short[starts] > params.size).tolist():
            digest = hashlib.sha256(f"{params.seed}:{names[number]}".encode()).digest()
            drawn = np.random.default_rng(int.from_bytes(digest[:8])).random((counts[number], 3))
            draws[starts[number] : starts[number] + counts[number]] = drawn
    return draws


def rows_per_shard(size: int, squares: int, together: int = 1) -> int:
    """Return after how many squares a shard is closed.

    Parameters
    ----------
    size : side of the squares in pixels.
    squares : how many there are in all.
    together : how many may belong to one photograph; all of them go into one shard.
    """
    most = SHARD_BYTES // (3 * size * size) - (together - 1)
    return max(1, min(most, max(LEAST_ROWS, -(-squares // SHARDS))))
