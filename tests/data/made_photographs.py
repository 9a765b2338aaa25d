"""Photographs made for the tests of the data stages, and the folders they go through."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from photochrom.data.raw import write_raw
from photochrom.data.shards import LabSet, shard_name
from photochrom.data.sources import photographs
from photochrom.files import write_json
from photochrom.params.data import DataParams, FilterParams, LabParams

ACCEPT_ALL = {
    "min_colorfulness": 0,
    "min_side": 1,
    "max_megapixels": 50,
    "near_duplicate_bits": None,
}
SPLIT = {"own": True, "validation": 0.25, "test": 0.25, "seed": 0}


def filter_params(split: Mapping[str, Any] | None = None, **changes: Any) -> FilterParams:
    return FilterParams(**{**ACCEPT_ALL, "split": {**SPLIT, **(split or {})}, **changes})


def lab_params(tiles: Mapping[str, Any] | None = None, **changes: Any) -> LabParams:
    about = {"train": 3, "held_out": 2, "min_scale": 0.5, **(tiles or {})}
    return LabParams(**{"size": 16, "fit": "tiles", "tiles": about, "seed": 0, **changes})


def picture(number: int, size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Return a smooth, colorful picture, a different one for each number."""
    noise = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def store(place: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a folder and take them in as the stage download does; return data/raw."""
    for name, data in files.items():
        path = place / "photographs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    nothing = {"url": None, "sha256": None, "limit": None, "seed": 0}
    params = DataParams(source="folder", path=str(place / "photographs"), **nothing)
    write_raw(photographs(params, place / "downloads"), place / "raw")
    return place / "raw"


def lab_set(folder: Path, squares: np.ndarray, split: str = "train", shards: int = 1) -> LabSet:
    """Write squares (N, 3, S, S) as the stage lab does, in so many shards, and open them."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = np.array_split(np.arange(len(squares)), shards)
    for number, rows in enumerate(pieces):
        np.save(folder / shard_name(split, number), squares[rows])
    places = [(number, row) for number, rows in enumerate(pieces) for row in range(len(rows))]
    names = [f"{position:04d}" for position in range(len(squares))]
    index = pd.DataFrame(places, columns=["shard", "row"])
    index.assign(id=names, group=names, label=None, split=split).to_parquet(
        folder / "index.parquet", index=False
    )
    write_json(folder / "lab.json", {"size": squares.shape[-1], "fit": "crop"})
    return LabSet.open(folder, split)
