"""Stage ``train@``: one entry of ``models`` becomes a trained colorizer."""

import datetime
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from photochrom import hardware
from photochrom.color.lab import decode_lab, lab_to_rgb8
from photochrom.colorizer import FORMAT, Colorizer
from photochrom.data.loader import Squares
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet, describe
from photochrom.files import read_json, whole_file, write_json
from photochrom.networks.base import count_parameters
from photochrom.objectives import Task, build_task
from photochrom.params import Params
from photochrom.params.models import ModelParams
from photochrom.pictures import sheet
from photochrom.progress import say
from photochrom.training.checkpoint import Checkpoints, fingerprint
from photochrom.training.engine import Observer, Row, Trainer, TrainingError

SCRATCH = Path(".checkpoints")


@dataclass(frozen=True)
class Places:
    """Where a training reads and writes."""

    lab: Path
    prior: Path
    scratch: Path
    out: Path

    @classmethod
    def of(cls, name: str, root: Path) -> "Places":
        """Return the pipeline's own places for a model."""
        return cls(
            root / "data/lab", root / "data/prior", root / SCRATCH / name, root / "models" / name
        )


def train_model(name: str, params: Params, places: Places, observers: list[Observer]) -> None:
    """Train a model, or continue where its last training stopped, and write it.

    Writes weights.safetensors, config.json, history.csv, run.json and samples/ to ``places.out``.

    Raises
    ------
    TrainingError
        If there is no such model, the loss is no longer finite, or a signal asks to stop.
    """
    model = model_params(params, name)
    device = hardware.device()
    squares = {s: LabSet.open(places.lab, s) for s in ("train", "validation")}
    checkpoints = Checkpoints(places.scratch, _fingerprint(params, model, places))
    checkpoints.prepare()
    torch.manual_seed(params.train.seed)
    task = build_task(model, _weights(model, places.prior))
    task = task.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    trainer = Trainer(
        task,
        model,
        Squares(squares["train"], device),
        Squares(squares["validation"], device),
        params.train.seed,
        checkpoints,
        device,
    )
    previews = Previews(task, squares["validation"], model, params.train.preview, places.scratch)
    kept = trainer.run(_Observers([Log(name, model), previews, *observers]))
    _write(name, model, params, trainer, kept, places)
    checkpoints.clear()


def model_params(params: Params, name: str) -> ModelParams:
    """Return a model's entry.

    Raises
    ------
    TrainingError
        If params.yaml has none of that name.
    """
    if name not in params.models:
        known = ", ".join(params.models)
        raise TrainingError(f"params.yaml has no model {name}; it has {known}.")
    return params.models[name]


def identity(scratch: Path) -> dict[str, str]:
    """Return the training's key and start; they survive an interruption."""
    path = scratch / "identity.json"
    if not path.is_file():
        started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        write_json(path, {"key": uuid.uuid4().hex, "started": started})
    found: dict[str, str] = read_json(path)
    return found


class Log:
    """Prints a line per epoch."""

    def __init__(self, name: str, model: ModelParams) -> None:
        self._name, self._epochs = name, model.epochs

    def epoch(self, row: Row, network: nn.Module) -> None:
        """Print the losses and the speed."""
        say(
            f"{self._name} epoch {row['epoch']:.0f} of {self._epochs}: "
            f"loss {row['train/loss']:.4f}, validation {row['validation/loss']:.4f}, "
            f"{row['images_seen'] / row['seconds']:.0f} photographs per second"
        )


class Previews:
    """Draws the same few validation photographs after each epoch: gray, colored, true."""

    def __init__(
        self, task: Task, photographs: LabSet, model: ModelParams, count: int, folder: Path
    ) -> None:
        self._task, self._folder = task, folder / "samples"
        self._size = model.image.size or photographs.size
        self._stored = torch.from_numpy(photographs.take(photographs.spread(count)))

    def epoch(self, row: Row, network: nn.Module) -> None:
        """Write samples/epoch-NNN.jpg."""
        device = next(network.parameters()).device
        colorizer = Colorizer(
            network, self._task.network.stride, self._task.decoding, self._task.bins,
            self._size, device,
        )  # fmt: skip
        training = network.training
        network.eval()
        lab = decode_lab(self._stored)
        colored = torch.cat((lab[:, :1], colorizer.predict_ab(lab[:, :1])), dim=1)
        network.train(training)
        gray = torch.cat((lab[:, :1], torch.zeros_like(lab[:, 1:])), dim=1)
        rows = [list(lab_to_rgb8(part).movedim(1, -1).numpy()) for part in (gray, colored, lab)]
        with whole_file(self._folder / f"epoch-{int(row['epoch']):03d}.jpg") as path:
            sheet(rows, side=96).save(path, "JPEG", quality=90)


class _Observers:
    def __init__(self, observers: list[Observer]) -> None:
        self._observers = observers

    def epoch(self, row: Row, network: nn.Module) -> None:
        for observer in self._observers:
            observer.epoch(row, network)


def _fingerprint(params: Params, model: ModelParams, places: Places) -> str:
    weights = _weights(model, places.prior)
    return fingerprint(
        model.model_dump(exclude={"decoding"}),
        params.train.model_dump(),
        describe(places.lab),
        None if weights is None else weights.tolist(),
    )


def _weights(model: ModelParams, folder: Path) -> Tensor | None:
    if not getattr(model.objective, "rebalance", False):
        return None
    return torch.from_numpy(Prior.load(folder).weights)


def _write(
    name: str,
    model: ModelParams,
    params: Params,
    trainer: Trainer,
    kept: dict[str, Tensor],
    places: Places,
) -> None:
    places.out.mkdir(parents=True, exist_ok=True)
    with whole_file(places.out / "weights.safetensors") as path:
        save_file({key: t.cpu().contiguous() for key, t in kept.items()}, path)
    pd.DataFrame(trainer.progress.history).to_csv(places.out / "history.csv", index=False)
    shutil.copytree(places.scratch / "samples", places.out / "samples", dirs_exist_ok=True)
    size = model.image.size or int(describe(places.lab)["size"])
    write_json(places.out / "config.json", _config(name, model, trainer, size))
    write_json(places.out / "run.json", _run(model, trainer, places.scratch))


def _config(name: str, model: ModelParams, trainer: Trainer, size: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": name,
        "study": model.study,
        "network": model.network.model_dump(),
        "objective": model.objective.model_dump(),
        "decoding": trainer.task.decoding.model_dump(),
        "image_size": size,
        "parameters": count_parameters(trainer.task.network),
    }


def _run(model: ModelParams, trainer: Trainer, scratch: Path) -> dict[str, Any]:
    progress, precision = trainer.progress, str(trainer.precision).removeprefix("torch.")
    last = progress.history[-1]
    return identity(scratch) | {
        "device": hardware.name(trainer.device),
        "precision": precision,
        "torch": torch.__version__,
        "seconds": round(progress.seconds, 1),
        "images_per_second": round(last["images_seen"] / max(last["seconds"], 1e-3), 1),
        "epochs": model.epochs,
        "kept_epoch": trainer.kept_epoch,
    }
