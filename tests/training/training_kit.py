"""A tiny set of photographs, tiny models, and trainings of them that can be disturbed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from photochrom.color.batch import Batch
from photochrom.color.decoding import AB_SCALE
from photochrom.data.loader import Squares
from photochrom.data.shards import LabSet, shard_name
from photochrom.files import write_json
from photochrom.networks import ColorNetwork
from photochrom.objectives import Player, Task, Turn, build_task
from photochrom.params.models import DirectParams, ModelParams, OptimizerParams
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.distributed import ALONE, Group
from photochrom.training.engine import Trainer
from photochrom.training.history import Row

CPU = torch.device("cpu")
SIDE = 16
COUNTS = {"train": 18, "validation": 7, "test": 5}
"""With batches of 4, an epoch has 4 steps and leaves 2 photographs out."""

ADAM = {
    "kind": "adam",
    "lr": 2e-3,
    "betas": [0.5, 0.999],
    "weight_decay": 0.0,
    "schedule": "cosine",
    "warmup": 0.1,
    "clip": 1.0,
}
REGRESSION: dict[str, Any] = {
    "study": "test",
    "network": {
        "kind": "resnet",
        "depth": 18,
        "pretrained": False,
        "decoder": "deconvolution",
        "norm": True,
    },
    "objective": {"kind": "regression", "loss": "l2"},
    "decoding": {"kind": "direct"},
    "optimizer": {**ADAM, "kind": "adamw", "weight_decay": 0.01},
    "epochs": 3,
    "batch_size": 4,
    "image": {"size": None, "crop": None, "scale": None, "flip": True},
    "ema": 0.9,
    "keep": "best",
}
GAN: dict[str, Any] = {
    **REGRESSION,
    "network": {
        "kind": "unet",
        "levels": 3,
        "width": 4,
        "dropout": 0.5,
        "output": "tanh",
        "init": "normal",
    },
    "objective": {
        "kind": "adversarial",
        "loss": "bce",
        "pixel_loss": "l1",
        "pixel_weight": 100.0,
        "pretraining_epochs": 0,
        "discriminator": {"kind": "patchgan", "width": 4, "layers": 1, "init": "normal"},
        "discriminator_optimizer": {**ADAM, "warmup": 0.0, "clip": None},
    },
    "optimizer": {**ADAM, "clip": None},
    "ema": None,
    "keep": "last",
}
PRETRAINED: dict[str, Any] = {
    **GAN,
    "objective": {**GAN["objective"], "loss": "lsgan", "pretraining_epochs": 1},
    "ema": 0.9,
    "keep": "best_l1",
}
"""Of its three epochs, of four steps each, the first trains the generator alone."""
MODELS = {"regression": REGRESSION, "gan": GAN, "pretrained": PRETRAINED}

SGD = {**ADAM, "kind": "sgd", "lr": 0.5, "betas": [0.0, 0.0], "schedule": "constant"}
PLAIN = {
    **REGRESSION,
    "optimizer": {**SGD, "warmup": 0.0, "clip": None},
    "image": {"size": None, "crop": None, "scale": None, "flip": False},
    "ema": None,
}


NARROW = {"vgg": 0.05, "efficientnet": 0.25, "decoder": 8}


def narrow(section: dict[str, Any]) -> dict[str, Any]:
    """Make every network of an entry narrow, and the training short."""
    narrowed = {key: narrow(v) if isinstance(v, dict) else v for key, v in section.items()}
    if "width" in narrowed:
        # A decoder has no kind.
        narrowed["width"] = NARROW.get(narrowed.get("kind", "decoder"), 4)
    if "pretraining_epochs" in narrowed:
        narrowed["pretraining_epochs"] = min(1, narrowed["pretraining_epochs"])
    return narrowed


def model_of(values: dict[str, Any], **changes: Any) -> ModelParams:
    return ModelParams.model_validate({**values, **changes})


def write_lab_set(folder: Path, side: int = SIDE, counts: dict[str, int] | None = None) -> Path:
    """Write shards of pictures whose colors follow from their lightness."""
    folder.mkdir(parents=True)
    rng, rows = np.random.default_rng(0), []
    for split, count in (counts or COUNTS).items():
        quarters = rng.integers(20, 235, (count, 1, 2, 2))
        lightness = quarters.repeat(side // 2, axis=2).repeat(side // 2, axis=3)
        ab = np.concatenate((60 + lightness // 2, 200 - lightness // 2), axis=1)
        squares = np.concatenate((lightness, ab), axis=1).astype(np.uint8)
        np.save(folder / shard_name(split, 0), squares)
        rows += [
            {"id": f"{split}/{n}.png", "group": f"{split}{n // 2}", "label": None, "split": split}
            | {"shard": 0, "row": n}
            for n in range(count)
        ]
    pd.DataFrame(rows).to_parquet(folder / "index.parquet", index=False)
    about = {"size": side, "fit": "resize", "sha256": "0" * 64, **(counts or COUNTS)}
    write_json(folder / "lab.json", about)
    return folder


class Disturbed(Squares):
    """Squares that do something just before they hand out a certain batch."""

    def __init__(self, photographs: LabSet, at: int, action: Callable[[], object]) -> None:
        super().__init__(photographs, CPU)
        self._left, self._action = at, action

    def batches(self, orders: Iterator[Tensor]) -> Iterator[Tensor]:
        for batch in super().batches(orders):
            if self._left == 0:
                self._action()
            self._left -= 1
            yield batch


class Watcher:
    """An observer that remembers the rows, and does something after a certain epoch."""

    def __init__(self, after: int = 0, action: Callable[[], object] = lambda: None) -> None:
        self.rows: list[Row] = []
        self.networks: list[nn.Module] = []
        self._after, self._action = after, action

    def epoch(self, row: Row, network: nn.Module) -> None:
        self.rows.append(dict(row))
        self.networks.append(network)
        if len(self.rows) == self._after:
            self._action()


def trainer_of(
    model: ModelParams,
    lab: Path,
    scratch: Path,
    *,
    seed: int = 0,
    task: Task | None = None,
    train: Squares | None = None,
    fingerprint: str = "same",
    group: Group = ALONE,
) -> Trainer:
    torch.manual_seed(seed)
    checkpoints = Checkpoints(scratch, fingerprint)
    if group.first:
        checkpoints.prepare()
    if task is None:
        task = build_task(model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Trainer(
        task,
        model,
        train or Squares(LabSet.open(lab, "train"), CPU),
        Squares(LabSet.open(lab, "validation"), CPU),
        seed,
        checkpoints,
        CPU,
        group,
    )


def without_seconds(history: list[Row]) -> list[Row]:
    return [{name: v for name, v in row.items() if name != "seconds"} for row in history]


def assert_equal_states(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


class Shift(ColorNetwork):
    """Answers one color, whatever it sees."""

    stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.color = nn.Parameter(torch.zeros(2))

    def forward(self, lightness: Tensor) -> Tensor:
        count, _, height, width = lightness.shape
        return self.color[None, :, None, None].expand(count, 2, height, width)


class ShiftTask(Task):
    """Moves one color towards the mean of the truth; what validation says can be prescribed.

    The first ``unkept`` epochs are not to be kept.
    """

    def __init__(
        self,
        optimizer: OptimizerParams,
        validation: list[float] | None = None,
        l1: list[float] | None = None,
        unkept: int = 0,
    ) -> None:
        super().__init__()
        self.network = Shift()
        self.bins, self.decoding = None, DirectParams(kind="direct")
        self._optimizer, self._unkept = optimizer, unkept
        self._prescribed, self._l1 = iter(validation or []), iter(l1 or [])
        self.starts: list[int] = []
        self.seen: list[Tensor] = []
        self.colors: list[Tensor] = []
        self.draws: list[float] = []

    def players(self) -> dict[str, Player]:
        return {"network": Player(self.network, self._optimizer)}

    def start_epoch(self, epoch: int) -> None:
        self.starts.append(epoch)
        self.keepable = epoch >= self._unkept

    def turns(self, batch: Batch) -> Iterator[Turn]:
        self.seen.append(batch.lightness.clone())
        self.colors.append(self.network.color.detach().clone())
        self.draws.append(torch.rand(1).item())
        loss = (self.network(batch.lightness) - batch.ab / AB_SCALE).square().mean()
        yield Turn("network", loss, {"loss": loss.detach(), "size": torch.tensor(len(batch))})

    def validate(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        difference = network(batch.lightness) - batch.ab / AB_SCALE
        loss, l1 = next(self._prescribed, None), next(self._l1, None)
        return {
            "loss": difference.square().mean() if loss is None else torch.tensor(loss),
            "l1": difference.abs().mean() if l1 is None else torch.tensor(l1),
        }


def shifting(
    lab: Path,
    scratch: Path,
    validation: list[float] | None = None,
    l1: list[float] | None = None,
    unkept: int = 0,
    train: Squares | None = None,
    **changes: Any,
) -> tuple[Trainer, ShiftTask]:
    model = model_of(PLAIN, **changes)
    task = ShiftTask(model.optimizer, validation, l1, unkept)
    return trainer_of(model, lab, scratch, task=task, train=train), task
