"""Pictures of the selection: colorfulness of kept and rejected, and why."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from matplotlib.figure import Figure
from numpy.typing import NDArray

from photochrom.data.raw import RawReader
from photochrom.data.selection import REASONS, read_columns, read_rows
from photochrom.data.sources.base import UnreadableError
from photochrom.files import whole_file
from photochrom.params.data import FilterParams
from photochrom.pictures.drawing import save_figure, sheet
from photochrom.pictures.opening import BadPhotographError, open_photograph

SHOWN = 12
SHEET_SIDE = 112


def draw_histogram(manifest: Path, params: FilterParams, path: Path) -> None:
    """Draw the colorfulness of kept and rejected photographs and the threshold."""
    figure = Figure((7.0, 3.2), layout="constrained")
    axes = figure.subplots()
    table = read_columns(manifest, ("colorfulness", "reason"))
    values, kept = table["colorfulness"].to_numpy(), pc.equal(table["reason"], "").to_numpy()
    known = ~np.isnan(values)
    edges = np.linspace(min(0.0, values[known].min()), values[known].max() + 1, 50)
    shown = (("kept", kept & known, "#2a9d8f"), ("rejected", ~kept & known, "#b0b0b0"))
    for name, which, color in shown:
        label = f"{name} ({np.count_nonzero(which)})"
        axes.hist(values[which], list(edges), color=color, label=label, alpha=0.85)
    if params.min_colorfulness is not None:
        axes.axvline(params.min_colorfulness, color="#e76f51", label="min_colorfulness")
    axes.set_xlabel("Colorfulness (Hasler and Süsstrunk)")
    axes.set_ylabel("Photographs")
    axes.legend(frameon=False)
    save_figure(figure, path)


def draw_selection(manifest: Path, raw: Path, params: FilterParams, path: Path) -> None:
    """Draw a sheet of kept photographs, and below it a row for each reason to reject."""
    reasons = read_columns(manifest, ("reason",))["reason"]
    rows = {"kept": np.flatnonzero(pc.equal(reasons, "").to_numpy())}
    rows |= {name: np.flatnonzero(pc.equal(reasons, name).to_numpy()) for name in REASONS}
    drawn = _thumbnails({name: _spread(part) for name, part in rows.items()}, manifest, raw, params)
    shown = {f"{name} ({len(rows[name])})": pictures for name, pictures in drawn.items()}
    with whole_file(path) as temporary:
        sheet(list(shown.values()), names=list(shown), side=SHEET_SIDE).save(
            temporary, "JPEG", quality=85
        )


def _spread(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose a few rows from the first to the last."""
    places = np.linspace(0, len(rows) - 1, min(SHOWN, len(rows)))
    chosen: NDArray[np.int64] = rows[places.round().astype(int)]
    return chosen


def _thumbnails(
    rows: Mapping[str, NDArray[np.int64]], manifest: Path, raw: Path, params: FilterParams
) -> dict[str, list[NDArray[np.uint8]]]:
    """Return the pictures of the rows of each name that has any which can be opened."""
    # All in the order in which they lie in the shards, so that each shard is opened once.
    wanted = np.unique(np.concatenate(list(rows.values())))
    places = read_rows(manifest, wanted, ("shard", "path")).to_pylist()
    opened = dict(zip(wanted.tolist(), _open(places, raw, params), strict=True))
    found = {name: [opened[row] for row in part.tolist()] for name, part in rows.items()}
    present = {n: [one for one in part if one is not None] for n, part in found.items()}
    return {name: pictures for name, pictures in present.items() if pictures}


def _open(
    places: list[dict[str, str]], raw: Path, params: FilterParams
) -> Iterator[NDArray[np.uint8] | None]:
    reader = RawReader(raw)
    for place in places:
        try:
            data = reader.read(place["shard"], place["path"])
            image = open_photograph(data, params.max_megapixels, SHEET_SIDE)
        except (BadPhotographError, UnreadableError):
            yield None
            continue
        image.thumbnail((SHEET_SIDE, SHEET_SIDE))
        yield np.asarray(image)
