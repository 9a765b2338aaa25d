"""How well each hue of the true photographs is met."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from photochrom.color.hues import NAMES, hues_of
from photochrom.data.shards import LabSet
from photochrom.evaluation.metrics import Comparison
from photochrom.evaluation.recorder import Recorder
from photochrom.files import whole_file


class Hues(Recorder):
    """Sums scores and chroma over the pixels of each true hue, photograph by photograph."""

    def __init__(self, test: LabSet) -> None:
        self._index = test.index[["id", "group"]]
        self._sums: list[np.ndarray] = []

    def measure(self, pair: Comparison, rows: np.ndarray) -> dict[str, Tensor]:
        """Take in photographs; nothing is measured of each."""
        hues = hues_of(pair.truth.cpu())
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
