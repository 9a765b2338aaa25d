"""A photograph to be colored: its pixels at full depth, and what is kept of its file."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from PIL import Image

from photochrom.pictures.strips import bounds, joined, rounded


@dataclass(frozen=True)
class Metadata:
    """What a file says of its photograph, kept when the colored one is written.

    Attributes
    ----------
    exif : EXIF as bytes, its orientation upright; None where there is none.
    xmp : XMP as bytes.
    dpi : dots per inch, horizontal and vertical.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Photograph:
    """An upright photograph in sRGB.

    Attributes
    ----------
    pixels : uint8 or uint16, (H, W) gray or (H, W, 3) color.
    alpha : opacity, uint8 (H, W); None where all is opaque.
    format : what kind of file it came from, Pillow's name; None where from none.
    metadata : what is kept of the file.
    notes : sentences on what was not taken over, such as further frames.
    profiled : whether its file had an ICC profile; the colored one then carries sRGB's.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    format: str | None = None
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()
    profiled: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.pixels.shape[:2]
        return width, height

    def with_pixels(self, pixels: np.ndarray) -> Self:
        """Return the photograph with other pixels of the same height and width."""
        return replace(self, pixels=pixels)

    def with_notes(self, notes: tuple[str, ...]) -> Self:
        """Return the photograph with further notes."""
        return replace(self, notes=self.notes + notes)

    def eight_bits(self) -> np.ndarray:
        """Return the pixels as uint8, 16 bits scaled to 8."""
        if self.pixels.dtype == np.uint8:
            return self.pixels
        height, width = self.pixels.shape[:2]
        return joined((rounded(self.pixels[a:b]) for a, b in bounds(height, width)), height)

    def image(self) -> Image.Image:
        """Return the photograph for Pillow, in eight bits: L, LA, RGB or RGBA."""
        image = Image.fromarray(self.eight_bits())
        if self.alpha is not None:
            image.putalpha(Image.fromarray(self.alpha))
        return image
