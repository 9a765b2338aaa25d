"""The temperature that a model decodes with."""

from photochrom.colorizer.options import LOWEST_TEMPERATURE
from photochrom.params.models import AnnealedMeanParams, Decoding, LearnedParams

FLAT = 2.0
"""The temperature at which the modes of an honest distribution are sought."""
VIVID = 0.38
"""That of the annealed mean of Zhang et al. 2016."""


def temperature_of(decoding: Decoding) -> float:
    """Return the temperature that a decoding of a distribution amounts to.

    The mean is that of temperature 1; the likeliest bin is as sharp as can be asked for.
    """
    match decoding:
        case AnnealedMeanParams(temperature=temperature) | LearnedParams(temperature=temperature):
            return temperature
        case _:
            return LOWEST_TEMPERATURE if decoding.kind == "argmax" else 1.0


def for_variants(decoding: Decoding, temperature: float) -> tuple[float, float]:
    """Return at which temperature modes are sought, and that of the annealed mean within one.

    What comes with a learned decoding is an honest distribution: most of it lies near gray, beside
    which hardly a color counts as a mode unless it is flattened. And as what was learned is about
    as bold as an annealed mean at 0.38 (Zhang et al. 2016), so are the modes.
    """
    if isinstance(decoding, LearnedParams):
        return FLAT, VIVID * temperature
    return 1.0, temperature


def at_temperature(decoding: Decoding, temperature: float) -> Decoding:
    """Return the decoding of a distribution at a temperature.

    A learned one stays what it is; all others become the annealed mean.
    """
    if isinstance(decoding, LearnedParams):
        return decoding.model_copy(update={"temperature": temperature})
    return AnnealedMeanParams(kind="annealed_mean", temperature=temperature)
