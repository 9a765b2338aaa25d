"""Writing Lab shards: each by one process, from beginning to end, whole or not at all."""

import hashlib
import io
import math
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from uuid import uuid4

import numpy as np


def write_shard(path: Path, shape: tuple[int, ...], pieces: Iterable[np.ndarray]) -> str:
    """Write a file of uint8 (NumPy's format) in order, in the memory of one piece.

    It gets its name when it is whole. That it is on the disk by then is not awaited, which would
    take longer than the work: see :func:`is_whole`.

    Parameters
    ----------
    shape : of the whole; the pieces along its first axis make it up.

    Returns
    -------
    The file's SHA-256, hexadecimal.
    """
    digest = hashlib.sha256()
    # Processes on several machines may have the same number.
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with temporary.open("wb") as handle:
            for data in chain([_header(shape)], (piece.ravel().data for piece in pieces)):
                handle.write(data)
                digest.update(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def is_whole(path: Path, shape: tuple[int, ...]) -> bool:
    """Return whether a shard is there and as long as it should be.

    A machine that loses its power may leave files that have their names but not all their bytes.
    """
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
