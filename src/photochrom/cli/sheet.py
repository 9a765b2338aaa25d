"""A sheet that shows a photograph in gray and as several models color it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from photochrom.colorizer.colorizer import Colorizer
from photochrom.colorizer.options import Options
from photochrom.pictures.modes import to_rgb
from photochrom.pictures.photograph import Photograph

SIDE = 480
"""The longer side of each picture on the sheet, in pixels."""
ASPECT = 1.5
"""Width over height that the whole sheet comes as near to as it can."""
GAP, LINE, NARROWEST = 8, 26, 200
Labeled = tuple[str, Image.Image]


def comparison(
    photograph: Photograph, colorizers: Sequence[Colorizer], options: Sequence[Options]
) -> Photograph:
    """Draw a photograph in gray and as each model colors it, side by side, with their names.

    Parameters
    ----------
    photograph : of any size; what is drawn is at most 480 pixels on its longer side.
    colorizers : the models.
    options : for each model.
    """
    seen = max([SIDE, *(wanted.size or 0 for wanted in options)])
    reduced = _reduced(photograph, 2 * seen)
    gray = Options(saturation=0.0)
    pictures = [("gray", colorizers[0].color(reduced, gray))]
    pictures += [
        (colorizer.name, colorizer.color(reduced, wanted))
        for colorizer, wanted in zip(colorizers, options, strict=True)
    ]
    drawn = drawing([(name, _cell(picture)) for name, picture in pictures])
    return Photograph(np.asarray(drawn), format=photograph.format, notes=photograph.notes)


def drawing(pictures: Sequence[Labeled]) -> Image.Image:
    """Draw labeled pictures of one size in a grid, row by row."""
    width, height = pictures[0][1].size
    wide, high = max(width, NARROWEST) + GAP, height + LINE + GAP
    columns = _columns(len(pictures), wide, high)
    rows = -(-len(pictures) // columns)
    canvas = Image.new("RGB", (columns * wide + GAP, rows * high + GAP), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(16)
    for place, (label, picture) in enumerate(pictures):
        left, top = GAP + place % columns * wide, GAP + place // columns * high
        pen.text((left, top), _fitted(label, wide - GAP, font), fill="black", font=font)
        canvas.paste(picture, (left, top + LINE))
    return canvas


def _columns(count: int, wide: int, high: int) -> int:
    """Return how many columns bring the sheet nearest to its aspect."""

    def distance(columns: int) -> float:
        rows = -(-count // columns)
        return float(abs(np.log(columns * wide / (rows * high) / ASPECT)))

    return min(range(1, count + 1), key=distance)


def _reduced(photograph: Photograph, side: int) -> Photograph:
    image = to_rgb(photograph.image())
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return Photograph(np.asarray(image))


def _cell(picture: Photograph) -> Image.Image:
    image = picture.image()
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return image


def _fitted(label: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Cut a label off where it is too long for its picture."""
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(f"{label}…") > width:
        label = label[:-1]
    return f"{label}…"
