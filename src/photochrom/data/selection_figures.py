"""Pictures of the selection: colorfulness of kept and rejected, and why."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from photochrom.data.raw import RawReader
from photochrom.data.selection import REASONS
from photochrom.data.sources.base import UnreadableError
from photochrom.files import whole_file
from photochrom.params.data import FilterParams
from photochrom.pictures.drawing import save_figure, sheet
from photochrom.pictures.opening import BadPhotographError, open_photograph

SHOWN = 12
SHEET_SIDE = 112


def draw_histogram(table: pd.DataFrame, params: FilterParams, path: Path) -> None:
    """Draw the colorfulness of kept and rejected photographs and the threshold."""
    figure = Figure((7.0, 3.2), layout="constrained")
    axes = figure.subplots()
    known = table[table["colorfulness"].notna()]
    edges = np.linspace(min(0.0, known["colorfulness"].min()), known["colorfulness"].max() + 1, 50)
    for status, color in (("kept", "#2a9d8f"), ("rejected", "#b0b0b0")):
        values = known.loc[known["status"] == status, "colorfulness"]
        axes.hist(values, list(edges), color=color, label=f"{status} ({len(values)})", alpha=0.85)
    if params.min_colorfulness is not None:
        axes.axvline(params.min_colorfulness, color="#e76f51", label="min_colorfulness")
    axes.set_xlabel("Colorfulness (Hasler and Süsstrunk)")
    axes.set_ylabel("Photographs")
    axes.legend(frameon=False)
    save_figure(figure, path)


def draw_selection(table: pd.DataFrame, raw: Path, params: FilterParams, path: Path) -> None:
    """Draw a sheet of kept photographs, and below it a row for each reason to reject."""
    rows = {"kept": table[table["status"] == "kept"]}
    rows |= {reason: table[table["reason"] == reason] for reason in REASONS}
    reader = RawReader(raw)
    drawn = {name: list(_thumbnails(reader, part, params)) for name, part in rows.items()}
    shown = {name: pictures for name, pictures in drawn.items() if pictures}
    names = [f"{name} ({len(rows[name])})" for name in shown]
    with whole_file(path) as temporary:
        sheet(list(shown.values()), names=names, side=SHEET_SIDE).save(
            temporary, "JPEG", quality=85
        )


def _thumbnails(
    reader: RawReader, part: pd.DataFrame, params: FilterParams
) -> Iterator[np.ndarray]:
    places = np.linspace(0, len(part) - 1, min(SHOWN, len(part))).round().astype(int)
    for row in part.iloc[places].itertuples(index=False):
        try:
            image = open_photograph(
                reader.read(row.shard, row.path), params.max_megapixels, SHEET_SIDE
            )
        except (BadPhotographError, UnreadableError):
            continue
        image.thumbnail((SHEET_SIDE, SHEET_SIDE))
        yield np.asarray(image)
