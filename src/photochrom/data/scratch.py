"""Scratch folders of the data stages: what a killed run has finished, for the next to go on."""

import shutil
from pathlib import Path

from photochrom.files import write_text


def prepare_scratch(folder: Path, identity: str) -> None:
    """Keep a folder's content if it was begun for the same result, else empty it.

    Parameters
    ----------
    identity : digest of all that decides the result, see :func:`photochrom.files.fingerprint`.
    """
    mark = folder / "fingerprint"
    if not mark.is_file() or mark.read_text(encoding="utf-8") != identity:
        if folder.exists():
            shutil.rmtree(folder)
        write_text(mark, identity)
    for left in folder.glob(".*.part"):
        left.unlink()
