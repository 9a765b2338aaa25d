"""Places365 (Zhou et al. 2017): the 36,500 validation photographs at 256 px, 500 MB.

All of them are one split of the set, so the filter divides them by their groups.
"""

import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from photochrom.data.sources.base import Photograph, Rereadable, SourceError
from photochrom.data.sources.containers import pictures
from photochrom.data.sources.published import Published, obtain, places
from photochrom.params.data import DataParams

PHOTOGRAPHS = Published(
    "http://data.csail.mit.edu/places/places365/val_256.tar",
    "e27b17d8d44f4af9a78502beb927f808",
    "val_256",
)
LISTS = Published(
    "http://data.csail.mit.edu/places/places365/filelist_places365-standard.tar",
    "35a0585fee1fa656440f3ab298f8479c",
    "filelist_places365-standard",
)
CATEGORIES, VALIDATION = "categories_places365.txt", "places365_val.txt"


def photographs(params: DataParams, downloads: Path) -> Rereadable:
    """Return the validation photographs, labelled with their kind of place.

    Raises
    ------
    SourceError
        When an archive is out of reach or damaged.
    """
    found = obtain(PHOTOGRAPHS, params, downloads)
    return Rereadable(partial(_read, found, _labels(params, downloads)))


def _read(path: Path, labels: dict[str, str]) -> Iterator[Photograph]:
    for picture in pictures(path):
        name = picture.name
        yield Photograph(name, labels.get(name.split("/")[-1]), name, None, picture.location)


def _labels(params: DataParams, downloads: Path) -> dict[str, str]:
    """Map file names to categories, such as ``apartment_building/outdoor``."""
    categories, photographs = _lists(params, downloads)
    try:
        names = {number: path[len("/a/") :] for path, number in categories}
        return {file: names[number] for file, number in photographs}
    except (KeyError, ValueError):
        raise SourceError(
            f"{CATEGORIES} and {VALIDATION} are not the lists of Places365; delete them and take "
            f"them from {LISTS.url}."
        ) from None


def _lists(params: DataParams, downloads: Path) -> list[list[list[str]]]:
    """Return categories and photographs, each as lines of words."""
    for place in places(params, downloads):
        files = [place / CATEGORIES, place / VALIDATION]
        if all(file.is_file() for file in files):
            return [_words(file.read_text(encoding="utf-8")) for file in files]
    texts = _texts(obtain(LISTS, params, downloads))
    return [_words(texts.get(name, "?")) for name in (CATEGORIES, VALIDATION)]


def _texts(path: Path) -> dict[str, str]:
    if path.is_dir():
        return {file.name: file.read_text(encoding="utf-8") for file in path.glob("*.txt")}
    with tarfile.open(path) as archive:
        members = [member for member in archive if member.name.endswith((CATEGORIES, VALIDATION))]
        streams = [(member.name, archive.extractfile(member)) for member in members]
        return {Path(name).name: stream.read().decode() for name, stream in streams if stream}


def _words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]
