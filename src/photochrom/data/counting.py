"""How often each stored color occurs in a split: what the prior is made of."""

from pathlib import Path

import numpy as np

from photochrom.color import bins
from photochrom.data.parallel import in_parallel
from photochrom.data.shards import LabSet, squares_in_order

PIXELS = 2**20
"""So many are counted at a time."""


def count_colors(photographs: LabSet) -> np.ndarray:
    """Count every stored (a, b) of a split (int64 (256, 256)).

    An integer sum over shards: the result does not depend on their order or on the processes.
    """
    shards = [path.resolve() for path in photographs.shards]
    counts = in_parallel(_count, shards, "Counting colors", len(shards))
    return np.asarray(sum(counts, np.zeros((bins.LATTICE, bins.LATTICE), dtype=np.int64)))


def _count(shard: Path) -> np.ndarray:
    pieces = (bins.lattice_histogram(squares) for squares in squares_in_order(shard, PIXELS))
    return np.asarray(sum(pieces, np.zeros((bins.LATTICE, bins.LATTICE), dtype=np.int64)))
