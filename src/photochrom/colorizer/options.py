"""How a photograph is to be colored."""

from dataclasses import dataclass
from typing import Literal

Upsampling = Literal["bicubic", "guided"]
SMALLEST, LARGEST = 16, 1024
"""Working sizes in pixels: below, nothing is recognised; above, memory grows beyond a desktop's."""
MOST_SATURATION = 4.0
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 10.0
MOST_VARIANTS = 16


class OptionError(ValueError):
    """An option cannot be used; the message is a sentence that says what to set it to."""


@dataclass(frozen=True)
class Options:
    """How a photograph is to be colored.

    Attributes
    ----------
    size : the working size, the shorter side in pixels at which the network sees the photograph;
        None takes the model's own.
    temperature : of the annealed mean (Zhang et al. 2016): low is vivid and bold, 1 the plain mean
        or what a decoder has learned to show, high is cautious and pale; only for models that
        predict a distribution. None takes the model's own.
    saturation : factor on a and b; 0 is gray, 1 as the model says.
    upsampling : how ab comes to the photograph's size: ``bicubic``; or ``guided`` by its edges,
        which keeps good colors from bleeding over them: true ab, averaged down to 64 pixels, comes
        back with a CIEDE2000 of 1.81 instead of 1.94 at 400 to 1024 pixels (16 photographs), 1.04
        instead of 1.05 at 256 (100). In what models predict, errors of 12 and more outweigh that.

    Raises
    ------
    OptionError
        When a value is out of its range.
    """

    size: int | None = None
    temperature: float | None = None
    saturation: float = 1.0
    upsampling: Upsampling = "bicubic"

    def __post_init__(self) -> None:
        size = self.size
        if size is not None and not (isinstance(size, int) and SMALLEST <= size <= LARGEST):
            raise OptionError(f"size is {size}: set it from {SMALLEST} to {LARGEST} pixels.")
        low, high = LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE
        if self.temperature is not None and not low <= self.temperature <= high:
            raise OptionError(f"temperature is {self.temperature:g}: set it from {low} to {high}.")
        if not 0.0 <= self.saturation <= MOST_SATURATION:
            raise OptionError(
                f"saturation is {self.saturation:g}: set it from 0 to {MOST_SATURATION}."
            )
        if self.upsampling not in ("bicubic", "guided"):
            raise OptionError(f"upsampling is {self.upsampling!r}: set it to bicubic or guided.")
