"""Writing Lab shards: each by one process, from beginning to end, whole or not at all."""

import hashlib
import io
import math
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np

from photochrom.files import whole_file


def write_shard(path: Path, shape: tuple[int, ...], pieces: Iterable[np.ndarray]) -> str:
    """Write a file of uint8 (NumPy's format) in order, in the memory of one piece.

    Parameters
    ----------
    shape : of the whole; the pieces along its first axis make it up.

    Returns
    -------
    The file's SHA-256, hexadecimal.
    """
    digest = hashlib.sha256()
    with whole_file(path) as temporary, temporary.open("wb") as handle:
        for data in chain([_header(shape)], (piece.ravel().data for piece in pieces)):
            handle.write(data)
            digest.update(data)
    return digest.hexdigest()


def is_whole(path: Path, shape: tuple[int, ...]) -> bool:
    """Return whether a shard is there and as long as it should be."""
    return path.is_file() and path.stat().st_size == len(_header(shape)) + math.prod(shape)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _header(shape: tuple[int, ...]) -> memoryview:
    header = io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, about)
    return header.getbuffer()
