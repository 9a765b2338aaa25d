"""The sheet of samples: a row for each colorizer, a column for each photograph."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from photochrom.files import whole_file
from photochrom.pictures.drawing import sheet
from photochrom.pictures.modes import to_rgb
from photochrom.report.collect import Photograph

SHEET_SIDE = 128


def sample_sheet(photographs: Sequence[Photograph], titles: Sequence[str]) -> Image.Image:
    """Draw each colorizer's renderings in a row under its title, a photograph to a column."""
    columns = [list(_opened(photograph)) for photograph in photographs]
    return sheet(list(zip(*columns, strict=True)), names=titles, side=SHEET_SIDE)


def save_sheet(image: Image.Image, path: Path) -> None:
    """Write a sheet as a JPEG that keeps color at full resolution."""
    with whole_file(path) as temporary:
        image.save(temporary, "JPEG", quality=92, subsampling=0)


def _opened(photograph: Photograph) -> Iterator[np.ndarray]:
    for path in photograph.pictures.values():
        with Image.open(path) as image:
            yield np.asarray(to_rgb(image))
