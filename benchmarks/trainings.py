"""Trainings to be timed: the project's own, and the bare step that it cannot undercut."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from jpegs import write_jpegs
from measuring import Setting
from photochrom import hardware
from photochrom.color.batch import Batch
from photochrom.color.bins import bins
from photochrom.data.loader import Squares, augmented
from photochrom.memory import M_MMAP_MAX, M_TRIM_THRESHOLD, keep_freed_memory
from photochrom.objectives import Task, build_task
from photochrom.params.models import ClassificationParams, ModelParams
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.engine import Trainer
from photochrom.training.optimizers import make_optimizer
from scratch_project import Project, of_folder

GLIBC_DEFAULTS = {M_MMAP_MAX: 65536, M_TRIM_THRESHOLD: 2**26}
"""The trimming threshold is the one that glibc's own adaptation reaches."""


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep freed memory as the stage train does, the bare step's as well; then no longer."""
    if not keep_freed_memory():
        yield
        return
    try:
        yield
    finally:
        c_library = ctypes.CDLL(None)
        for setting, value in GLIBC_DEFAULTS.items():
            c_library.mallopt(setting, value)
        c_library.malloc_trim(0)


def models(setting: Setting) -> dict[str, ModelParams]:
    """Return the models to measure, with fresh weights; quick takes one of each objective."""
    fresh = {name: _fresh(model) for name, model in setting.params.models.items()}
    if not setting.quick:
        return fresh
    of_kind = {model.objective.kind: name for name, model in reversed(fresh.items())}
    small = {"batch_size": 4}
    return {name: fresh[name].model_copy(update=small) for name in sorted(of_kind.values())}


def _fresh(model: ModelParams) -> ModelParams:
    """Return the model without pretrained weights, which might have to be downloaded."""
    if not getattr(model.network, "pretrained", False):
        return model
    network = model.network.model_copy(update={"pretrained": False})
    return model.model_copy(update={"network": network})


def project_of(setting: Setting, count: int, size: int) -> Project:
    """Make the Lab shards of so many photographs to train on."""
    folder = setting.scratch / f"jpegs_{count}"
    if not folder.is_dir():
        counts = {"train": count, "validation": 2, "test": 2}
        write_jpegs(folder, counts, setting.photographs)
    return of_folder(setting.scratch / f"project_{count}_{size}", folder, size)


def fresh_task(model: ModelParams, device: torch.device) -> Task:
    """Make networks and losses on the device; all colors weigh the same."""
    objective, weights = model.objective, None
    if isinstance(objective, ClassificationParams) and objective.weighs_bins:
        weights = torch.ones(len(bins(objective.bins)))
    task = build_task(model, weights)
    task.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return task


def trainer_of(
    model: ModelParams, project: Project, scratch: Path, device: torch.device
) -> Trainer:
    """Make the project's own training."""
    train, validation = (Squares(project.split(split), device) for split in ("train", "validation"))
    checkpoints = Checkpoints(scratch / "checkpoints", "benchmark")
    return Trainer(fresh_task(model, device), model, train, validation, 0, checkpoints, device)


def stored_batch(project: Project, batch: int, device: torch.device) -> Tensor:
    """Return one batch of the stored squares that are there to train on."""
    return next(stored_batches(Squares(project.split("train"), device), batch))


def stored_batches(squares: Squares, batch: int) -> Iterator[Tensor]:
    """Yield an epoch of stored squares (uint8 (n, 3, S, S)) on the device, in random order."""
    steps = max(1, len(squares) // batch)
    return squares.batches(iter(torch.randperm(len(squares))[: steps * batch].split(batch)))


def ready_batch(stored: Tensor, model: ModelParams) -> Batch:
    """Turn stored squares into a batch that needs nothing more."""
    return augmented(stored, model.image, torch.Generator())


def bare_step(
    model: ModelParams, batch: Batch, device: torch.device, *, compiled: bool = True
) -> tuple[Task, Callable[[], None]]:
    """Return a task, and forward, backward and optimizer on a batch that lies ready: the limit.

    The same networks, losses, optimizers, precision and memory format; no augmentation, no moving
    average, no clipping, no look at the loss. On a GPU the networks are compiled unless
    that is not wanted.
    """
    task, precision = fresh_task(model, device), hardware.precision(device)
    players = task.players()
    optimizers = {name: make_optimizer(player) for name, player in players.items()}
    if compiled and device.type == "cuda":
        for player in players.values():
            player.module.compile()

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

    return task, step
