"""Stage ``train@``: one entry of ``models`` becomes a trained colorizer."""

import datetime
import shutil
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd
import torch
from safetensors.torch import save_file
from torch import Tensor

from photochrom import hardware
from photochrom.colorizer.stored import FORMAT
from photochrom.data.loader import Squares
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet, describe
from photochrom.files import fingerprint, read_json, whole_file, write_json
from photochrom.memory import keep_freed_memory
from photochrom.networks.base import count_parameters
from photochrom.objectives import build_task
from photochrom.params import Params
from photochrom.params.models import ClassificationParams, ModelParams
from photochrom.tracking import TrainingRecord, dataset_of, flatten, open_run, provenance
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.distributed import Group, joined
from photochrom.training.engine import Trainer
from photochrom.training.errors import TrainingError, TrainingStopped
from photochrom.training.observers import SAMPLES, All, Log, Mirrored, Previews

SCRATCH = Path(".checkpoints")
CODE = ("color", "networks", "objectives", "training", "data/loader.py", "data/shards.py")
"""What the weights depend on, besides parameters and photographs."""
STOP_SECONDS = 3.0
"""How long a stopped training waits for MLflow."""


@dataclass(frozen=True)
class Job:
    """A training to be done.

    Attributes
    ----------
    name, model : the entry under ``models``.
    params : all of params.yaml.
    root : the project's root, which holds data/ and models/.
    """

    name: str
    model: ModelParams
    params: Params
    root: Path

    @classmethod
    def of(cls, name: str, params: Params, root: Path) -> Self:
        """Return the training of a model.

        Raises
        ------
        TrainingError
            If params.yaml has none of that name.
        """
        if name not in params.models:
            known = ", ".join(params.models)
            raise TrainingError(f"params.yaml has no model {name}; it has {known}.")
        return cls(name, params.models[name], params, root)

    @property
    def lab(self) -> Path:
        """Where the shards lie."""
        return self.root / "data/lab"

    @property
    def scratch(self) -> Path:
        """Where checkpoints and sheets lie while it trains."""
        return self.root / SCRATCH / self.name

    @property
    def out(self) -> Path:
        """Where the trained model goes."""
        return self.root / "models" / self.name

    @property
    def size(self) -> int:
        """The side in pixels at which the network works."""
        return self.model.image.size or int(describe(self.lab)["size"])

    def knobs(self) -> dict[str, Any]:
        """Return the parameters that decide the result; decoding is not among them."""
        return {
            **self.model.model_dump(exclude={"decoding", "study"}),
            "train": self.params.train.model_dump(),
        }

    def weights(self) -> Tensor | None:
        """Return the rebalancing weights where the objective asks for them."""
        objective = self.model.objective
        if not isinstance(objective, ClassificationParams):
            return None
        return Prior.load(self.root / "data/prior").rebalancing_weights(objective)


def train_model(job: Job) -> None:
    """Train a model, or continue where its last training stopped, and write it.

    Writes weights.safetensors, config.json, history.csv, run.json and samples/ to ``job.out``;
    run.json comes last. Started by torchrun, each process trains with the others; the first of
    them writes.

    Raises
    ------
    TrainingError
        If the loss is no longer finite, a signal asks to stop or another process is lost; the last
        checkpoint stays.
    """
    keep_freed_memory()
    device = hardware.device()
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)
    with joined(device) as group:
        checkpoints = Checkpoints(job.scratch, _fingerprint(job))
        if group.first:
            checkpoints.prepare()
            _tracked(job, _trainer(job, checkpoints, device, group))
            checkpoints.clear()
        else:
            _assist(job, checkpoints, device, group)


def _assist(job: Job, checkpoints: Checkpoints, device: torch.device, group: Group) -> None:
    """Train along; what ends the training of all is reported by the first process."""
    try:
        _trainer(job, checkpoints, device, group).run(All())
    except TrainingError:
        group.await_first()
        sys.exit(1)


