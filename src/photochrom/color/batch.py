"""What networks see and objectives compare: normalised lightness and the true ab."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

AT_ONCE = 2**25
"""Most numbers of raw output at a time where no gradient is wanted: 128 MiB as float32."""


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

    def pieces(self, channels: int) -> Iterator["Batch"]:
        """Yield the batch in pieces whose raw output of so many channels fits the memory."""
        rows = photographs_at_once(channels, self.lightness)
        for lightness, ab in zip(self.lightness.split(rows), self.ab.split(rows), strict=True):
            yield Batch(lightness, ab)


def normalised(lightness: Tensor) -> Tensor:
    """Scale L from 0..100 to the -1..1 that networks take."""
    return lightness / 50.0 - 1.0


def photographs_at_once(channels: int, lightness: Tensor) -> int:
    """Return how many photographs (N, 1, H, W) a network of so many channels may take at once."""
    return max(1, AT_ONCE // (channels * lightness.shape[-2] * lightness.shape[-1]))
