"""Reading photographs to be colored, from files, bytes, arrays and Pillow's images."""

from pathlib import Path

import numpy as np
from PIL import Image

from photochrom.pictures.modes import to_rgb
from photochrom.pictures.opening import open_photograph, upright
from photochrom.pictures.photograph import Photograph

MOST_MEGAPIXELS = 200.0
Source = Path | str | bytes | Image.Image | np.ndarray


def read_photograph(source: Source, max_megapixels: float = MOST_MEGAPIXELS) -> Photograph:
    """Read a photograph of any format, mode and depth.

    Parameters
    ----------
    source : a path, the bytes of a file, an image of Pillow, or an array: (H, W), (H, W, 1),
        (H, W, 3) or (H, W, 4) of uint8, uint16, bool, or floats in 0..1.
    max_megapixels : larger ones are refused before they are decoded.

    Raises
    ------
    BadPhotographError
        ``corrupt`` for what is empty, truncated or no picture; ``too large`` for a bomb.
    OSError
        When a file cannot be read.
    """
    if isinstance(source, np.ndarray):
        return Photograph(source)
    if isinstance(source, Image.Image):
        return Photograph(np.array(to_rgb(upright(source))), format=source.format)
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    return Photograph(np.array(open_photograph(data, max_megapixels)))
