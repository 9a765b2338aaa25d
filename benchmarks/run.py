"""`make bench`: how near the pipeline comes to the floor of the same work done bare.

Every ratio is of two things measured in turn, A B A B .., in one process on this machine; the
median of the ratios is what counts. The table is printed and kept in benchmarks/results/.
"""

import datetime
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from photochrom import hardware
from photochrom.color.batch import Batch
from photochrom.color.bins import bins, gamut313, lattice_rows
from photochrom.color.lab import encode_lab, rgb_to_lab
from photochrom.data.selection import measure
from photochrom.files import write_json
from photochrom.objectives import Task, build_task
from photochrom.objectives.classification.cross_entropy import SoftCrossEntropy
from photochrom.params import Params, load_params
from photochrom.params.models import ClassificationParams, ModelParams
from photochrom.pictures.opening import open_photograph
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.engine import Trainer

ROUNDS = 15
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Ratio:
    """How long a thing takes, as a multiple of its floor."""

    name: str
    milliseconds: float
    floor_milliseconds: float
    ratio: float


class Resident:
    """Random squares that stand in for a split; what they show plays no part in the time."""

    def __init__(self, count: int, size: int) -> None:
        self._stored = torch.randint(256, (count, 3, size, size), dtype=torch.uint8)

    def __len__(self) -> int:
        return len(self._stored)

    def batches(self, orders: Iterator[torch.Tensor]) -> Iterator[torch.Tensor]:
        return (self._stored[rows] for rows in orders)


def compare(name: str, work: Callable[[], object], floor: Callable[[], object]) -> Ratio:
    """Time both in turn and return the medians."""
    work(), floor()
    pairs = [(timed(work), timed(floor)) for _ in range(ROUNDS)]
    ratio = statistics.median(a / b for a, b in pairs)
    a, b = (statistics.median(times) for times in zip(*pairs, strict=True))
    return Ratio(name, round(1000 * a, 3), round(1000 * b, 3), round(ratio, 3))


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


def training_step(name: str, params: Params) -> Ratio:
    """The engine's whole step against forward, backward and optimizer on a ready batch."""
    model, device = params.models[name], hardware.device()
    size, count = params.lab.size, 2 * model.batch_size
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            fresh_task(model, device),
            model,
            Resident(count, size),
            Resident(8, size),
            0,
            Checkpoints(Path(scratch), "bench"),
            device,
        )
    stored = torch.randint(256, (model.batch_size, 3, size, size), dtype=torch.uint8).to(device)
    step = bare_step(fresh_task(model, device), model, size, device)
    return compare(f"training step, {name}", lambda: trainer.step(stored), step)


def fresh_task(model: ModelParams, device: torch.device) -> Task:
    objective = model.objective
    weights = None
    if isinstance(objective, ClassificationParams):
        weights = torch.ones(len(bins(objective.bins)))
    task = build_task(model, weights)
    return task.to(device=device, memory_format=torch.channels_last)


def bare_step(
    task: Task, model: ModelParams, size: int, device: torch.device
) -> Callable[[], None]:
    precision = hardware.precision(device)
    lab = torch.randn(model.batch_size, 3, size, size, device=device)
    lab = lab.contiguous(memory_format=torch.channels_last)
    batch = Batch(lab[:, :1], 20 * lab[:, 1:])
    optimizers = {
        name: torch.optim.AdamW(player.module.parameters(), fused=device.type == "cuda")
        for name, player in task.players().items()
    }

    def step() -> None:
        turns = task.turns(batch)
        while True:
            with torch.autocast(device.type, precision, enabled=precision != torch.float32):
                turn = next(turns, None)
            if turn is None:
                return
            optimizers[turn.player].zero_grad()
            turn.loss.backward()
            optimizers[turn.player].step()

    return step


def classification_loss() -> Ratio:
    """The loss over 313 bins with its gradient, against log-softmax and gather; 1 is no gain."""
    criterion = SoftCrossEntropy(gamut313(), 5, 5.0, torch.rand(313))
    ab = 20 * torch.randn(16, 2, 64, 64)
    logits = torch.randn(16, 313, 64, 64, dtype=hardware.precision(torch.device("cpu")))
    logits = logits.contiguous(memory_format=torch.channels_last).requires_grad_()

    def plain() -> None:
        rows = lattice_rows(ab)
        scores = logits.float().log_softmax(1).gather(1, criterion.indices[rows].movedim(-1, 1))
        entropy = -(scores * criterion.shares[rows].movedim(-1, 1)).sum(1)
        (entropy * criterion.pixel_weights[rows]).mean().backward()

    return compare("classification loss", lambda: criterion(logits, ab).backward(), plain)


def data_stages(params: Params) -> Iterator[Ratio]:
    """Measuring and converting a 256 px JPEG against decoding it alone."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        coarse.resize((340, 256), Image.Resampling.BICUBIC).save(file.name, quality=90)
        data = Path(file.name).read_bytes()
    limit, side = params.filter.max_megapixels, 128

    def decode() -> None:
        np.asarray(open_photograph(data, limit, side).resize((side, side), reducing_gap=3.0))

    def convert() -> None:
        square = open_photograph(data, limit, side).resize((side, side), reducing_gap=3.0)
        rgb = torch.from_numpy(np.array(square)).movedim(-1, 0)[None].float() / 255
        encode_lab(rgb_to_lab(rgb))

    torch.set_num_threads(1)
    yield compare("filter, one photograph", lambda: measure(data, params.filter), decode)
    yield compare("lab, one photograph", convert, decode)


def main() -> None:
    """Measure, print and keep."""
    params = load_params(ROOT / "params.yaml")
    # The data stages are measured on one thread, which would be told as that of all.
    where = hardware.name(hardware.device())
    ratios = [training_step(name, params) for name in params.models]
    ratios.append(classification_loss())
    ratios += data_stages(params)
    table = Table("", "ms", "floor, ms", "times the floor", title="Photochrom against the floor")
    for ratio in ratios:
        table.add_row(ratio.name, *(str(value) for value in list(asdict(ratio).values())[1:]))
    Console().print(table)
    now = datetime.datetime.now(datetime.UTC)
    facts = {
        "date": now.isoformat(timespec="seconds"),
        "command": "make bench",
        "hardware": f"{where}, {platform.machine()}",
        "precision": str(hardware.precision(hardware.device())),
        "torch": torch.__version__,
        "commit": commit(),
        "ratios": [asdict(ratio) for ratio in ratios],
    }
    path = ROOT / "benchmarks/results" / f"{now:%Y%m%d-%H%M%S}.json"
    write_json(path, facts)
    print(f"Kept in {path.relative_to(ROOT)}.")


def commit() -> str:
    words = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
