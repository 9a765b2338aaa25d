"""Hues of ab colors, by the names that people give them."""

from functools import cache

import torch
from torch import Tensor

from photochrom.color.bins import lattice, lattice_rows

GRAY = "gray"
GRAY_BELOW = 10.0
"""Chroma below which a color has no hue to speak of."""
HUES = {
    "pink": 338.0,
    "red": 18.0,
    "orange": 54.0,
    "yellow": 82.0,
    "green": 112.0,
    "cyan": 172.0,
    "blue": 218.0,
    "purple": 309.0,
}
"""The hue angle of ab in degrees at which each begins; it ends where the next one does. Chosen so
that the colors that CSS names after a hue fall into it: CIE Lab's blue lies next to its purple."""
NAMES = (GRAY, *HUES)


def hue_indices(ab: Tensor) -> Tensor:
    """Return the place in :data:`NAMES` of the hue of colors (n, 2) (int64 (n,))."""
    names, starts = zip(*sorted(HUES.items(), key=lambda item: item[1]), strict=True)
    angle = torch.atan2(ab[:, 1], ab[:, 0]).rad2deg() % 360.0
    # Below the first start it is the hue that begins last and runs through 0 degrees.
    sector = torch.bucketize(angle, torch.tensor(starts), right=True) - 1
    places = torch.tensor([NAMES.index(name) for name in names])[sector]
    return torch.where(ab.square().sum(1).sqrt() < GRAY_BELOW, 0, places)


def hues_of(ab: Tensor) -> Tensor:
    """Return the place in :data:`NAMES` of the hue of each ab (N, 2, H, W), rounded (int64)."""
    return _of_lattice()[lattice_rows(ab)]


@cache
def _of_lattice() -> Tensor:
    """Return the hue of every ab that eight bits can store, as a place in :data:`NAMES`."""
    return hue_indices(lattice())
