"""Every photograph measured: tables in a scratch folder, each written whole by one process."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from photochrom.data.measuring import Measured, measure
from photochrom.data.parallel import in_parallel
from photochrom.data.raw import MANIFEST, RawReader, count_photographs, read_manifest
from photochrom.data.scratch import prepare_scratch
from photochrom.data.sources.base import UnreadableError
from photochrom.files import file_digest, fingerprint, whole_file
from photochrom.params.data import FilterParams

LEAST_ROWS, MOST_ROWS, PARTS = 32, 2048, 64
CODE = (
    "color/colorfulness.py", "data/measured.py", "data/measuring.py", "data/raw.py", "pictures",
)  # fmt: skip
SCHEMA = pa.schema(
    [
        ("sha256", pa.string()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("colorfulness", pa.float64()),
        ("colorfulness_absolute", pa.float64()),
        ("hash", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)
"""The attributes of :class:`Measured`."""
Place = tuple[str | None, str]


@dataclass(frozen=True)
class MeasuredParts:
    """The measures of all photographs, in the order of the raw manifest.

    Attributes
    ----------
    folder : where the parts lie.
    photographs : how many are measured.
    rows : photographs of each part but the last. It follows from their number alone, so that the
        parts of a killed run fit the next, whatever its processes.
    """

    folder: Path
    photographs: int
    rows: int

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-self.photographs // self.rows)

    def path(self, number: int) -> Path:
        """Return where a part lies, or will lie."""
        return self.folder / f"part-{number:06d}.parquet"

    def tables(self, columns: Sequence[str] = SCHEMA.names) -> Iterator[pa.Table]:
        """Yield the parts, one after the other; columns are those of :class:`Measured`."""
        for number in range(self.count):
            yield pq.read_table(self.path(number), columns=list(columns))


def measure_all(raw: Path, params: FilterParams, scratch: Path) -> MeasuredParts:
    """Measure the photographs of ``raw`` that ``scratch`` does not hold measures of.

    Parameters
    ----------
    scratch : a folder of this stage alone. What another raw manifest, other parameters or other
        code have left there is removed.

    Raises
    ------
    RawError
        When the manifest or a shard is missing or damaged.
    """
    raw, scratch = raw.resolve(), scratch.resolve()
    total = count_photographs(raw)
    parts = MeasuredParts(scratch, total, min(MOST_ROWS, max(LEAST_ROWS, -(-total // PARTS))))
    prepare_scratch(scratch, _identity(raw, params, parts.rows))
    missing = [number for number in range(parts.count) if not parts.path(number).is_file()]
    work = partial(_measure_part, RawReader(raw), params, parts)
    items = _work(raw, parts.rows, set(missing))
    for _ in in_parallel(work, items, "Measuring photographs", len(missing)):
        pass
    return parts


def _identity(raw: Path, params: FilterParams, rows: int) -> str:
    judging = params.model_dump(include={"min_colorfulness", "min_side", "max_megapixels"})
    decoding = {name: version(name) for name in ("numpy", "pillow", "pyarrow")}
    return fingerprint([judging, decoding, rows, file_digest(raw / MANIFEST)], CODE)


def _work(raw: Path, rows: int, missing: set[int]) -> Iterator[tuple[int, list[Place]]]:
    for number, batch in enumerate(read_manifest(raw, rows, ("shard", "path"))):
        if number in missing:
            yield number, list(zip(*(column.to_pylist() for column in batch), strict=True))


def _measure_part(
    reader: RawReader, params: FilterParams, parts: MeasuredParts, work: tuple[int, list[Place]]
) -> None:
    number, places = work
    measured = [_measure_one(reader, place, params) for place in places]
    columns = [pa.array([getattr(one, f.name) for one in measured], f.type) for f in SCHEMA]
    with whole_file(parts.path(number)) as path:
        pq.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), path)


def _measure_one(reader: RawReader, place: Place, params: FilterParams) -> Measured:
    try:
        return measure(reader.read(*place), params)
    except UnreadableError as error:
        return Measured(reason="corrupt", detail=str(error))
