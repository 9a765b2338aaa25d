"""The public face: photograph in, photograph out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from photochrom.color.lab import rgb_to_lab
from photochrom.colorizer.composition import compose
from photochrom.colorizer.options import MOST_VARIANTS, OptionError, Options
from photochrom.colorizer.prediction import Predictor
from photochrom.colorizer.variants import choices
from photochrom.params.models import AnnealedMeanParams, Decoding
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.reading import Source, read_photograph

USUAL = Options()


@dataclass(frozen=True)
class Variant:
    """One of several plausible colorizations.

    Attributes
    ----------
    photograph : the colored photograph.
    share : how plausible the model finds it beside the others, 0..1; they sum to 1.
    """

    photograph: Photograph
    share: float


@dataclass(frozen=True)
class Colorizer:
    """Gives colors to photographs of any size and kind, whose luminance it keeps.

    Attributes
    ----------
    name : what the model is called.
    predictor : the trained network with its decoding.
    """

    name: str
    predictor: Predictor

    @property
    def temperature(self) -> float | None:
        """The temperature it decodes with by itself; None where it predicts no distribution."""
        if self.predictor.bins is None:
            return None
        decoding = self.predictor.decoding
        return decoding.temperature if isinstance(decoding, AnnealedMeanParams) else 1.0

    def __call__(self, photograph: Source, options: Options = USUAL) -> Image.Image | np.ndarray:
        """Color a photograph.

        Parameters
        ----------
        photograph : a path, an encoded file's bytes, an image of Pillow, or an array (H, W),
            (H, W, 3) or (H, W, 4) of uint8, uint16 or floats in 0..1; gray or color, of any size.
            What colors it has play no part, only its luminance.
        options : how.

        Returns
        -------
        An array (H, W, 3) or, with alpha, (H, W, 4), of the same type for an array; else an image
        of Pillow, RGB or RGBA, upright.

        Raises
        ------
        BadPhotographError
            When it is no photograph that can be read.
        OptionError
            When the model has no distribution, and a temperature was asked for.
        """
        colored = self.color(read_photograph(photograph), options)
        return (
            as_given(colored, photograph) if isinstance(photograph, np.ndarray) else colored.image()
        )

    def color(self, photograph: Photograph, options: Options = USUAL) -> Photograph:
        """Color a photograph that was read; the result has as many bits and the same metadata."""
        working = self._seen(photograph, options)
        decoding = self._decoding(options)
        ab = self.predictor.ab(self.predictor.raw(working), working.shape[-2:], decoding)[0]
        return _composed(photograph, ab, options)

    def batch(
        self, photographs: Iterable[Photograph], options: Options = USUAL
    ) -> Iterator[Photograph]:
        """Color photographs one after the other, those of one shape together."""
        for photograph in photographs:
            yield self.color(photograph, options)

    def variants(
        self, photograph: Photograph, count: int = 4, options: Options = USUAL
    ) -> list[Variant]:
        """Return up to ``count`` plausible colorizations, the likeliest first.

        Raises
        ------
        OptionError
            When the model predicts no distribution, or ``count`` is out of 1..16.
        """
        if not 1 <= count <= MOST_VARIANTS:
            raise OptionError(f"variants is {count}: set it from 1 to {MOST_VARIANTS}.")
        predictor = self.predictor
        if (
            predictor.bins is None
            or (temperature := options.temperature or self.temperature) is None
        ):
            raise OptionError(f"{self.name} gives each photograph one coloring: ask for 1 variant.")
        working = self._seen(photograph, options)
        found = choices(predictor.raw(working)[0], predictor.bins, temperature, count)
        size = working.shape[-2:]
        return [
            Variant(
                _composed(photograph, predictor.unpadded(one.ab[None], size)[0], options), one.share
            )
            for one in found
        ]

    def _decoding(self, options: Options) -> Decoding | None:
        if options.temperature is None:
            return None
        if self.predictor.bins is None:
            raise OptionError(
                f"{self.name} predicts colors, no distribution: leave temperature out, or take a "
                "model that classifies."
            )
        return AnnealedMeanParams(kind="annealed_mean", temperature=options.temperature)

    def _seen(self, photograph: Photograph, options: Options) -> Tensor:
        """Return L of the working size, float32 (1, 1, h, w) in 0..100."""
        image = Image.fromarray(photograph.eight_bits())
        side = 2 * (options.size or self.predictor.size)
        reduced = image.reduce(max(1, min(image.size) // side)).convert("RGB")
        rgb = torch.from_numpy(np.array(reduced)).movedim(-1, 0)[None].float() / 255.0
        return self.predictor.scaled(rgb_to_lab(rgb)[:, :1].to(self.predictor.device), options.size)


def load_colorizer(folder: Path, name: str, device: torch.device | None = None) -> Colorizer:
    """Load the model in a folder, see :meth:`Predictor.load`."""
    return Colorizer(name, Predictor.load(folder, device=device))


def as_given(colored: Photograph, given: np.ndarray) -> np.ndarray:
    """Return colored pixels as an array of the type of the one that was given."""
    pixels = colored.pixels
    if given.dtype == pixels.dtype:
        return pixels
    return (pixels.astype(np.float64) / np.iinfo(pixels.dtype).max).astype(given.dtype)


def _composed(photograph: Photograph, ab: Tensor, options: Options) -> Photograph:
    pixels = compose(photograph.pixels, ab * options.saturation, options.upsampling)
    return photograph.with_pixels(pixels)
