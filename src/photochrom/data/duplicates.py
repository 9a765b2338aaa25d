"""Photographs that are there twice: the same file, or nearly the same picture."""

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Positions = NDArray[np.int64]

ALONE = -1
"""Stands for no earlier one."""
BITS = 64


def same_files(digests: Words) -> Positions:
    """Find the files that are the same as an earlier one.

    Parameters
    ----------
    digests : uint64 (N, words), one row for each file.

    Returns
    -------
    int64 (N,): the position of the first file with the same digest, :data:`ALONE` for that itself.
    """
    order = np.lexsort(digests.T)
    in_order = digests[order]
    new = np.ones(len(order), bool)
    new[1:] = (in_order[1:] != in_order[:-1]).any(1)
    # The sort is stable, so that the first of each run is the first of all.
    first = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    found = np.empty(len(order), np.int64)
    found[order] = np.where(new, ALONE, first)
    return found


def near_duplicates(hashes: Words, bits: int) -> Positions:
    """Find the hashes that differ from an earlier, kept one in at most ``bits`` (0..3) bits.

    Returns
    -------
    int64 (N,): the position of the first kept hash so close, :data:`ALONE` where there is none and
    the hash is kept. Of ``bits`` + 2 parts of two such hashes at least two are equal, so that only
    hashes which share two parts are compared: some 26 bits of 64 at least, which even a hundred
    million photographs seldom share by chance.
    """
    values, first, which = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    values, first = values[order], first[order]
    close = np.flatnonzero(_has_neighbour(values, bits))
    twins = np.full(len(values), ALONE, np.int64)
    for later, earlier in _twins(values[close].tolist(), bits):
        twins[close[later]] = close[earlier]
    # Equal hashes share their neighbours: they repeat the first, or what the first repeats.
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    of_each = place[which]
    repeated = np.where(twins[of_each] == ALONE, first[of_each], first[twins[of_each]])
    return np.where(repeated == np.arange(len(hashes)), ALONE, repeated)


def _masks(bits: int) -> list[int]:
    """Return a mask for every two of ``bits`` + 2 parts of a hash."""
    edges = [BITS * part // (bits + 2) for part in range(bits + 3)]
    parts = [(1 << end) - (1 << start) for start, end in pairwise(edges)]
    return [one | other for one, other in combinations(parts, 2)]


def _has_neighbour(values: Words, bits: int) -> NDArray[np.bool_]:
    """Return which of distinct hashes have another within so many bits."""
    found = np.zeros(len(values), bool)
    for mask in _masks(bits):
        shared = values & np.uint64(mask)
        order = np.argsort(shared)
        shared, in_order = shared[order], values[order]
        start, apart = np.arange(len(values) - 1), 1
        # Those that lie 1, 2, 3 .. apart in a run of equal parts, until no run is as long.
        while len(start := start[start + apart < len(values)]):
            start = start[shared[start] == shared[start + apart]]
            near = np.bitwise_count(in_order[start] ^ in_order[start + apart]) <= bits
            found[order[start[near]]] = found[order[start[near] + apart]] = True
            apart += 1
    return found


def _twins(values: list[int], bits: int) -> Iterator[tuple[int, int]]:
    """Yield each hash that has an earlier, kept one within so many bits, and the first such."""
    masks = _masks(bits)
    kept: list[dict[int, list[int]]] = [{} for _ in masks]
    for position, value in enumerate(values):
        rivals = (r for mask, by in zip(masks, kept, strict=True) for r in by.get(value & mask, ()))
        first = min((r for r in rivals if (values[r] ^ value).bit_count() <= bits), default=None)
        if first is not None:
            yield position, first
            continue
        for mask, by in zip(masks, kept, strict=True):
            by.setdefault(value & mask, []).append(position)
