"""The temperature that a model decodes with."""

from photochrom.colorizer.options import LOWEST_TEMPERATURE
from photochrom.params.models import AnnealedMeanParams, Decoding, LearnedParams


def temperature_of(decoding: Decoding) -> float:
    """Return the temperature that a decoding of a distribution amounts to.

    The mean is that of temperature 1; the likeliest bin is as sharp as can be asked for.
    """
    match decoding:
        case AnnealedMeanParams(temperature=temperature) | LearnedParams(temperature=temperature):
            return temperature
        case _:
            return LOWEST_TEMPERATURE if decoding.kind == "argmax" else 1.0


def at_temperature(decoding: Decoding, temperature: float) -> Decoding:
    """Return the decoding of a distribution at a temperature.

    A learned one stays what it is; all others become the annealed mean.
    """
    if isinstance(decoding, LearnedParams):
        return decoding.model_copy(update={"temperature": temperature})
    return AnnealedMeanParams(kind="annealed_mean", temperature=temperature)
