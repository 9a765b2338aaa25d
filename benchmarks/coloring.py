"""`python benchmarks/coloring.py [MODEL]`: seconds and memory of coloring, by the size of a scan.

Each size is a gray JPEG that a process of its own reads, colors and writes again, so that the
greatest memory is that of the size alone; it includes the libraries.
"""

import io
import multiprocessing
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from measuring import peak

SHAPES = {1: (1224, 816), 12: (4000, 3000), 40: (7746, 5164), 100: (12247, 8165)}
"""Width and height, by megapixels."""
FORM = "JPEG"


@dataclass(frozen=True)
class Cost:
    """What it takes to color one scan.

    Attributes
    ----------
    seconds, cpu_seconds : by the step of the work.
    mebibytes : the greatest memory of the process; before the scan, and with it.
    """

    seconds: dict[str, float]
    cpu_seconds: dict[str, float]
    mebibytes: tuple[float, float]


class Stopwatch:
    """Times steps that follow one another."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}
        self._last = (time.perf_counter(), time.process_time())

    def lap(self, step: str) -> None:
        now = (time.perf_counter(), time.process_time())
        self.seconds[step] = now[0] - self._last[0]
        self.cpu_seconds[step] = now[1] - self._last[1]
        self._last = now


def write_scan(path: Path, size: tuple[int, int]) -> None:
    """Write a gray JPEG with shapes of all sizes and some grain."""
    rng = np.random.default_rng(0)
    scan = np.zeros(size[::-1], dtype=np.int16)
    for cells in (4, 16, 64):
        shapes = Image.fromarray(rng.integers(0, 75, (cells, cells), dtype=np.uint8))
        scan += np.asarray(shapes.resize(size, Image.Resampling.BILINEAR))
    for rows in np.array_split(scan, 64):
        rows += rng.integers(-6, 7, rows.shape, dtype=np.int16)
    Image.fromarray(scan.clip(0, 255).astype(np.uint8)).save(path, quality=92)


def color(model: str | None, path: Path) -> Cost:
    """Read, color and write a scan in this process."""
    from photochrom.colorizer.catalog import load
    from photochrom.colorizer.composition import compose
    from photochrom.colorizer.view import lightness
    from photochrom.pictures.reading import read_photograph
    from photochrom.pictures.writing import encoded

    colorizer = load(model)
    predictor = colorizer.predictor
    # The first picture is slower than all others: libraries set themselves up.
    warm = io.BytesIO()
    Image.new("L", (64, 64)).save(warm, FORM)
    colorizer(warm.getvalue())
    before, watch = peak(), Stopwatch()
    photograph = read_photograph(path)
    watch.lap("read")
    seen = predictor.scaled(lightness(photograph, predictor.size))
    [ab] = predictor.ab(predictor.raw(seen), seen.shape[-2:])
    watch.lap("predict")
    colored = photograph.with_pixels(compose(photograph.pixels, ab))
    watch.lap("compose")
    encoded(colored, FORM)
    watch.lap("write")
    return Cost(watch.seconds, watch.cpu_seconds, (before, peak()))


def measured(model: str | None, megapixels: int, folder: Path) -> Cost:
    """Color a scan of a size in a process of its own."""
    path = folder / f"{megapixels}.jpg"
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as processes:
        processes.apply(write_scan, (path, SHAPES[megapixels]))
    with context.Pool(1) as processes:
        return processes.apply(color, (model, path))


def table(costs: dict[int, Cost]) -> Table:
    first = next(iter(costs.values()))
    shown = Table(title="Seconds (of the processor) and peak memory by megapixels")
    for name in ("MP", *first.seconds, "all", "MiB", "before"):
        shown.add_column(name, justify="right")
    for megapixels, cost in costs.items():
        times = [(cost.seconds[step], cost.cpu_seconds[step]) for step in cost.seconds]
        total = tuple(map(sum, zip(*times, strict=True)))
        cells = [f"{wall:.2f} ({cpu:.2f})" for wall, cpu in [*times, total]]
        before, most = cost.mebibytes
        shown.add_row(str(megapixels), *cells, f"{most:.0f}", f"{before:.0f}")
    return shown


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as folder:
        costs = {size: measured(model, size, Path(folder)) for size in SHAPES}
    Console().print(table(costs))


if __name__ == "__main__":
    main()
