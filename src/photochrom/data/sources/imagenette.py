"""Imagenette (Howard 2019): 13,394 photographs of ten easy ImageNet classes, shorter side 160 px.

Its validation photographs are the ones to measure on, so they are the test split; the filter takes
validation photographs out of the training split.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from photochrom.data.sources.base import Photograph, Rereadable, own_label
from photochrom.data.sources.containers import pictures
from photochrom.data.sources.published import Published, obtain
from photochrom.params.data import DataParams

ARCHIVE = Published(
    "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
    "e793b78cc4c9e9a4ccc0c1155377a412",
    "imagenette2-160",
)
SPLITS = {"train": "train", "val": "test"}


def photographs(params: DataParams, downloads: Path) -> Rereadable:
    """Return the photographs of both splits, labelled with their WordNet ids.

    Raises
    ------
    SourceError
        When the archive is out of reach or damaged.
    """
    return Rereadable(partial(_read, obtain(ARCHIVE, params, downloads)))


def _read(path: Path) -> Iterator[Photograph]:
    for picture in pictures(path):
        name = picture.name
        split = SPLITS.get(name.split("/")[1])
        yield Photograph(name, own_label(name), name, split, picture.location)
