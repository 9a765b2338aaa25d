"""What the tests of the stage lab share: a judged set of photographs, and what came out."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import skimage.color
from made_photographs import encoded, lab_params, picture, store
from PIL import Image

from photochrom.data.lab import write_lab
from photochrom.data.shards import LabSet

SPLITS = ("train", "validation", "test")


def judged(place: Path, files: Mapping[str, bytes], splits: tuple[str, ...] = SPLITS) -> Path:
    """Take files in as the stages download and filter do, keeping all; return the folder.

    It holds raw and manifest.parquet. The splits go round among the photographs.
    """
    raw = store(place, files)
    table = pd.read_parquet(raw / "manifest.parquet").drop(columns="sha256")
    table[["width", "height"]] = [upright_size(files[name]) for name in table["id"]]
    table["split"] = [splits[number % len(splits)] for number in range(len(table))]
    table.assign(status="kept").to_parquet(place / "manifest.parquet", index=False)
    return place


def upright_size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        turned = image.getexif().get(0x0112, 1) > 4
        return image.size[::-1] if turned else image.size


def several(place: Path, count: int = 24) -> Path:
    """Return the folder of photographs of several sizes and kinds."""
    sizes = [(60, 40), (40, 60), (33, 33), (16, 16), (90, 20), (12, 30)]
    kinds = ("PNG", "JPEG", "WEBP")
    files = {
        f"{number:02d}.{kinds[number % 3].lower()}": encoded(
            picture(number, sizes[number % len(sizes)]), kinds[number % 3]
        )
        for number in range(count)
    }
    # Three would give each kind a split of its own.
    return judged(place, files, ("train", "train", "validation", "train", "test"))


def converted(place: Path, out: Path, **changes: object) -> dict[str, object]:
    """Run the stage on a judged folder."""
    return write_lab(
        place / "manifest.parquet",
        place / "raw",
        out,
        out.with_name(f"{out.name}-scratch"),
        lab_params(**changes),
        50,
    )


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def reference(rgb: np.ndarray) -> np.ndarray:
    """Convert with scikit-image to unrounded stored Lab (3, S, S)."""
    lab = skimage.color.rgb2lab(rgb)
    return np.stack((lab[..., 0] * 2.55, lab[..., 1] + 128, lab[..., 2] + 128))


def square_of(out: Path, split: str = "train", number: int = 0) -> np.ndarray:
    return LabSet.open(out, split).take(np.array([number]))[0].astype(int)
