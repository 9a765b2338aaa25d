"""Stage ``lab``: kept photographs become squares of eight-bit Lab in shards."""

import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from PIL import Image

from photochrom import environment
from photochrom.color.lab import encode_lab, rgb_to_lab
from photochrom.data.raw import RawReader
from photochrom.data.shards import ShardError, rows_per_shard, shard_name
from photochrom.data.sources.base import UnreadableError
from photochrom.files import whole_file, write_json
from photochrom.params.data import LabParams
from photochrom.pictures.opening import BadPhotographError, open_photograph
from photochrom.progress import track

CHUNK = 128
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class _Work:
    """Squares of a few photographs, and where they go."""

    rows: pd.DataFrame
    raw: Path
    out: Path
    size: int
    max_megapixels: float


def write_lab(
    manifest: pd.DataFrame, raw: Path, out: Path, params: LabParams, max_megapixels: float
) -> dict[str, Any]:
    """Write the Lab shards of the kept photographs.

    Parameters
    ----------
    manifest : what the stage ``filter`` wrote.
    raw : the folder of the encoded photographs.
    out : where the shards, ``index.parquet`` and ``lab.json`` go; lab.json comes last.
    max_megapixels : the filter's limit.

    Returns
    -------
    What stands in lab.json. Every square's place is known before the first is converted, so the
    result does not depend on the order or number of processes, and memory not on the number of
    photographs.

    Raises
    ------
    ShardError
        If a photograph that was kept cannot be read any more.
    """
    _clear(out)
    index = plan(manifest[manifest["status"] == "kept"], params)
    parts = _allocate(index, out, params.size)
    _fill(index, raw, out, params, max_megapixels)
    digest = _finish(parts)
    with whole_file(out / "index.parquet") as path:
        index.drop(columns=["shard_file", "path"]).to_parquet(path, index=False)
    counts = index["split"].value_counts()
    about = {"size": params.size, "fit": params.fit, "sha256": digest}
    about |= {split: int(counts.get(split, 0)) for split in ("train", "validation", "test")}
    write_json(out / "lab.json", about)
    return about


def _clear(out: Path) -> None:
    """Remove what an earlier or an interrupted run has left, lab.json before its shards."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "lab.json").unlink(missing_ok=True)
    for pattern in ("*.npy", "*.part"):
        for path in out.glob(pattern):
            path.unlink()


def plan(kept: pd.DataFrame, params: LabParams) -> pd.DataFrame:
    """Decide every square: its photograph, its box and its place in the shards.

    Returns
    -------
    One row per square: id, group, label, split, left, top, right, bottom (pixels of the upright
    photograph), shard, row, and where the photograph's bytes lie (shard_file, path).
    """
    records = [
        (row.id, row.group, row.label, row.split, row.shard, row.path, row.width, row.height, *box)
        for row in kept.itertuples(index=False)
        for box in boxes(row.id, row.width, row.height, row.split, params)
    ]
    names = ["id", "group", "label", "split", "shard_file", "path", "width", "height"]
    names += ["left", "top", "right", "bottom"]
    index = pd.DataFrame.from_records(records, columns=names)
    place = index.groupby("split").cumcount()
    capacity = rows_per_shard(params.size)
    return index.assign(shard=place // capacity, row=place % capacity)


def boxes(name: str, width: int, height: int, split: str, params: LabParams) -> list[Box]:
    """Return the areas (left, top, right, bottom) of a photograph that become squares.

    Tiles are drawn from a generator seeded by the photograph's name, so that they depend on
    nothing else. A photograph no larger than a square gives one tile: its centre.
    """
    if params.fit == "resize":
        return [(0.0, 0.0, float(width), float(height))]
    short = min(width, height)
    if params.fit == "crop" or short <= params.size:
        return [_square(width, height, short, 0.5, 0.5)]
    count = params.tiles.train if split == "train" else params.tiles.held_out
    digest = hashlib.sha256(f"{params.seed}:{name}".encode()).digest()
    draws = np.random.default_rng(int.from_bytes(digest[:8])).random((count, 3))
    least = min(short, max(params.size, round(params.tiles.min_scale * short)))
    return [_square(width, height, round(least + s * (short - least)), x, y) for s, x, y in draws]


def _square(width: int, height: int, side: int, x: float, y: float) -> Box:
    left, top = round(x * (width - side)), round(y * (height - side))
    return float(left), float(top), float(left + side), float(top + side)


def _allocate(index: pd.DataFrame, out: Path, size: int) -> list[Path]:
    lengths = index.groupby(["split", "shard"])["row"].max() + 1
    paths = [out / f"{shard_name(split, shard)}.part" for split, shard in lengths.index]
    for path, length in zip(paths, lengths, strict=True):
        np.lib.format.open_memmap(path, "w+", np.uint8, (int(length), 3, size, size)).flush()
        _reserve(path)
    return paths


def _reserve(path: Path) -> None:
    """Take the disk space now: writing through a map on a full disk kills the process."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as handle:
            os.posix_fallocate(handle.fileno(), 0, path.stat().st_size)


