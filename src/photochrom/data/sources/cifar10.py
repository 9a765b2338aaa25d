"""CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 photographs of 32 px in ten classes.

The set comes as arrays of pixels; each photograph becomes a PNG, which loses nothing. Reading is
torchvision's, whose checksums guard the pickles inside.
"""

import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torchvision.datasets import CIFAR10

from photochrom.data.sources.base import Photograph, Rereadable, SourceError
from photochrom.data.sources.published import Published, obtain
from photochrom.params.data import DataParams

ARCHIVE = Published(
    "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    "c58f30108f718f92721af3b95e74349a",
    "cifar-10-batches-py",
)


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """A photograph that is kept as an (H, W, 3) uint8 array."""

    array: NDArray[np.uint8]

    def read(self) -> bytes:
        """Return the photograph as a PNG."""
        buffer = BytesIO()
        Image.fromarray(self.array).save(buffer, "PNG")
        return buffer.getvalue()


def photographs(params: DataParams, downloads: Path) -> Rereadable:
    """Return the photographs of both splits, ``train`` before ``test``.

    Raises
    ------
    SourceError
        When the archive is out of reach or damaged.
    """
    found = obtain(ARCHIVE, params, downloads)
    if found.is_dir():
        return Rereadable(partial(_read, _load(found.parent)))
    downloads.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=downloads) as folder, tarfile.open(found) as archive:
        _unpack(archive, Path(folder) / CIFAR10.base_folder)
        return Rereadable(partial(_read, _load(Path(folder))))


def _unpack(archive: tarfile.TarFile, folder: Path) -> None:
    """Write the plain files of an archive into one folder, whatever their paths say.

    The extraction filters of tarfile came with Python 3.11.4 only.
    """
    folder.mkdir()
    for member in archive:
        if stream := archive.extractfile(member):
            with stream, (folder / Path(member.name).name).open("wb") as file:
                shutil.copyfileobj(stream, file)


def _load(root: Path) -> dict[str, Any]:
    try:
        return {split: CIFAR10(root, train=split == "train") for split in ("train", "test")}
    except RuntimeError:
        raise SourceError(
            f"{root / ARCHIVE.folder} is not CIFAR-10 as published; delete it and put "
            f"{ARCHIVE.url} in its place."
        ) from None


def _read(splits: dict[str, Any]) -> Iterator[Photograph]:
    for split, data in splits.items():
        for index, (pixels, target) in enumerate(zip(data.data, data.targets, strict=True)):
            label = data.classes[target]
            name = f"cifar10/{split}/{label}/{index:05d}.png"
            yield Photograph(name, label, name, split, Pixels(pixels))
