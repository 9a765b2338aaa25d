"""How well each hue of the true photographs is met."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from photochrom.color.bins import lattice, lattice_rows
from photochrom.data.shards import LabSet
from photochrom.evaluation.metrics import Comparison
from photochrom.evaluation.recorder import Recorder
from photochrom.files import whole_file

GRAY = "gray"
GRAY_BELOW = 10.0
"""Chroma below which a color has no hue to speak of."""
HUES = {
    "pink": 338.0,
    "red": 18.0,
    "orange": 54.0,
    "yellow": 82.0,
    "green": 112.0,
    "cyan": 172.0,
    "blue": 218.0,
    "purple": 309.0,
}
"""The hue angle of ab in degrees at which each begins; it ends where the next one does. Chosen so
that the colors that CSS names after a hue fall into it: CIE Lab's blue lies next to its purple."""
NAMES = (GRAY, *HUES)


def hue_indices(ab: Tensor) -> Tensor:
    """Return the place in :data:`NAMES` of the hue of colors (n, 2) (int64 (n,))."""
    names, starts = zip(*sorted(HUES.items(), key=lambda item: item[1]), strict=True)
    angle = torch.atan2(ab[:, 1], ab[:, 0]).rad2deg() % 360.0
    # Below the first start it is the hue that begins last and runs through 0 degrees.
    sector = torch.bucketize(angle, torch.tensor(starts), right=True) - 1
    places = torch.tensor([NAMES.index(name) for name in names])[sector]
    return torch.where(ab.square().sum(1).sqrt() < GRAY_BELOW, 0, places)


class Hues(Recorder):
    """Sums scores and chroma over the pixels of each true hue, photograph by photograph."""

    def __init__(self, test: LabSet) -> None:
        self._index = test.index[["id", "group"]]
        self._sums: list[np.ndarray] = []

    def measure(self, pair: Comparison, rows: np.ndarray) -> dict[str, Tensor]:
        """Take in photographs; nothing is measured of each."""
        hues = _hue_table()[lattice_rows(pair.truth.cpu())]
        first = torch.arange(len(hues))[:, None, None] * len(NAMES)
        places = (hues + first).flatten()
        summed = (100.0 * pair.score, pair.predicted_chroma, pair.true_chroma)
        columns = [torch.ones(len(places)), *(part.cpu().flatten() for part in summed)]
        cells = len(hues) * len(NAMES)
        sums = [torch.bincount(places, part.double(), minlength=cells) for part in columns]
        self._sums.append(torch.stack(sums, dim=1).numpy())
        return {}

    def table(self) -> pd.DataFrame:
        """Return a row for each photograph and hue that has pixels.

        Columns: id, group, hue, pixels (their number), and the sums over these pixels of their
        share of AuC in percent (auc), of the output's chroma (chroma) and of the true chroma
        (true_chroma).
        """
        sums = np.concatenate(self._sums)
        keys = self._index.loc[self._index.index.repeat(len(NAMES))].reset_index(drop=True)
        keys["hue"] = np.tile(np.array(NAMES, dtype=object), len(self._index))
        numbers = pd.DataFrame(sums, columns=["pixels", "auc", "chroma", "true_chroma"])
        table = keys.join(numbers.astype({"pixels": np.int64}))
        return table[table["pixels"] > 0].reset_index(drop=True)

    def save(self, details: Path) -> None:
        """Write hues.parquet."""
        with whole_file(details / "hues.parquet") as path:
            self.table().to_parquet(path, index=False)


@cache
def _hue_table() -> Tensor:
    """Return the hue of every ab that eight bits can store, as a place in :data:`NAMES`."""
    return hue_indices(lattice())
