"""Stage ``filter``: which photographs are kept, why the others are not, and the splits."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from photochrom.data import measured, raw
from photochrom.data.duplicates import ALONE, near_duplicates, same_files
from photochrom.data.measured import MeasuredParts, measure_all
from photochrom.data.raw import count_photographs, read_manifest
from photochrom.data.splits import SPLITS, Division, division
from photochrom.data.tables import in_groups
from photochrom.files import whole_file
from photochrom.params.data import FilterParams

REASONS = (
    "corrupt", "too large", "too small", "gray", "not colorful", "duplicate", "near duplicate",
)  # fmt: skip
GROUP = 2**16
"""Rows of the manifest that are written at a time, at least."""
SCHEMA = pa.schema(
    [
        *(column for column in raw.SCHEMA if column.name != "sha256"),
        *measured.SCHEMA,
        ("status", pa.string()),
    ]
)
MEANS = ("colorfulness", "colorfulness_absolute")
DETAILS = {"duplicate": "It is the same file as {}.", "near duplicate": "It looks the same as {}."}


class SelectionError(Exception):
    """The filter leaves nothing to train, choose or measure with; the message says what to do."""


def select(folder: Path, out: Path, params: FilterParams, scratch: Path) -> None:
    """Judge every photograph of ``folder`` and write the manifest of the selection.

    It has one row per photograph, in the order of the raw manifest: the columns of that, those of
    :class:`~photochrom.data.measuring.Measured`, ``status`` (kept or rejected) and ``split``. The
    same photographs give the same bytes, whatever the processes. Of all photographs together
    only digests and hashes are in memory, at most some 200 bytes each.

    Parameters
    ----------
    folder : the raw shards and their manifest.
    out : the file to write.
    scratch : keeps what was measured, for the next run to go on when this one is killed.

    Raises
    ------
    SelectionError
        If a split would be empty.
    RawError
        When the raw manifest or a shard is missing or damaged.
    """
    if not count_photographs(folder):
        raise SelectionError("There are no photographs in data/raw: look at the data section.")
    parts = measure_all(folder, params, scratch)
    repeats = _find_repeats(parts, params.near_duplicate_bits)
    judged = _Judged(folder, parts, repeats, _division(folder, parts.rows, params))
    with whole_file(out) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        for table in in_groups(judged.batches(), GROUP):
            writer.write_table(table)
        judged.check()


@dataclass(frozen=True)
class _Repeats:
    """Photographs that repeat an earlier one: rows in ascending order, whom, and the reason."""

    rows: NDArray[np.int64]
    of: NDArray[np.int64]
    reasons: NDArray[np.str_]

    def within(self, start: int, stop: int) -> "_Repeats":
        """Return those of rows ``start`` to before ``stop``, counted from ``start``."""
        first, last = np.searchsorted(self.rows, (start, stop))
        part = slice(first, last)
        return _Repeats(self.rows[part] - start, self.of[part], self.reasons[part])


def _find_repeats(parts: MeasuredParts, bits: int | None) -> _Repeats:
    rows, digests, hashes = _usable(parts)
    same = same_files(digests)
    del digests
    left = np.flatnonzero(same == ALONE)
    near = np.full(len(rows), ALONE, np.int64)
    if bits is not None:
        twins = near_duplicates(hashes[left], bits)
        near[left] = np.where(twins == ALONE, ALONE, left[twins])
    of = np.where(same == ALONE, near, same)
    found = np.flatnonzero(of != ALONE)
    reasons = np.where(same[found] == ALONE, "near duplicate", "duplicate")
    return _Repeats(rows[found], rows[of[found]], reasons)


def _usable(
    parts: MeasuredParts,
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64]]:
    """Return row (N,), digest (N, 4) and hash (N,) of all that are good by themselves."""
    rows, digests, hashes = [np.zeros(0, np.int64)], [b""], [b""]
    for number, table in enumerate(parts.tables(("reason", "sha256", "hash"))):
        good = pc.equal(table["reason"], "")
        rows.append(np.flatnonzero(good.to_numpy()) + number * parts.rows)
        table = table.filter(good)
        digests.append(bytes.fromhex("".join(table["sha256"].to_pylist())))
        hashes.append(bytes.fromhex("".join(table["hash"].to_pylist())))
    # Big endian: the words are the numbers that the digits say.
    words = np.frombuffer(b"".join(digests), ">u8").astype(np.uint64).reshape(-1, 4)
    return np.concatenate(rows), words, np.frombuffer(b"".join(hashes), ">u8").astype(np.uint64)


def _division(folder: Path, rows: int, params: FilterParams) -> Division:
    batches = read_manifest(folder, rows, ("split",))
    own = {name for batch in batches for name in batch["split"].unique().to_pylist()}
    return division(own - {None}, params.split)


@dataclass
class _Judged:
    """The rows of the selection, made a part at a time and counted on the way."""

    folder: Path
    parts: MeasuredParts
    repeats: _Repeats
    division: Division
    kept: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one part after the other."""
        originals = np.unique(self.repeats.of)
        ids = read_manifest(self.folder, self.parts.rows, ("id",))
        names = rows_at(ids, originals)["id"]
        listed = read_manifest(self.folder, self.parts.rows)
        for number, (batch, table) in enumerate(zip(listed, self.parts.tables(), strict=True)):
            start = number * self.parts.rows
            repeats = self.repeats.within(start, start + batch.num_rows)
            known = names.take(pa.array(np.searchsorted(originals, repeats.of)))
            yield self._judge(batch, table, repeats, known.to_pylist())

    def _judge(
        self, batch: pa.RecordBatch, table: pa.Table, repeats: _Repeats, names: list[str]
    ) -> pa.RecordBatch:
        columns = {name: batch[name] for name in batch.schema.names}
        columns |= {name: table[name].combine_chunks() for name in table.schema.names}
        reasons, details = table["reason"].to_pylist(), table["detail"].to_pylist()
        found = zip(repeats.rows.tolist(), repeats.reasons.tolist(), names, strict=True)
        for row, reason, name in found:
            reasons[row], details[row] = reason, DETAILS[reason].format(name)
        splits = self.division.splits(batch["group"], batch["split"])
        self.kept.update(s for s, reason in zip(splits, reasons, strict=True) if not reason)
        self.reasons.update(reason for reason in reasons if reason)
        status = ["rejected" if reason else "kept" for reason in reasons]
        columns |= {"split": splits, "reason": reasons, "detail": details, "status": status}
        arrays = [pa.array(columns[f.name], f.type) for f in SCHEMA]
        return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)

    def check(self) -> None:
        """Refuse a selection that leaves a split empty."""
        for split in SPLITS:
            if not self.kept[split]:
                reasons = dict(self.reasons.most_common())
                raise SelectionError(
                    f"No photograph is left for {split}: {self.kept.total()} of "
                    f"{self.parts.photographs} were kept (rejected: {reasons or 'none'}). Loosen "
                    "filter, give more photographs, or change filter.split."
                )


