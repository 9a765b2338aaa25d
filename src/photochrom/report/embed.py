"""Pictures inside the page, as data: addresses, within a budget of bytes."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from photochrom.pictures.modes import to_rgb

PREFIX = len("data:image/jpeg;base64,")


class Rung(NamedTuple):
    """A longer side in pixels, and the quality of JPEGs of it."""

    side: int
    quality: int


@dataclass(frozen=True)
class Collection:
    """Pictures that are made smaller together, until all collections fit.

    Attributes
    ----------
    parts : pictures that stand or fall together, the most important part first.
    rungs : what to try, smaller and smaller; before them, the files as they are.
    share : how much of the room the collection may claim, beside the others.
    """

    parts: tuple[tuple[Path, ...], ...]
    rungs: tuple[Rung, ...]
    share: float


@dataclass
class _Fitting:
    """A collection on its way to fit: first smaller pictures, then fewer parts."""

    collection: Collection
    step: int = 0
    encoded: dict[Path, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.encoded = {path: path.read_bytes() for path in self._paths()}

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return sum(map(_embedded_size, self.encoded.values()))

    @property
    def claim(self) -> float:
        """How far over its share it is, against the others."""
        return self.size / self.collection.share

    def shrink(self) -> None:
        rungs, self.step = self.collection.rungs, self.step + 1
        if self.step <= len(rungs):
            rung = rungs[self.step - 1]
            self.encoded = {path: _smaller(path, rung, old) for path, old in self.encoded.items()}
        else:
            self.encoded = {path: self.encoded[path] for path in self._paths()}

    def _paths(self) -> Iterator[Path]:
        left_out = max(0, self.step - len(self.collection.rungs))
        kept = len(self.collection.parts) - left_out
        return (path for part in self.collection.parts[:kept] for path in part)


def addresses(collections: Sequence[Collection], budget: int) -> Mapping[Path, str]:
    """Return a data: address for each picture that fits, as good as the budget allows.

    The files as they are if they fit; else JPEGs, as large as fits; where not even the smallest
    fit, the last parts are left out, and so have no address.

    Parameters
    ----------
    budget : most bytes of all addresses together.
    """
    fittings = [_Fitting(collection) for collection in collections]
    while sum(one.size for one in fittings) > max(0, budget):
        max(fittings, key=lambda one: one.claim).shrink()
    return {path: address(data) for one in fittings for path, data in one.encoded.items()}


def address(data: bytes) -> str:
    """Return the data: address of a JPEG or PNG file."""
    kind = "jpeg" if data.startswith(b"\xff\xd8") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _embedded_size(data: bytes) -> int:
    return PREFIX + 4 * -(-len(data) // 3)


def _smaller(path: Path, rung: Rung, before: bytes) -> bytes:
    """Return a JPEG of a rung, or what there was if that takes less."""
    buffer = io.BytesIO()
    with Image.open(path) as image:
        picture = to_rgb(image)
        picture.thumbnail((rung.side, rung.side), Image.Resampling.LANCZOS)
        picture.save(buffer, "JPEG", quality=rung.quality, subsampling=0)
    return min(buffer.getvalue(), before, key=len)
