"""What the tests of the stage filter share: photographs to judge, and how they are judged."""

from pathlib import Path

import numpy as np
import pandas as pd
from made_photographs import encoded, picture
from PIL import Image

from photochrom.data.selection import select
from photochrom.params.data import FilterParams

GOOD = {f"good/{number:02d}.png": encoded(picture(number)) for number in range(20)}


def judge(raw: Path, params: FilterParams) -> pd.DataFrame:
    """Select beside ``raw`` and return the manifest that was written, by the photographs' ids."""
    out = raw.parent / "filtered.parquet"
    select(raw, out, params, raw.parent / "scratch")
    return pd.read_parquet(out).set_index("id", drop=False)


def faded(number: int) -> Image.Image:
    """Return a picture with hardly any color."""
    gray = np.asarray(picture(number).convert("L"), dtype=np.int16)
    return Image.fromarray(np.stack((gray + 8, gray, gray), 2).clip(0, 255).astype(np.uint8))
