"""Linear light of sRGB levels and back, by tables."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

_STEPS = {"uint8": 2**13, "uint16": 2**20}
"""Steps of the root of linear light, by the depth whose levels they tell apart."""


@dataclass(frozen=True, eq=False)
class Levels:
    """The levels of sRGB pixels of one depth, and their linear light (IEC 61966-2-1).

    Attributes
    ----------
    linear : float32 tensor (256,) or (65536,): the linear light of each level, 0..1.
    by_root : int32 tensor: the level nearest to each of evenly spaced roots of linear light, 0..1.
        The transfer curve is nearly a root, so that these lie about evenly among the levels.
    """

    linear: Tensor
    by_root: Tensor

    def light(self, levels: Tensor) -> Tensor:
        """Return the linear light (float32) of levels (int32 tensor of any shape)."""
        return self.linear.index_select(0, levels.flatten()).view(levels.shape)

    def nearest(self, linear: Tensor) -> Tensor:
        """Return the level nearest to linear light.

        Parameters
        ----------
        linear : float32 tensor of any shape; what lies outside of 0..1 is clipped.

        Returns
        -------
        int32 tensor of the same shape, within 0.6 of the unrounded value.
        """
        steps = len(self.by_root) - 1
        places = linear.clamp(0.0, 1.0).sqrt_().mul_(steps).add_(0.5).int()
        return self.by_root.index_select(0, places.flatten()).view(linear.shape)


@cache
def levels(depth: str) -> Levels:
    """Return the levels of ``uint8`` or ``uint16`` pixels."""
    top = np.iinfo(depth).max
    values = torch.arange(top + 1, dtype=torch.float64) / top
    roots = torch.linspace(0.0, 1.0, _STEPS[depth] + 1, dtype=torch.float64)
    return Levels(_linear(values).float(), (_curved(roots.square()) * top).round().int())


def _linear(values: Tensor) -> Tensor:
    return torch.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)


def _curved(linear: Tensor) -> Tensor:
    return torch.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
