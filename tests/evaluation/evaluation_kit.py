"""Photographs of even fields, as the stage lab leaves them."""

from pathlib import Path

import numpy as np
import pandas as pd

from photochrom.data.shards import shard_name
from photochrom.files import write_json

SIDE = 16
COUNTS = {"train": 6, "validation": 2, "test": 70}
"""More test photographs than are measured at once."""


def stored_squares(count: int, seed: int) -> np.ndarray:
    """Return photographs of four even fields each, none of whose colors is out of the gamut."""
    rng = np.random.default_rng(seed)
    lightness = rng.integers(80, 200, (count, 1, 2, 2))
    ab = rng.integers(110, 146, (count, 2, 2, 2))
    fields = np.concatenate((lightness, ab), axis=1)
    return fields.repeat(SIDE // 2, axis=2).repeat(SIDE // 2, axis=3).astype(np.uint8)


def write_lab_set(folder: Path, test: np.ndarray | None = None) -> Path:
    """Write shards; ``test`` replaces the squares of the test split."""
    folder.mkdir(parents=True)
    rows = []
    for seed, (split, count) in enumerate(COUNTS.items()):
        squares = stored_squares(count, seed) if split != "test" or test is None else test
        np.save(folder / shard_name(split, 0), squares)
        rows += [
            {"id": f"{split}/{n}.png", "group": f"{split}{n // 2}", "label": "cat", "split": split}
            | {"shard": 0, "row": n}
            for n in range(len(squares))
        ]
    pd.DataFrame(rows).to_parquet(folder / "index.parquet", index=False)
    write_json(folder / "lab.json", {"size": SIDE, "fit": "resize", "sha256": "0", **COUNTS})
    return folder
