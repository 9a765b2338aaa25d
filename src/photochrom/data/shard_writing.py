"""Writing Lab shards: each by one process, from beginning to end, whole or not at all."""

import hashlib
import io
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np

from photochrom.files import file_digest, whole_file


def write_shard(path: Path, shape: tuple[int, ...], pieces: Iterable[np.ndarray]) -> str:
    """Write a file of uint8 (NumPy's format) in order, in the memory of one piece.

    Its digest is written beside it, so that :func:`whole_digest` knows a whole shard from what a
    power cut leaves; to wait for the disk at every shard would take longer than the work.

    Parameters
    ----------
    shape : of the whole; the pieces along its first axis make it up.

    Returns
    -------
    The file's SHA-256, hexadecimal.
    """
    digest = hashlib.sha256()
    with whole_file(path, on_disk=False) as temporary, temporary.open("wb") as handle:
        for data in chain([_header(shape)], (piece.ravel().data for piece in pieces)):
            handle.write(data)
            digest.update(data)
    with whole_file(_beside(path), on_disk=False) as temporary:
        temporary.write_text(digest.hexdigest(), encoding="ascii")
    return digest.hexdigest()


def whole_digest(path: Path) -> str | None:
    """Return the SHA-256 of a shard that was written whole, None where there is none."""
    if not path.is_file() or not _beside(path).is_file():
        return None
    found = file_digest(path)
    return found if found == _beside(path).read_text(encoding="ascii") else None


def _beside(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _header(shape: tuple[int, ...]) -> memoryview:
    header = io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, about)
    return header.getbuffer()
