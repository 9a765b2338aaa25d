"""What every source gives: photographs whose bytes are read only when they are wanted."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MAX_BYTES = 256_000_000
SPLITS = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


class SourceError(Exception):
    """A source cannot be read. The message is one line that says what, where and what to do."""


class UnreadableError(Exception):
    """One photograph's bytes cannot be had; the rest of the source is not affected."""


class Location(Protocol):
    """Where the bytes of a photograph lie."""

    def read(self) -> bytes:
        """Return the encoded bytes, or raise `UnreadableError`."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    """A file on disk."""

    path: Path

    def size(self) -> int:
        """Return how many bytes the file has, or raise `UnreadableError`."""
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise UnreadableError(f"{self.path}: {error.strerror}") from None

    def read(self) -> bytes:
        """Return the encoded bytes, or raise `UnreadableError`."""
        if (size := self.size()) > MAX_BYTES:
            raise UnreadableError(f"{self.path}: {size} bytes are too many for a photograph")
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UnreadableError(f"{self.path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class InPlace(File):
    """A file that stays where it is: never copied, named by its absolute path."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph of a source.

    Attributes
    ----------
    id
        Unique in its source and the same on every machine: a path with forward slashes.
    label
        What the source says it shows, or None.
    group
        Photographs of one scene share it, and no split separates them.
    split
        ``train``, ``validation`` or ``test`` where the source divides itself, or None.
    location
        Gives the bytes. Those of an archive can be read until the next photograph is asked for.
    """

    id: str
    label: str | None
    group: str
    split: str | None
    location: Location


@dataclass(frozen=True)
class Rereadable(Iterable[Photograph]):
    """Photographs that are read from the start each time they are gone through."""

    start: Callable[[], Iterator[Photograph]]

    def __iter__(self) -> Iterator[Photograph]:
        return self.start()


def own_split(folders: Sequence[str]) -> str | None:
    """Return the split that the first folder named after one stands for, or None."""
    return next((SPLITS[name.lower()] for name in folders if name.lower() in SPLITS), None)


def own_label(name: str) -> str | None:
    """Return the folder that holds the photograph called ``name``, unless it names a split."""
    folders = name.split("/")[:-1]
    return folders[-1] if folders and folders[-1].lower() not in SPLITS else None
