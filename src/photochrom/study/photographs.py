"""Which photographs people see, out of the Lab shards.

A photograph stands there as one square or several tiles; people see the largest, which shows most
of the scene.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from photochrom.color.colorfulness import colorfulness
from photochrom.data.shards import LabSet
from photochrom.study.pictures import to_rgb

COLORFUL = 15.0
"""Least colorfulness at which wrong colors are obvious: slightly colorful (Hasler, Suesstrunk)."""
BATCH = 64


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph of a split: id and group as in the index, and its eight-bit Lab (3, S, S)."""

    id: str
    group: str
    stored: np.ndarray


def draw_photographs(lab: LabSet, wanted: int, seed: int) -> list[Photograph]:
    """Draw at most ``wanted`` photographs at random, of as many groups as there are."""
    return [photograph for batch in _shuffled(lab, seed, wanted) for photograph in batch]


def draw_colorful(folder: Path, wanted: int, seed: int) -> list[Photograph]:
    """Draw at most ``wanted`` photographs that no model is judged on, colorful ones first.

    Taken from validation, then from the training photographs, at random; where too few of either
    have a colorfulness of :data:`COLORFUL`, the most colorful of the others are added.

    Raises
    ------
    ShardError
        If the stage ``lab`` has not finished in ``folder``.
    """
    colorful: list[Photograph] = []
    pale: list[tuple[float, Photograph]] = []
    for split in ("validation", "train"):
        for batch in _shuffled(LabSet.open(folder, split), seed):
            rgb = np.stack([to_rgb(photograph.stored) for photograph in batch])
            found = colorfulness(torch.from_numpy(rgb).movedim(-1, 1)).tolist()
            for value, photograph in zip(found, batch, strict=True):
                if value >= COLORFUL:
                    colorful.append(photograph)
                else:
                    pale.append((value, photograph))
            if len(colorful) >= wanted:
                return colorful[:wanted]
    pale.sort(key=lambda entry: -entry[0])
    return (colorful + [photograph for _, photograph in pale])[:wanted]


def _shuffled(lab: LabSet, seed: int, most: int | None = None) -> Iterator[list[Photograph]]:
    """Yield the photographs of a split in random order, a batch at a time, new groups first."""
    rows = _largest(lab.index)
    rows = rows[np.random.default_rng(seed).permutation(len(rows))]
    turn = lab.index.loc[rows].groupby("group", sort=False).cumcount().to_numpy()
    rows = rows[np.argsort(turn, kind="stable")][:most]
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        names = lab.index.loc[batch, ["id", "group"]].itertuples(index=False)
        squares = zip(names, lab.take(batch), strict=True)
        yield [Photograph(str(name.id), str(name.group), square) for name, square in squares]


def _largest(index: pd.DataFrame) -> np.ndarray:
    """Return the row of the largest square of each photograph, in order of their ids."""
    area = (index["right"] - index["left"]) * (index["bottom"] - index["top"])
    ordered = index.assign(area=-area).sort_values(["id", "area"], kind="stable")
    rows: np.ndarray = ordered.groupby("id").head(1).index.to_numpy()
    return rows
