"""What networks see and objectives compare: normalised lightness and the true ab."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Photographs to learn from.

    Attributes
    ----------
    lightness : float32 (N, 1, H, W), L / 50 - 1, in -1..1.
    ab : float32 (N, 2, H, W), in ab units.
    """

    lightness: Tensor
    ab: Tensor

    def __len__(self) -> int:
        return len(self.lightness)


def normalised(lightness: Tensor) -> Tensor:
    """Scale L from 0..100 to the -1..1 that networks take."""
    return lightness / 50.0 - 1.0
