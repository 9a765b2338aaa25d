"""Writing Lab shards: each by one process, from beginning to end, whole or not at all."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from photochrom.files import file_digest, whole_file


def write_shard(path: Path, shape: tuple[int, ...], pieces: Iterable[np.ndarray]) -> str:
    """Write a file of uint8 (NumPy's format) in order, in the memory of one piece.

    To wait for the disk at every shard would take longer than the work: :class:`Finished` keeps
    its digest, by which a whole shard is known from what a power cut leaves.

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
    return digest.hexdigest()


class Finished:
    """A list of the shards that were written, a line for each, to go on with after a kill.

    Parameters
    ----------
    path : the file; one process at a time writes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each shard by its name; of a line that is not whole, none."""
        if not self.path.is_file():
            return {}
        lines = self.path.read_text(encoding="ascii", errors="replace").splitlines()
        return {words[0]: words[1] for words in map(str.split, lines) if len(words) == 2}

    def adding(self, done: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield names and digests of shards, each once it is in the list."""
        with self.path.open("a", encoding="ascii", buffering=1) as handle:
            for name, digest in done:
                handle.write(f"{name} {digest}\n")
                yield name, digest


def is_whole(path: Path, digest: str) -> bool:
    """Return whether a shard is there with the bytes that were written."""
    return path.is_file() and file_digest(path) == digest


def _header(shape: tuple[int, ...]) -> memoryview:
    header = io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, about)
    return header.getbuffer()