def _tracked(job: Job, trainer: Trainer) -> None:
    """Train, show it in MLflow and write the model."""
    identity = _identity(job.scratch)
    record = _record(job, identity["key"])
    with open_run(record, job.root, job.params.tracking.experiment) as mirror:
        validation = LabSet.open(job.lab, "validation")
        previews = Previews(
            trainer.task, validation, job.params.train.preview, job.size, job.scratch, mirror
        )
        observers = All(Log(job.name, job.model.epochs, trainer.task), previews, Mirrored(mirror))
        try:
            kept = trainer.run(observers)
        except TrainingStopped:
            mirror.close("KILLED", timeout=STOP_SECONDS)
            raise
        _write(job, trainer, kept)
        mirror.close(folder=job.out)
    write_json(job.out / "run.json", {**identity, **mirror.identity(), **_facts(job, trainer)})


def _trainer(job: Job, checkpoints: Checkpoints, device: torch.device, group: Group) -> Trainer:
    torch.manual_seed(job.params.train.seed)
    task = build_task(job.model, job.weights())
    task = task.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    train, validation = (LabSet.open(job.lab, split) for split in ("train", "validation"))
    return Trainer(
        task,
        job.model,
        Squares(train, device),
        Squares(validation, device),
        job.params.train.seed,
        checkpoints,
        device,
        group,
    )


def _fingerprint(job: Job) -> str:
    weights = job.weights()
    listed = None if weights is None else weights.tolist()
    return fingerprint([job.knobs(), describe(job.lab), listed], CODE)


def _identity(scratch: Path) -> dict[str, str]:
    """Return the training's key and start, the same after an interruption."""
    path = scratch / "identity.json"
    if not path.is_file():
        started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        write_json(path, {"key": uuid.uuid4().hex, "started": started})
    found: dict[str, str] = read_json(path)
    return found


def _record(job: Job, key: str) -> TrainingRecord:
    model = job.model
    tags = {"study": model.study, "network": model.network.kind, "objective": model.objective.kind}
    return TrainingRecord(
        model=job.name,
        key=key,
        params=flatten(job.knobs()),
        tags=tags,
        description=(
            f"`{job.name}`: a {model.network.kind} network trained by {model.objective.kind} for "
            f"{model.epochs} epochs in batches of {model.batch_size} (study {model.study})."
        ),
        dataset=dataset_of(job.root),
        provenance=provenance(job.root, job.knobs()),
    )


def _write(job: Job, trainer: Trainer, kept: dict[str, Tensor]) -> None:
    job.out.mkdir(parents=True, exist_ok=True)
    with whole_file(job.out / "weights.safetensors") as path:
        save_file({name: tensor.cpu().contiguous() for name, tensor in kept.items()}, path)
    with whole_file(job.out / "history.csv") as path:
        pd.DataFrame(trainer.progress.history).to_csv(path, index=False)
    shutil.rmtree(job.out / SAMPLES, ignore_errors=True)
    shutil.copytree(job.scratch / SAMPLES, job.out / SAMPLES)
    write_json(job.out / "config.json", _config(job, trainer))


def _config(job: Job, trainer: Trainer) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": job.name,
        "study": job.model.study,
        "network": job.model.network.model_dump(),
        "objective": job.model.objective.model_dump(),
        "decoding": trainer.task.decoding.model_dump(),
        "image_size": job.size,
        "parameters": count_parameters(trainer.task.network),
    }


def _facts(job: Job, trainer: Trainer) -> dict[str, Any]:
    last = trainer.progress.history[-1]
    return {
        "device": hardware.name(trainer.device),
        "processes": trainer.processes,
        "precision": str(trainer.precision).removeprefix("torch."),
        "compiled": trainer.compilation.done,
        "torch": torch.__version__,
        "seconds": round(trainer.progress.seconds, 1),
        "images_per_second": round(last["images_seen"] / max(last["seconds"], 1e-3), 1),
        "epochs": job.model.epochs,
        "kept_epoch": trainer.kept_epoch,
        "remarks": [
            f"epoch {row['epoch']:.0f}: {remark}"
            for row in trainer.progress.history
            for remark in trainer.task.remarks(row)
        ],
    }