def rows_at(batches: Iterator[pa.RecordBatch], rows: NDArray[np.int64]) -> pa.Table:
    """Return the rows at ascending positions of a table that is read a piece at a time."""
    found, start = [], 0
    for batch in batches:
        first, last = np.searchsorted(rows, (start, start + batch.num_rows))
        found.append(batch.take(pa.array(rows[first:last] - start)))
        start += batch.num_rows
    return pa.Table.from_batches(found)


def summary(manifest: Path) -> dict[str, float]:
    """Return the counts and mean colorfulness of a written selection, as flat numbers."""
    table = read_columns(manifest, ("reason", "split", "group", *MEANS))
    kept = table.filter(pc.equal(table["reason"], ""))
    numbers: dict[str, float] = {"photographs": len(table), "kept": len(kept)}
    for reason in REASONS:
        numbers[f"rejected_{reason.replace(' ', '_')}"] = _count(table["reason"], reason)
    for split in SPLITS:
        groups = kept["group"].filter(pc.equal(kept["split"], split))
        numbers[split] = len(groups)
        numbers[f"groups_{split}"] = pc.count_distinct(groups).as_py()
    for column in MEANS:
        numbers[f"mean_{column}"] = round(float(kept[column].to_numpy().mean()), 3)
    return numbers


def _count(column: pa.ChunkedArray, value: str) -> int:
    return int(pc.sum(pc.equal(column, value)).as_py())


def read_rows(manifest: Path, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
    """Read rows at ascending positions of a written selection."""
    with pq.ParquetFile(manifest) as file:
        return rows_at(file.iter_batches(GROUP, columns=list(columns)), rows)


def read_columns(manifest: Path, columns: Sequence[str]) -> pa.Table:
    """Read a few columns of a written selection; what has few values takes few bytes."""
    return pq.read_table(manifest, columns=list(columns), read_dictionary=["reason", "split"])
