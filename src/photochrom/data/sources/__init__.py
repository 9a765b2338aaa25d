"""Sources of photographs, one file each.

A source is a module of this package that bears the name it has in params.yaml and offers
``photographs(params, downloads)``, which returns an iterable that can be gone through more than
once. Adding a source is adding its file, and its name to `photochrom.params.data.Source`.
"""

import hashlib
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from importlib import import_module
from pathlib import Path

from photochrom.data.sources.base import Photograph, SourceError, UnreadableError
from photochrom.params.data import DataParams

__all__ = ["Photograph", "SourceError", "UnreadableError", "photographs", "sample"]


def photographs(params: DataParams, downloads: Path) -> Iterator[Photograph]:
    """Return the photographs that ``params`` names, one at a time.

    What has to be fetched is fetched before this returns; bytes are read only on demand.

    Parameters
    ----------
    params
        Section ``data`` of params.yaml.
    downloads
        Folder that keeps what is fetched from the network.

    Raises
    ------
    SourceError
        When the source is out of reach, broken, unsafe or empty; also while iterating.
    """
    source = import_module(f"{__name__}.{params.source}")
    found: Iterable[Photograph] = source.photographs(params, downloads)
    if params.limit is not None:
        chosen = sample((photograph.id for photograph in found), params.limit, params.seed)
        found = (photograph for photograph in found if photograph.id in chosen)
    return _at_least_one(found, params)


def sample(ids: Iterable[str], size: int, seed: int) -> set[str]:
    """Choose ``size`` of the ids at random, whatever order they come in.

    Each id has its own rank, a hash of it and the seed, and the lowest ranks win: a larger sample
    contains a smaller one, and another photograph in the source displaces one at most.
    """
    return set(nsmallest(size, ids, key=lambda name: _rank(name, seed)))


def _rank(name: str, seed: int) -> bytes:
    # Not the hash that splits go by: the lowest of that are all test photographs.
    return hashlib.sha256(f"sample:{seed}:{name}".encode()).digest()


def _at_least_one(found: Iterable[Photograph], params: DataParams) -> Iterator[Photograph]:
    empty = True
    for photograph in found:
        empty = False
        yield photograph
    if empty:
        place = params.url or params.path or "its archive"
        raise SourceError(
            f"Source {params.source} found no pictures in {place}; put some there, or correct "
            "section data of params.yaml."
        )
