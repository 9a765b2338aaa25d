"""ImageNet (ILSVRC 2012) as it is unpacked: ``train/<wnid>/*.JPEG`` and ``val``, read in place.

Nothing is copied: the manifest names the files where they lie. The validation photographs are the
ones papers measure on, so they are the test split; the filter takes validation photographs out of
the training split.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from photochrom.data.sources.base import InPlace, Photograph, Rereadable, SourceError, own_label
from photochrom.data.sources.containers import files, is_own_picture
from photochrom.params.data import DataParams

SPLITS = {"train": "train", "val": "test"}
LAYOUTS = (".", "ILSVRC/Data/CLS-LOC", "Data/CLS-LOC")


def photographs(params: DataParams, downloads: Path) -> Rereadable:
    """Return the photographs below ``data.path``, labelled with their WordNet ids.

    ``data.path`` holds ``train`` or ``val`` or both, itself or in ``ILSVRC/Data/CLS-LOC``.

    Raises
    ------
    SourceError
        When neither is there.
    """
    base = Path(params.path or "").absolute()
    for root in (base / layout for layout in LAYOUTS):
        splits = [split for split in SPLITS if (root / split).is_dir()]
        if splits:
            return Rereadable(partial(_read, root, splits))
    raise SourceError(
        f"data.path {params.path} holds neither train/<wnid>/*.JPEG nor val; fetch "
        "ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar from "
        "https://image-net.org/download-images (an account is needed) and unpack them there."
    )


def _read(root: Path, splits: list[str]) -> Iterator[Photograph]:
    for folder in splits:
        for below, path in files(root / folder):
            if is_own_picture(below, path):
                name = f"{folder}/{below}"
                yield Photograph(name, own_label(name), name, SPLITS[folder], InPlace(path))
