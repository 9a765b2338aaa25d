"""The photographs on which a model fares worst and best, drawn beside gray and truth."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from photochrom.color.lab import decode_lab, lab_to_rgb8
from photochrom.data.shards import LabSet
from photochrom.evaluation.indicators import pairs_of
from photochrom.files import whole_file, write_json
from photochrom.measures import MEASURES, Measure
from photochrom.pictures.drawing import Rgb8, sheet
from photochrom.uncertainty import WEIGHTS

End = Literal["worst", "best"]
RANKED = ("auc", "ciede2000", "palette_overlap", "feature_distance")
"""The measures, besides those of the group failures, whose ends are drawn."""
ENOUGH = 0.01
"""Least share of a photograph's pixels, or pairs of pixels, that could have failed."""
LARGEST_TILE = 128
QUALITY = 88
DIGITS = 6


@dataclass(frozen=True)
class Extreme:
    """One end of a measure.

    Attributes
    ----------
    measure : its key.
    end : the worst or the best.
    rows : positions in the test split, the most extreme first.
    """

    measure: str
    end: End
    rows: tuple[int, ...]

    @property
    def sheet(self) -> str:
        """The path of the sheet within the details."""
        return f"failures/{self.measure}-{self.end}.jpg"


def extremes(table: pd.DataFrame, count: int, side: int) -> list[Extreme]:
    """Choose the photographs on which a model fares worst and best.

    For an indicator that is a share, only photographs in which at least 1 % of the pixels (or of
    the pairs of pixels) could have failed are ranked: a single lost pixel tells nothing.

    Parameters
    ----------
    table : per_image.parquet.
    count : photographs at each end; fewer where there are fewer to rank.
    side : of the photographs in pixels.

    Returns
    -------
    Both ends of every measure that ranks the photographs, in the order of the measures.
    """
    found = []
    for measure in _ranked(table.columns):
        eligible = table[_can_tell(table, measure.key, side)]
        values = eligible[measure.key]
        # Where all are alike, as with stray colors of a model that has none, none is worst.
        for end in ("worst", "best") if values.min() < values.max() else ():
            falling = (measure.better == "higher") == (end == "best")
            found.append(Extreme(measure.key, end, _chosen(eligible, measure.key, falling, count)))
    return found


def draw_failures(
    predict: Callable[[Tensor], Tensor], test: LabSet, table: pd.DataFrame, count: int, out: Path
) -> None:
    """Write failures.json and its sheets into ``out``/details.

    Parameters
    ----------
    predict : gives ab (n, 2, S, S) for L (n, 1, S, S) in 0..100.
    table : per_image.parquet of the model.
    count : photographs on each sheet.
    out : the folder of the model's results, named as the model.
    """
    found, details = extremes(table, count, test.size), out / "details"
    for extreme in found:
        _draw(extreme, predict, test, details / extreme.sheet, out.name)
    write_json(details / "failures.json", [_described(extreme, table) for extreme in found])


def _ranked(columns: Iterable[str]) -> list[Measure]:
    present = set(columns)
    return [
        measure
        for measure in MEASURES
        if measure.key in present and (measure.group == "failures" or measure.key in RANKED)
    ]


def _can_tell(table: pd.DataFrame, key: str, side: int) -> pd.Series:
    if key not in WEIGHTS:
        return pd.Series(True, table.index)
    possible = pairs_of(side, side) if key == "bleeding" else side * side
    return table[WEIGHTS[key]] >= ENOUGH * possible


def _chosen(table: pd.DataFrame, key: str, falling: bool, count: int) -> tuple[int, ...]:
    """Return the first rows in the order of a measure, ties by row, of different groups first."""
    order = table.sort_values(key, ascending=not falling, kind="stable")
    again = order.duplicated("group")
    first = order[~again].head(count)
    chosen = pd.concat((first, order[again].head(count - len(first))))
    # Where groups run out, the others take their place by their value.
    places = order.index.get_indexer(chosen.index)
    return tuple(int(row) for row in order.index[np.sort(places)])


def _described(extreme: Extreme, table: pd.DataFrame) -> dict[str, Any]:
    rows = table.loc[list(extreme.rows)]
    photographs = [
        {
            "id": id_,
            "group": group,
            "label": None if pd.isna(label) else str(label),
            "row": row,
            "value": round(value, DIGITS),
        }
        for id_, group, label, row, value in zip(
            rows["id"],
            rows["group"],
            rows["label"],
            extreme.rows,
            rows[extreme.measure],
            strict=True,
        )
    ]
    about = {"measure": extreme.measure, "end": extreme.end, "sheet": extreme.sheet}
    return {**about, "photographs": photographs}


def _draw(
    extreme: Extreme,
    predict: Callable[[Tensor], Tensor],
    test: LabSet,
    path: Path,
    name: str,
) -> None:
    lab = decode_lab(torch.from_numpy(test.take(np.array(extreme.rows))))
    lightness, truth = lab[:, :1], lab[:, 1:]
    colors = (torch.zeros_like(truth), predict(lightness), truth)
    rows = [_pictures(torch.cat((lightness, ab), dim=1)) for ab in colors]
    drawn = sheet(rows, names=("gray", name, "truth"), side=min(test.size, LARGEST_TILE))
    with whole_file(path) as temporary:
        drawn.save(temporary, "JPEG", quality=QUALITY, subsampling=0)


def _pictures(lab: Tensor) -> list[Rgb8]:
    return list(lab_to_rgb8(lab).movedim(1, -1).numpy())
