"""Stage ``lab``: kept photographs become squares of eight-bit Lab in shards."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import PIL
import pyarrow as pa
from PIL import Image

from photochrom.color.lab import encode_rgb8
from photochrom.data.parallel import in_parallel
from photochrom.data.plan import AREA, Plan, planned_name, write_plan
from photochrom.data.raw import RawReader
from photochrom.data.scratch import prepare_scratch
from photochrom.data.shard_writing import Finished, is_whole, write_shard
from photochrom.data.shards import ShardError
from photochrom.data.sources.base import UnreadableError
from photochrom.files import file_digest, fingerprint, write_json
from photochrom.params.data import LabParams
from photochrom.pictures.opening import BadPhotographError, open_photograph

CODE = ("color/lab.py", "data", "pictures")
PIXELS = 2**17
"""Squares of so many pixels are converted and written together."""


@dataclass(frozen=True)
class _Job:
    """What all shards have in common; the paths are absolute, for workers in other places."""

    plan: Plan
    raw: Path
    out: Path
    size: int
    max_megapixels: float


def write_lab(
    manifest: Path,
    raw: Path,
    out: Path,
    scratch: Path,
    params: LabParams,
    max_megapixels: float,
) -> dict[str, Any]:
    """Write the Lab shards of the kept photographs.

    Every shard is written once, by one process, into ``scratch``; a run that is killed goes on
    with those that are missing. Neither the bytes nor the memory depend on the number of processes
    or the order of their work, and the memory not on the number of photographs.

    Parameters
    ----------
    manifest : the file that the stage ``filter`` wrote.
    raw : the folder of the encoded photographs.
    out : where the shards, ``index.parquet`` and ``lab.json`` go; lab.json comes last.
    scratch : a folder for unfinished work, best on the same file system as ``out``; it is removed
        at the end.
    max_megapixels : the filter's limit.

    Returns
    -------
    What stands in lab.json. Its ``sha256`` is that of the shards' digests, in the order of their
    names.

    Raises
    ------
    ShardError
        If a photograph that was kept cannot be read any more.
    """
    _clear(out)
    prepare_scratch(scratch, _identity(manifest, params, max_megapixels))
    plan = _plan(manifest, params, scratch.resolve() / "plan.arrow")
    job = _Job(plan, raw.resolve(), scratch.resolve(), params.size, max_megapixels)
    digest = _write_shards(job)
    for shard in plan.shards:
        shutil.move(scratch / shard.name, out / shard.name)
    counts = plan.write_index(out / "index.parquet")
    about = {"size": params.size, "fit": params.fit, "sha256": digest}
    about |= {split: counts.get(split, 0) for split in ("train", "validation", "test")}
    write_json(out / "lab.json", about)
    shutil.rmtree(scratch)
    return about


def _clear(out: Path) -> None:
    """Remove what an earlier or an interrupted run has left, lab.json before its shards."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "lab.json").unlink(missing_ok=True)
    for path in out.glob("*.npy"):
        path.unlink()


def _identity(manifest: Path, params: LabParams, max_megapixels: float) -> str:
    values = [params.model_dump(), max_megapixels, file_digest(manifest), PIL.__version__]
    return fingerprint(values, CODE)


def _plan(manifest: Path, params: LabParams, path: Path) -> Plan:
    return Plan(path) if path.is_file() else write_plan(manifest, params, path)


def _write_shards(job: _Job) -> str:
    names = [shard.name for shard in job.plan.shards]
    finished = Finished(job.out / "finished.txt")
    known = finished.digests()
    work = [(number, known.get(name)) for number, name in enumerate(names)]
    done = in_parallel(partial(_shard, job), work, "Shards of Lab", len(work))
    digests = dict(finished.adding((names[number], digest) for number, digest in done))
    total = hashlib.sha256()
    for name in sorted(digests):
        total.update(bytes.fromhex(digests[name]))
    return total.hexdigest()


def _shard(job: _Job, work: tuple[int, str | None]) -> tuple[int, str]:
    """Write one shard, unless a run before has; return its number and digest."""
    number, digest = work
    squares = job.plan.squares(number)
    path = job.out / planned_name(squares)
    if digest is not None and is_whole(path, digest):
        return number, digest
    shape = (squares.num_rows, 3, job.size, job.size)
    return number, write_shard(path, shape, map(encode_rgb8, _gathered(job, squares)))


def _gathered(job: _Job, squares: pa.RecordBatch) -> Iterator[np.ndarray]:
    """Yield the squares in order, RGB (n, S, S, 3), some at a time to convert them quickly."""
    waiting: list[np.ndarray] = []
    for photograph in _photographs(squares, job.size):
        waiting += _cut(job, photograph)
        if len(waiting) * job.size**2 >= PIXELS:
            yield np.stack(waiting)
            waiting = []
    if waiting:
        yield np.stack(waiting)


class _Photograph(NamedTuple):
    """Where a photograph's bytes lie, and the areas (n, 4) to cut from it.

    ``side`` is the shorter one that it must have for its smallest square not to be enlarged.
    """

    id: str
    shard: str | None
    path: str
    side: int
    areas: np.ndarray


def _photographs(squares: pa.RecordBatch, size: int) -> Iterator[_Photograph]:
    names = squares["id"].to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.concatenate(([True], names[1:] != names[:-1])))
    left, top, right, bottom = areas = np.stack([squares[name].to_numpy() for name in AREA])
    shorter = np.minimum(squares["width"].to_numpy(), squares["height"].to_numpy())[starts]
    smallest = np.minimum.reduceat(np.minimum(right - left, bottom - top), starts)
    sides = np.ceil(shorter * size / smallest).astype(np.int64).tolist()
    first = pa.array(starts)
    places = (squares[name].take(first).to_pylist() for name in ("id", "shard_file", "path"))
    yield from map(_Photograph, *places, sides, np.split(areas.T, starts[1:]))


def _cut(job: _Job, photograph: _Photograph) -> list[np.ndarray]:
    """Decode a photograph, as small as its smallest square allows, and cut its squares."""
    try:
        data = RawReader(job.raw).read(photograph.shard, photograph.path)
        image = open_photograph(data, job.max_megapixels, photograph.side)
    except (UnreadableError, BadPhotographError) as error:
        fault = str(error).rstrip(".")
        raise ShardError(f"{photograph.id}: {fault}. Run `dvc repro --force filter`.") from None
    areas = (photograph.areas * image.info["scale"]).tolist()
    return [_square(image, area, job.size) for area in areas]


def _square(image: Image.Image, area: list[float], size: int) -> np.ndarray:
    left, top, right, bottom = area
    box = (left, top, min(right, image.width), min(bottom, image.height))
    square = image.resize((size, size), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    return np.asarray(square)
