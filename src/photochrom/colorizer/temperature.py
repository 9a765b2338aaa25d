"""The temperature that a model decodes with by itself."""

from photochrom.colorizer.options import LOWEST_TEMPERATURE
from photochrom.params.models import AnnealedMeanParams, Decoding


def temperature_of(decoding: Decoding) -> float:
    """Return the temperature that a decoding of a distribution amounts to.

    The mean is that of temperature 1; the likeliest bin is as sharp as can be asked for.
    """
    match decoding:
        case AnnealedMeanParams(temperature=temperature):
            return temperature
        case _:
            return LOWEST_TEMPERATURE if decoding.kind == "argmax" else 1.0
