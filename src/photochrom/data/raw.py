"""Raw shards: the photographs as they came, many in one file, and a manifest that lists them.

``shard-00000.zip`` and so on hold the encoded bytes, uncompressed, 256 MiB and 16,384 photographs
each at most: disks, caches and copies handle a few large files well and a million small ones badly,
and a reader holds a shard's table of contents in memory. The manifest has a
row for every photograph, also for one whose bytes could not be had (``bytes`` is 0 then).
"""

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import NamedTuple, Self, TypeVar
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import pyarrow as pa
import pyarrow.parquet as pq

from photochrom.data.sources.base import File, InPlace, Photograph, SourceError, UnreadableError
from photochrom.files import whole_file
from photochrom.progress import say, track

T = TypeVar("T")
MANIFEST = "manifest.parquet"
SHARD_BYTES = 256 * 2**20
SHARD_PHOTOGRAPHS = 2**14
ENTRY_BYTES = 256
COMPLAINTS = 10
LOCAL, HEADER = b"PK\x03\x04", Struct("<4s22xHH")
"""A member's own header: its signature, and the lengths of its name and of what is extra."""
MOST_EXTRA = 64
UTF_8 = 0x800
GROUP = 2**16
"""Rows of the manifest that are written at a time."""
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("shard", pa.string()),
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("label", pa.string()),
        ("group", pa.string()),
        ("split", pa.string()),
    ]
)


class RawError(Exception):
    """A shard or the manifest is missing or damaged. The message is one line with the remedy."""


class Row(NamedTuple):
    """One row of the manifest.

    ``path`` is the member's name in ``shard``; where ``shard`` is None the photograph was left in
    place, ``path`` is its absolute path and ``sha256`` is None.
    """

    id: str
    shard: str | None
    path: str
    sha256: str | None
    bytes: int
    label: str | None
    group: str
    split: str | None


@dataclass(frozen=True)
class RawSummary:
    """What `write_raw` has written.

    Attributes
    ----------
    photographs, bytes, shards
        Their numbers; bytes count those left in place, too.
    unreadable
        Photographs whose bytes could not be had, or that have none.
    """

    photographs: int
    bytes: int
    shards: int
    unreadable: int


@dataclass(frozen=True)
class RawReader:
    """Gives the bytes of photographs by their row in a manifest.

    Holds only the folder, so that it travels to other processes at no cost; each process opens a
    shard once.

    Attributes
    ----------
    folder
        Where the shards lie.
    """

    folder: Path

    def read(self, shard: str | None, path: str) -> bytes:
        """Return the bytes of the photograph that a manifest lists with ``shard`` and ``path``.

        Raises
        ------
        UnreadableError
            When this photograph was left in place and is gone, or its bytes are damaged.
        RawError
            When the shard is missing or damaged, or holds no such photograph.
        """
        if not isinstance(shard, str):
            return File(Path(path)).read()
        place = os.path.join(self.folder, shard)  # noqa: PTH118 - a Path for each is slow
        archive = _open_shard(place)
        try:
            member = archive.getinfo(path)
            found = _in_one_read(archive, member)
            return archive.read(member) if found is None else found
        except BadZipFile as error:
            raise UnreadableError(str(error)) from None
        except KeyError:
            raise RawError(f"{place} holds no {path}; run the stage download again.") from None


def _in_one_read(archive: ZipFile, member: ZipInfo) -> bytes | None:
    """Return the bytes of a member that is stored and whole; ZipFile tells what is wrong else.

    ZipFile.read takes several reads, and more than twice as long for a photograph of 30 kB.
    """
    name = member.orig_filename.encode("utf-8" if member.flag_bits & UTF_8 else "cp437")
    most = HEADER.size + len(name) + MOST_EXTRA + member.file_size
    if archive.fp is None or member.compress_type != ZIP_STORED:
        return None
    read = os.pread(archive.fp.fileno(), most, member.header_offset)
    if len(read) < HEADER.size:
        return None
    signature, named, extra = HEADER.unpack_from(read)
    start = HEADER.size + named
    data = read[start + extra : start + extra + member.file_size]
    expected = (LOCAL, name, member.file_size, member.CRC)
    found = (signature, read[HEADER.size : start], len(data), zlib.crc32(data))
    return data if found == expected else None


def count_photographs(folder: Path) -> int:
    """Return how many photographs the manifest in ``folder`` lists.

    Raises
    ------
    RawError
        When it is missing or damaged.
    """
    with _manifest(folder) as file:
        return int(file.metadata.num_rows)


def read_manifest(
    folder: Path, rows: int, columns: Sequence[str] = SCHEMA.names
) -> Iterator[pa.RecordBatch]:
    """Yield the manifest in ``folder`` a piece at a time, so that memory holds only one.

    Parameters
    ----------
    rows : of each piece but the last.
    columns : those to read; a text column holds null where it has no value.

    Raises
    ------
    RawError
        When it is missing or damaged.
    """
    with _manifest(folder) as file:
        yield from file.iter_batches(rows, columns=list(columns))


