"""How time, memory and disk of filter, lab and prior grow with the number of photographs.

    python benchmarks/scale.py --photographs 50000 100000 200000
    python benchmarks/scale.py --rows 250000 1000000

Each number of photographs is made anew and goes through the stages' own scripts, each a process
of its own. --photographs makes JPEGs of 48 px, or of --side; --rows pictures of 9 x 8 px, of which
little is left but their rows in the manifests. Peaks of memory are read from /proc (Linux); the
libraries that all processes share count in each. What a photograph costs is the difference of two
runs: the start of the processes is in both.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from history import keep, stamped
from photochrom.data.raw import write_raw
from photochrom.data.sources.base import Photograph

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks/results/scale"
STAGES = {"filter": "data/filtered", "lab": "data/lab", "prior": "data/prior"}
SMALL, SMALLEST = 48, 8
GRAINS = 16
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Step:
    """What one stage took for so many photographs; memory in MiB, disk in bytes.

    ``largest_worker`` is the peak of the largest of the stage's other processes, 0 where it had
    none; ``written`` the size of what it left.
    """

    photographs: int
    stage: str
    seconds: float
    parent: float
    largest_worker: float
    written: int


@dataclass(frozen=True)
class Encoded:
    """The bytes of a made photograph."""

    data: bytes

    def read(self) -> bytes:
        """Return the encoded bytes."""
        return self.data


def jpegs(count: int, side: int) -> Iterator[bytes]:
    """Yield JPEGs of a shorter side, 4 to 3, of other colors each, with the grain of photographs.

    At 375 px they have some 110 kB, as the photographs of ImageNet.
    """
    rng = np.random.default_rng(0)
    shape = (4 * side // 3, side)
    grain = rng.normal(0, 12, (GRAINS, *shape[::-1], 1)).astype(np.int16)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize(shape, Image.Resampling.BICUBIC))
        pixels = (smooth + grain[number % GRAINS]).clip(0, 255).astype(np.uint8)
        yield encoded(Image.fromarray(pixels), "JPEG", quality=95)


def dots(count: int) -> Iterator[bytes]:
    """Yield PNGs of 9 x 8 px, each of other colors."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        pixels = rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)
        yield encoded(Image.fromarray(pixels), "PNG", compress_level=1)


def encoded(image: Image.Image, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photographs(made: Iterator[bytes]) -> Iterator[Photograph]:
    """Give each its name and group, ten to a group, in folders of ten thousand."""
    for number, data in enumerate(made):
        name = f"{number // 10_000:04d}/{number:08d}"
        yield Photograph(name, f"{number % 1000:04d}", f"scene {number // 10}", None, Encoded(data))


def measured(count: int, made: Iterator[bytes], size: int, place: Path) -> Iterator[Step]:
    """Take photographs into an empty folder and run the stages there, one after the other."""
    write_raw(photographs(made), place / "data/raw")
    write_params(place / "params.yaml", size)
    for stage, out in STAGES.items():
        command = [sys.executable, str(ROOT / "stages" / f"{stage}.py")]
        seconds, parent, worker = watched(command, place)
        yield Step(count, stage, round(seconds, 2), parent, worker, size_of(place / out))


def write_params(path: Path, size: int) -> None:
    """Write the project's parameters, but keep every photograph, as one small square."""
    yaml = YAML()
    params = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["filter"] |= {"min_colorfulness": 0, "min_side": 1, "near_duplicate_bits": 2}
    params["lab"] |= {"size": size, "fit": "resize"}
    params["models"] = {"resnet18_regression": params["models"]["resnet18_regression"]}
    with path.open("w", encoding="utf-8") as handle:
        yaml.dump(params, handle)


def watched(command: Sequence[str], place: Path) -> tuple[float, float, float]:
    """Run a command; return its seconds and the peaks (MiB) of it and of its largest child."""
    peaks: dict[int, int] = {}
    started = time.perf_counter()
    said = (place / "said.txt").open("w+", encoding="utf-8")
    process = subprocess.Popen(command, cwd=place, stderr=said)
    done = threading.Event()
    watcher = threading.Thread(target=watch, args=(process.pid, peaks, done))
    watcher.start()
    status = process.wait()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    with said:
        if status:
            said.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{said.read()}")
    parent = peaks.pop(process.pid, 0)
    return seconds, round(parent / 1024, 1), round(max(peaks.values(), default=0) / 1024, 1)


def watch(root: int, peaks: dict[int, int], done: threading.Event) -> None:
    """Note the peak (KiB) of a process and of all that it started, until it is done."""
    while not done.wait(SAMPLE_SECONDS):
        family = {root}
        for process, parent in sorted(parents().items()):
            if parent in family:
                family.add(process)
        for process in family:
            peaks[process] = max(peaks.get(process, 0), peak(process))


def parents() -> dict[int, int]:
    """Return the parent of every process."""
    found = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - a Path for each of many is slow
        if entry.isdigit():
            try:
                status = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8")
            except OSError:  # It has ended.
                continue
            found[int(entry)] = int(status.rpartition(")")[2].split()[1])
    return found


def peak(process: int) -> int:
    """Return the most memory (KiB) a process has held; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def show(steps: Sequence[Step]) -> None:
    headings = ("photographs", "stage", "s", "ms each", "MiB", "MiB, largest worker", "bytes each")
    table = Table(*headings, title="filter, lab and prior by the number of photographs")
    for step in steps:
        each = f"{1000 * step.seconds / step.photographs:.3f}"
        memory = f"{step.parent:.0f}", f"{step.largest_worker:.0f}"
        written = f"{step.written / step.photographs:.0f}"
        table.add_row(
            f"{step.photographs:,}", step.stage, f"{step.seconds:.1f}", each, *memory, written
        )
    Console().print(table)


def main() -> None:
    """Measure, print, and keep where asked to."""
    reader = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    reader.add_argument("--photographs", type=int, nargs="*", default=[], metavar="N")
    reader.add_argument("--rows", type=int, nargs="*", default=[], metavar="N")
    reader.add_argument("--side", type=int, default=SMALL, help="of the JPEGs, %(default)s px")
    reader.add_argument("--size", type=int, default=SMALL, help="lab.size, %(default)s px")
    reader.add_argument("--keep", action="store_true", help="write to benchmarks/results/scale/")
    asked = reader.parse_args()
    if not asked.photographs and not asked.rows:
        reader.error("say how many: --photographs 50000 100000, or --rows 1000000")
    wanted = [(count, jpegs(count, asked.side), asked.size) for count in asked.photographs]
    wanted += [(count, dots(count), SMALLEST) for count in asked.rows]
    steps: list[Step] = []
    for count, made, size in wanted:
        with tempfile.TemporaryDirectory() as place:
            steps += measured(count, made, size, Path(place))
    show(steps)
    if asked.keep:
        command = " ".join(["python", "benchmarks/scale.py", *sys.argv[1:]])
        run = {**stamped(command), "steps": [asdict(step) for step in steps]}
        print(f"Kept in {keep(run, RESULTS).relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
