"""Drawing sheets of pictures, and saving figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from photochrom.files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rgb8 = np.ndarray
"""uint8 array (H, W, 3)."""


def sheet(
    rows: Sequence[Sequence[Rgb8]],
    columns: Sequence[str] = (),
    names: Sequence[str] = (),
    side: int = 128,
) -> Image.Image:
    """Draw pictures in a grid, scaled to squares of ``side`` pixels.

    Parameters
    ----------
    rows : pictures, row by row; rows may differ in length.
    columns : headings above the columns; none leaves them out.
    names : headings of the rows, above each.
    """
    gap, line = 4, 18
    wide = max((len(row) for row in rows), default=1)
    top = line if columns else 0
    step = side + gap + (line if names else 0)
    canvas = Image.new("RGB", (wide * (side + gap) + gap, top + len(rows) * step + gap), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(12)
    for x, text in enumerate(columns):
        pen.text((gap + x * (side + gap), 2), text, fill="black", font=font)
    for y, row in enumerate(rows):
        above = top + y * step + gap
        if names:
            pen.text((gap, above), names[y], fill="black", font=font)
            above += line
        for x, picture in enumerate(row):
            canvas.paste(_fitted(picture, side), (gap + x * (side + gap), above))
    return canvas


def _fitted(picture: Rgb8, side: int) -> Image.Image:
    image = Image.fromarray(picture)
    return ImageOps.pad(image, (side, side), Image.Resampling.BICUBIC, color="white")


def save_figure(figure: "Figure", path: Path) -> None:
    """Save a figure as PNG, the same bytes for the same figure."""
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png", metadata={"Software": None})
