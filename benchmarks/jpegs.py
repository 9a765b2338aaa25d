"""JPEGs of 256 px on the shorter side to measure with: made, or cut from a ZIP."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from PIL import Image

SHAPE = (340, 256)
"""Width and height of those that are made; the shorter side of all."""
QUALITY = 90
SUFFIXES = (".jpg", ".jpeg")


def write_jpegs(folder: Path, counts: Mapping[str, int], archive: Path | None) -> list[Path]:
    """Write so many JPEGs into a folder for each split, and return their paths.

    Parameters
    ----------
    counts : by split.
    archive : a ZIP of photographs, taken from its whole length, again where it has too few; None
        draws smooth shapes of random colors with texture and grain.
    """
    splits = [split for split, count in counts.items() for _ in range(count)]
    pictures = _made(len(splits)) if archive is None else _photographs(archive, len(splits))
    paths = [folder / split / f"{number:05d}.jpg" for number, split in enumerate(splits)]
    for path, picture in zip(paths, pictures, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, quality=QUALITY)
    return paths


def _made(count: int) -> Iterator[Image.Image]:
    rng = np.random.default_rng(0)
    for _ in range(count):
        pixels = rng.normal(0, 4, (*SHAPE[::-1], 3))
        for cells, height in ((6, 1.0), (24, 0.35), (96, 0.15)):
            shapes = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
            smooth = np.asarray(shapes.resize(SHAPE, Image.Resampling.BICUBIC), dtype=float)
            pixels += height * (smooth - (0 if cells == 6 else 128))
        yield Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _photographs(archive: Path, count: int) -> Iterator[Image.Image]:
    with ZipFile(archive) as members:
        names = [name for name in members.namelist() if name.lower().endswith(SUFFIXES)]
        if not names:
            raise SystemExit(f"{archive} holds no JPEGs; name another ZIP of photographs.")
        for number in range(count):
            place = number * max(1, len(names) // count) % len(names)
            yield _shrunk(members.read(names[place]))


def _shrunk(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    scale = min(SHAPE) / min(picture.size)
    size = tuple(max(min(SHAPE), round(scale * side)) for side in picture.size)
    return picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)
