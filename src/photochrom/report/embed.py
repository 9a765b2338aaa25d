"""Pictures inside the page, as data: addresses, within a budget of bytes."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from photochrom.pictures import to_rgb

BUDGET = 7_000_000
"""Most bytes of all tiles together; base64 makes a third more of them."""
LARGEST_FIGURE = 1_000_000
FIGURE_SIDE = 1600


def tiles(paths: Sequence[Path]) -> dict[Path, str]:
    """Return a data: address for each picture, as good as the budget allows.

    The files as they are if they fit; else JPEGs, as large as fits.
    """
    encoded = {path: path.read_bytes() for path in paths}
    for side in (512, 384, 256, 192, 128, 96, 64):
        if sum(map(len, encoded.values())) <= BUDGET:
            break
        encoded = {path: _jpeg(path, side) for path in paths}
    return {path: _address(data) for path, data in encoded.items()}


def figure(path: Path) -> str:
    """Return a data: address for a picture, made smaller where it is very large."""
    data = path.read_bytes()
    return _address(data if len(data) <= LARGEST_FIGURE else _jpeg(path, FIGURE_SIDE))


def _jpeg(path: Path, side: int) -> bytes:
    buffer = io.BytesIO()
    with Image.open(path) as image:
        picture = to_rgb(image)
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        picture.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


def _address(data: bytes) -> str:
    kind = "jpeg" if data.startswith(b"\xff\xd8") else "png"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
