"""The public face: photograph in, photograph out."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack, overload

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from photochrom.colorizer.composition import compose
from photochrom.colorizer.options import (
    MOST_VARIANTS,
    OptionError,
    Options,
    Upsampling,
)
from photochrom.colorizer.prediction import Predictor, resized
from photochrom.colorizer.temperature import at_temperature, for_variants, temperature_of
from photochrom.colorizer.variants import choices
from photochrom.colorizer.view import lightness
from photochrom.params.models import Decoding
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.reading import Source, read_photograph

USUAL = Options()
AT_ONCE = 2**16
"""Pixels of the working size that the network takes at once: more are no faster."""
WINDOW, WINDOW_BYTES = 16, 2**26
"""A batch waits for at most so many photographs, and for no more once they have so many bytes."""


class Choices(TypedDict, total=False):
    """The options of :class:`Options` by name."""

    size: int | None
    temperature: float | None
    saturation: float
    upsampling: Upsampling


@dataclass(frozen=True, eq=False)
class Variant:
    """One of several plausible colorizations.

    Attributes
    ----------
    share : how plausible the model finds it beside the others, 0..1; they sum to 1.
    gray : the photograph.
    ab : float32 tensor (2, h, w), its colors at the working size.
    guide : float32 tensor (h, w), its L there, where that guides the upsampling.
    """

    share: float
    gray: Photograph
    ab: Tensor
    guide: Tensor | None = None

    @property
    def photograph(self) -> Photograph:
        """The colored photograph; it is made anew each time, so that several need no memory."""
        return _composed(self.gray, self.ab, self.guide)


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
        return temperature_of(self.predictor.decoding)

    @overload
    def __call__(
        self, photograph: np.ndarray, options: Options = ..., **choices: Unpack[Choices]
    ) -> np.ndarray: ...

    @overload
    def __call__(
        self,
        photograph: Path | str | bytes | Image.Image,
        options: Options = ...,
        **choices: Unpack[Choices],
    ) -> Image.Image: ...

    def __call__(
        self, photograph: Source, options: Options = USUAL, **choices: Unpack[Choices]
    ) -> Image.Image | np.ndarray:
        """Color a photograph, as in ``colorizer("scan.jpg", saturation=1.2)``.

        Parameters
        ----------
        photograph : a path, an encoded file's bytes, an image of Pillow, or an array (H, W),
            (H, W, C) with C = 1 or 3, or 2 or 4 with alpha, of bool, uint8, uint16 or floats in
            0..1; gray or color, of any size. What colors it has play no part, only its luminance.
        options : how.
        choices : any of the options by name, instead of those in ``options``.

        Returns
        -------
        For an array, an array (H, W, 3) or, with alpha, (H, W, 4), of the same type (uint8 for
        bool); floats have 65536 levels. Else an upright image of Pillow, RGB or RGBA.

        Raises
        ------
        BadPhotographError
            When it is no photograph that can be read.
        OSError
            When a file cannot be read.
        OptionError
            When an option cannot be used, as a temperature of a model without a distribution.
        """
        colored = self.color(read_photograph(photograph), replace(options, **choices))
        return (
            _as_given(colored, photograph)
            if isinstance(photograph, np.ndarray)
            else colored.image()
        )

    def color(self, photograph: Photograph, options: Options = USUAL) -> Photograph:
        """Color a photograph that was read; the result has as many bits and the same metadata."""
        seen = self._seen(photograph, options)
        [ab] = self._predicted([seen], options)
        return _composed(photograph, ab, _guide(seen, options))

    def batch(
        self, photographs: Iterable[Photograph], options: Options = USUAL
    ) -> Iterator[Photograph]:
        """Color photographs in their order; the network takes those of one shape together.

        At most :data:`WINDOW` of them are read ahead.
        """
        for window in _windows(photographs):
            seen = [self._seen(photograph, options) for photograph in window]
            for gray, ab in zip(seen, self._predicted(seen, options), strict=True):
                yield _composed(window.pop(0), ab, _guide(gray, options))

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
        bins, temperature = self.predictor.bins, options.temperature or self.temperature
        if bins is None or temperature is None:
            raise OptionError(f"{self.name} gives each photograph one coloring: ask for 1 variant.")
        seen = self._seen(photograph, options)
        raw = self.predictor.raw(seen)
        plain = self.predictor.decoded(raw, self._decoding(options))[0]
        flat, within = for_variants(self.predictor.decoding, temperature)
        found = choices(bins.logits(raw)[0] / flat, bins, within / flat, count, plain)
        full = resized(torch.stack([one.ab for one in found]), seen.shape[-2:])
        return [
            Variant(one.share, photograph, ab, _guide(seen, options))
            for one, ab in zip(found, full * options.saturation, strict=True)
        ]

    def _seen(self, photograph: Photograph, options: Options) -> Tensor:
        """Return L of the working size, float32 (1, 1, h, w) in 0..100."""
        gray = lightness(photograph, options.size or self.predictor.size)
        return self.predictor.scaled(gray.to(self.predictor.device), options.size)

    def _predicted(self, seen: Sequence[Tensor], options: Options) -> list[Tensor]:
        """Return ab (2, h, w) of each L (1, 1, h, w); those of one shape are predicted together."""
        decoding, colors = self._decoding(options), [Tensor()] * len(seen)
        for places in _of_one_shape(seen):
            working = torch.cat([seen[place] for place in places])
            raw = self.predictor.raw(working)
            ab = self.predictor.ab(raw, working.shape[-2:], decoding) * options.saturation
            for place, one in zip(places, ab, strict=True):
                colors[place] = one
        return colors

    def _decoding(self, options: Options) -> Decoding | None:
        if options.temperature is None:
            return None
        if self.predictor.bins is None:
            raise OptionError(
                f"{self.name} predicts colors, no distribution: leave temperature out, or take a "
                "model that classifies."
            )
        return at_temperature(self.predictor.decoding, options.temperature)


def load_colorizer(folder: Path, name: str, device: torch.device | None = None) -> Colorizer:
    """Load the model in a folder, see :meth:`Predictor.load`."""
    return Colorizer(name, Predictor.load(folder, device=device))


def _guide(seen: Tensor, options: Options) -> Tensor | None:
    return seen[0, 0] if options.upsampling == "guided" else None


def _composed(photograph: Photograph, ab: Tensor, guide: Tensor | None) -> Photograph:
    return photograph.with_pixels(compose(photograph.pixels, ab, guide))


def _as_given(colored: Photograph, given: np.ndarray) -> np.ndarray:
    """Return a colored photograph as an array of the type of the one that was given."""
    kind = np.dtype(np.uint8) if given.dtype == np.bool_ else given.dtype
    pixels = colored.pixels
    if kind.kind == "f":
        pixels = pixels / np.result_type(kind, np.float32).type(np.iinfo(pixels.dtype).max)
    if colored.alpha is not None:
        # An array's own alpha is kept to the last bit; of a photograph's alpha there are eight.
        alpha = colored.alpha[..., None] if given.dtype == np.bool_ else given[..., -1:]
        pixels = np.concatenate((pixels, alpha), axis=-1)
    return pixels.astype(kind, copy=False)


def _windows(photographs: Iterable[Photograph]) -> Iterator[list[Photograph]]:
    """Yield photographs some at a time, as many as memory may hold."""
    window: list[Photograph] = []
    for photograph in photographs:
        window.append(photograph)
        if len(window) == WINDOW or sum(one.pixels.nbytes for one in window) >= WINDOW_BYTES:
            yield window
            window = []
    if window:
        yield window


def _of_one_shape(seen: Sequence[Tensor]) -> Iterator[list[int]]:
    """Yield the places of tensors that have one shape, as many as may be taken at once."""
    places: defaultdict[torch.Size, list[int]] = defaultdict(list)
    for place, one in enumerate(seen):
        places[one.shape].append(place)
    for shape, found in places.items():
        step = max(1, AT_ONCE // shape.numel())
        for first in range(0, len(found), step):
            yield found[first : first + step]