def _fill(index: pd.DataFrame, raw: Path, out: Path, params: LabParams, limit: float) -> None:
    work = [_Work(rows, raw, out, params.size, limit) for rows in _chunks(index)]
    results = Parallel(n_jobs=environment.workers(), return_as="generator_unordered")(
        delayed(_convert)(part) for part in work
    )
    for _ in track(results, "Converting to Lab", total=len(work)):
        pass


def _chunks(index: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Cut the plan between photographs, so that each is decoded once."""
    photograph = index["id"].ne(index["id"].shift()).cumsum() - 1
    size = environment.chunk_size(int(photograph.max()) + 1, CHUNK)
    return (rows for _, rows in index.groupby(photograph // size, sort=False))


def _convert(work: _Work) -> None:
    torch.set_num_threads(1)
    reader = RawReader(work.raw)
    for (split, shard), rows in work.rows.groupby(["split", "shard"], sort=False):
        path = work.out / f"{shard_name(str(split), int(shard))}.part"
        target = np.lib.format.open_memmap(path, "r+")
        for _, squares in rows.groupby("id", sort=False):
            target[squares["row"].to_numpy()] = _lab_squares(squares, reader, work)


def _lab_squares(squares: pd.DataFrame, reader: RawReader, work: _Work) -> np.ndarray:
    first = squares.iloc[0]
    areas = squares[["left", "top", "right", "bottom"]].to_numpy()
    smallest = float((areas[:, 2:] - areas[:, :2]).min())
    side = math.ceil(min(first["width"], first["height"]) * work.size / smallest)
    try:
        data = reader.read(first["shard_file"], first["path"])
        image = open_photograph(data, work.max_megapixels, side)
    except (UnreadableError, BadPhotographError) as error:
        fault = str(error).rstrip(".")
        raise ShardError(f"{first['id']}: {fault}. Run `dvc repro --force filter`.") from None
    cut = [_cut(image, tuple(area * image.info["scale"]), work.size) for area in areas]
    rgb = torch.from_numpy(np.stack(cut)).movedim(-1, 1).float() / 255.0
    converted: np.ndarray = encode_lab(rgb_to_lab(rgb)).numpy()
    return converted


def _cut(image: Image.Image, area: Any, size: int) -> np.ndarray:
    left, top, right, bottom = area
    box = (left, top, min(right, image.width), min(bottom, image.height))
    square = image.resize((size, size), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
    return np.asarray(square)


def _finish(parts: list[Path]) -> str:
    total = hashlib.sha256()
    for path in parts:
        with path.open("rb") as handle:
            total.update(hashlib.file_digest(handle, "sha256").digest())
        path.replace(path.with_suffix(""))
    return total.hexdigest()
