"""(a) The data stages against decoding and resizing alone, and against a loop of scikit-image."""

from functools import partial
from pathlib import Path

import numpy as np
from pyarrow.compute import field
from pyarrow.parquet import read_table

from jpegs import write_jpegs
from measuring import Found, Setting, Work, threads
from photochrom.data.lab import write_lab
from photochrom.data.measuring import MEASURED_SIDE, measure
from photochrom.pictures.opening import open_photograph
from scratch_project import Project, of_folder, settings

FLOOR_GOAL, LOOP_GOAL = 1.6, 4.0


def rows(setting: Setting) -> Found:
    """Measure on one thread and one process, files in the cache of the system."""
    count, side = (12, 32) if setting.quick else (900, 128)
    counts = {"train": count - 2, "validation": 1, "test": 1}
    folder = setting.scratch / "jpegs"
    write_jpegs(folder, counts, setting.photographs)
    project = of_folder(setting.scratch / "data_stages", folder, side)
    paths = _kept(project, folder)
    limit = setting.params.filter.max_megapixels
    judge = partial(_judge, paths, project)
    store = partial(_store, project)
    look, shrink = partial(_look, paths, limit), partial(_shrink, paths, limit, side)
    with threads(1), settings(PHOTOCHROM_WORKERS="1"):
        yield setting.floor(
            f"filter, {len(paths)} photographs", judge, look, goal=FLOOR_GOAL, rounds=setting.few
        )
        yield setting.floor(
            f"lab, {len(paths)} photographs to {side} px", store, shrink,
            goal=FLOOR_GOAL, rounds=setting.few,
        )  # fmt: skip
        yield from _against_a_loop(setting, paths, side, lambda: (judge(), store()))


def _against_a_loop(setting: Setting, paths: list[Path], side: int, both: Work) -> Found:
    try:
        import skimage.io  # noqa: F401
    except ImportError:
        yield "The loop of scikit-image was left out: install scikit-image."
        return
    loop = partial(_loop, paths, side)
    name = f"filter and lab, {len(paths)} photographs, against a loop of scikit-image"
    yield setting.rival(name, both, loop, goal=LOOP_GOAL, rounds=setting.few)


def _kept(project: Project, folder: Path) -> list[Path]:
    """Return the photographs that the stage lab takes, so that all are timed with the same."""
    manifest = read_table(project.root / "data/filtered/manifest.parquet")
    kept = manifest.filter(field("status") == "kept")
    return [folder / name for name in kept["id"].to_pylist()]


def _judge(paths: list[Path], project: Project) -> None:
    for path in paths:
        measure(path.read_bytes(), project.params.filter)


def _store(project: Project) -> None:
    """Do what the stage lab does, from its manifest to the shards.

    Into the folder of the round before, whose shards the stage removes. In a new one each time
    unwritten files would pile up in memory, and virtual machines, whose hosts hand out memory late,
    would be what is timed.
    """
    data, scratch, out = (project.root / name for name in ("data", "unfinished", "squares"))
    manifest, limit = data / "filtered/manifest.parquet", project.params.filter.max_megapixels
    write_lab(manifest, data / "raw", out, scratch, project.params.lab, limit)


def _look(paths: list[Path], limit: float) -> None:
    for path in paths:
        np.asarray(open_photograph(path.read_bytes(), limit, MEASURED_SIDE))


def _shrink(paths: list[Path], limit: float, side: int) -> None:
    for path in paths:
        small = open_photograph(path.read_bytes(), limit, side)
        np.asarray(small.resize((side, side), reducing_gap=3.0))


def _loop(paths: list[Path], side: int) -> np.ndarray:
    """Judge and convert photographs one by one, as a short script would."""
    from skimage.color import rgb2lab
    from skimage.io import imread
    from skimage.transform import resize

    squares = []
    for path in paths:
        rgb = imread(path)
        if _colorfulness(rgb) >= 0:
            small = resize(rgb, (side, side), anti_aliasing=True)
            squares.append(rgb2lab(small).astype(np.float32))
    return np.stack(squares)


def _colorfulness(rgb: np.ndarray) -> float:
    """Return the colorfulness of Hasler and Suesstrunk (2003), in double precision."""
    red, green, blue = np.moveaxis(rgb.astype(np.float64), -1, 0)
    rg, yb = red - green, 0.5 * (red + green) - blue
    spread, mean = np.hypot(rg.std(), yb.std()), np.hypot(rg.mean(), yb.mean())
    return float(spread + 0.3 * mean)
