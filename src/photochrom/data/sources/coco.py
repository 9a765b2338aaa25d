"""COCO 2017 (Lin et al. 2014): 118,287 + 5,000 photographs of everyday scenes, 19 GB.

Where ``data.path`` holds one of the two archives, or the folder it unpacks to, that one alone is
the source; else both are fetched. The validation photographs are the ones to measure on, so they
are the test split; the filter takes validation photographs out of the training split.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from photochrom.data.sources.base import Photograph, Rereadable
from photochrom.data.sources.containers import pictures
from photochrom.data.sources.published import Published, at_hand, obtain, places
from photochrom.params.data import DataParams

# images.cocodataset.org has no certificate of its own; the checksum stands in for https.
ARCHIVES = {
    "train": Published(
        "http://images.cocodataset.org/zips/train2017.zip",
        "cced6f7f71b7629ddf16f17bbcfab6b2",
        "train2017",
    ),
    "test": Published(
        "http://images.cocodataset.org/zips/val2017.zip",
        "442b8da7639aecaf257c1dceb8ba8c80",
        "val2017",
    ),
}


def photographs(params: DataParams, downloads: Path) -> Rereadable:
    """Return the photographs of both archives, or of the one that ``data.path`` holds.

    Raises
    ------
    SourceError
        When an archive is out of reach or damaged.
    """
    wanted = _held(params, downloads) or ARCHIVES
    found = {split: obtain(archive, params, downloads) for split, archive in wanted.items()}
    return Rereadable(partial(_read, found))


def _held(params: DataParams, downloads: Path) -> dict[str, Published]:
    first, *fallback = places(params, downloads)
    if not fallback:
        return {}
    return {split: archive for split, archive in ARCHIVES.items() if at_hand(archive, first)}


def _read(found: dict[str, Path]) -> Iterator[Photograph]:
    for split, path in found.items():
        for picture in pictures(path):
            yield Photograph(picture.name, None, picture.name, split, picture.location)