@contextmanager
def _manifest(folder: Path) -> Iterator[pq.ParquetFile]:
    path = folder / MANIFEST
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowInvalid):
        raise RawError(
            f"{path} is missing or damaged; run the stage that writes it again."
        ) from None


def write_raw(photographs: Iterable[Photograph], out: Path) -> RawSummary:
    """Write shards and manifest into ``out``, replacing what was there.

    Only one photograph is in memory at a time, and of the others their ids. The same photographs
    give the same bytes. The manifest comes last, and each shard gets its name when it is whole.

    Raises
    ------
    SourceError
        When two photographs have the same id, and whatever the source raises while it is read.
    """
    _clear(out)
    names: set[str] = set()
    with _listing(out) as listing, _Shards(out) as shards:
        for photograph in track(photographs, "photographs"):
            if photograph.id in names:
                raise SourceError(f"The source holds {photograph.id} twice; rename or remove one.")
            names.add(photograph.id)
            listing.add(_store(photograph, shards))
    return RawSummary(len(names), listing.bytes, shards.count, listing.unreadable)


class _Listing:
    """Writes the rows of the manifest, many at a time, and counts."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self.bytes = self.unreadable = 0
        self._writer = writer
        self._rows: list[Row] = []

    def add(self, row: Row) -> None:
        """List one photograph."""
        self.bytes += row.bytes
        self.unreadable += row.bytes == 0
        self._rows.append(row)
        if len(self._rows) == GROUP:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait."""
        if self._rows:
            columns = zip(*self._rows, strict=True)
            arrays = [pa.array(c, field.type) for c, field in zip(columns, SCHEMA, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
            self._rows = []


@contextmanager
def _listing(out: Path) -> Iterator[_Listing]:
    """Give a listing whose file gets its name when the block succeeds."""
    with whole_file(out / MANIFEST) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        listing = _Listing(writer)
        yield listing
        listing.flush()


class _Shards:
    """Writes members into one shard after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.complaints = 0
        self._stack = ExitStack()
        self._archive: ZipFile | None = None
        self._left = self._members = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, name: str, data: bytes) -> str:
        """Write one member and return its shard's name."""
        size = len(data) + 2 * len(name.encode()) + ENTRY_BYTES
        if self._archive is None or size > self._left or self._members == SHARD_PHOTOGRAPHS:
            self._archive = self._begin()
        self._archive.writestr(_entry(name), data)
        self._left -= size
        self._members += 1
        return self._name(self.count - 1)

    def _begin(self) -> ZipFile:
        self._stack.close()
        temporary = self._stack.enter_context(whole_file(self.folder / self._name(self.count)))
        self.count += 1
        self._left, self._members = SHARD_BYTES, 0
        return self._stack.enter_context(ZipFile(temporary, "w"))

    def _name(self, number: int) -> str:
        return f"shard-{number:05d}.zip"


def _entry(name: str) -> ZipInfo:
    """Describe a member without its time, so that the same photographs make the same shard."""
    entry = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _store(photograph: Photograph, shards: _Shards) -> Row:
    name, location = photograph.id, photograph.location
    described = (photograph.label, photograph.group, photograph.split)
    if isinstance(location, InPlace):
        size = _attempt(location.size, 0, name, shards)
        return Row(name, None, str(location.path), None, size, *described)
    data = _attempt(location.read, b"", name, shards)
    shard = shards.add(name, data)
    return Row(name, shard, name, hashlib.sha256(data).hexdigest(), len(data), *described)


def _attempt(read: Callable[[], T], otherwise: T, name: str, shards: _Shards) -> T:
    try:
        return read()
    except UnreadableError as error:
        shards.complaints += 1
        if shards.complaints <= COMPLAINTS:
            say(f"{name} cannot be read and is listed without its bytes: {error}")
        return otherwise


def _clear(out: Path) -> None:
    """Remove what an earlier or an interrupted run has left, the manifest before its shards."""
    out.mkdir(parents=True, exist_ok=True)
    (out / MANIFEST).unlink(missing_ok=True)
    for pattern in ("shard-*.zip", ".*.part"):
        for path in out.glob(pattern):
            path.unlink()


def _open_shard(shard: str) -> ZipFile:
    try:
        state = os.stat(shard)  # noqa: PTH116
        return _opened(shard, state.st_ino, state.st_mtime_ns, os.getpid())
    except (OSError, BadZipFile):
        raise RawError(f"{shard} is missing or damaged; run the stage download again.") from None


@lru_cache(maxsize=4)
def _opened(shard: str, inode: int, changed: int, process: int) -> ZipFile:
    """Open a shard once per process: a forked child must not share its parent's file position."""
    return ZipFile(shard)
