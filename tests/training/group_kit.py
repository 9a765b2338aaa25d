"""What the processes of a group do in the tests; run as a program, it is one of them.

    python group_kit.py LARGE LAB OUT

The first process writes to the folder OUT what came out on two sets of photographs.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from training_kit import CPU, MODELS, Watcher, model_of, narrow, trainer_of, without_seconds

from photochrom.color.bins import bins
from photochrom.data.loader import Squares
from photochrom.data.shards import LabSet
from photochrom.objectives import build_task
from photochrom.params import load_params
from photochrom.params.models import ClassificationParams, ModelParams
from photochrom.training.distributed import ALONE, Group, joined
from photochrom.training.engine import Trainer
from photochrom.training.history import Row
from photochrom.training.validation import validate

BATCH = 5
"""Uneven for two."""
Gradients = dict[str, Tensor]

GRID_SAMPLE = F.grid_sample


def entries() -> dict[str, ModelParams]:
    """Return the models of params.yaml, made narrow, with batches of five."""
    models = load_params(Path(__file__).resolve().parents[2] / "params.yaml").models
    dumped = {name: narrow(model.model_dump()) for name, model in models.items()}
    return {name: model_of(m, batch_size=BATCH, epochs=2) for name, m in dumped.items()}


def gradients_of(
    model: ModelParams, lab: Path, scratch: Path, group: Group = ALONE, *, norms: bool = True
) -> Gradients:
    """Return what each player moves by in the first step, by player and parameter.

    Without ``norms`` the networks have no batch normalization.
    """
    torch.manual_seed(0)
    weights = None
    if isinstance(model.objective, ClassificationParams):
        weights = torch.linspace(0.5, 1.5, len(bins(model.objective.bins)))
    task = build_task(model, weights).double()
    if not norms:
        _remove_norms(task)
    with in_float64():
        return _first_step(trainer_of(model, lab, scratch, task=task, group=group), lab)


def _remove_norms(module: torch.nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, torch.nn.BatchNorm2d):
            setattr(module, name, torch.nn.Identity())
        else:
            _remove_norms(child)


@contextmanager
def in_float64() -> Iterator[None]:
    """Compute in float64 throughout, so that what differs is no matter of rounding."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tensor, "float", Tensor.double)
        # Draws stay in float32, so that they are the same numbers.
        patch.setattr(F, "grid_sample", _sampled)
        yield


def _sampled(squares: Tensor, places: Tensor, **choices: Any) -> Tensor:
    return GRID_SAMPLE(squares, places.to(squares), **choices)


def _first_step(trainer: Trainer, lab: Path) -> Gradients:
    task = trainer.task
    found: Gradients = {}
    for name, player in task.players().items():
        optimizer = trainer._optimizers[name]
        optimizer.register_step_pre_hook(
            lambda *_, name=name, player=player: found.update(_named(name, player.module))
        )
    task.train()
    task.start_epoch(1)
    trainer.step(next(_batches(trainer, lab)))
    return found


def _batches(trainer: Trainer, lab: Path) -> Iterator[Tensor]:
    return Squares(LabSet.open(lab, "train"), CPU).batches(trainer._orders(0, 0))


def _named(player: str, module: torch.nn.Module) -> Gradients:
    named = module.named_parameters()
    return {f"{player}.{name}": p.grad.clone() for name, p in named if p.grad is not None}


def training_of(
    name: str, lab: Path, scratch: Path, group: Group = ALONE
) -> tuple[list[Row], dict[str, Tensor]]:
    """Return the history and the kept state of a whole training."""
    model = model_of(MODELS[name], batch_size=BATCH)
    torch.manual_seed(0)
    task = build_task(model).double()
    with in_float64():
        trainer = trainer_of(model, lab, scratch, task=task, group=group)
        kept = trainer.run(Watcher())
    return without_seconds(trainer.progress.history), kept


def validations_of(lab: Path, group: Group = ALONE) -> dict[str, dict[str, float]]:
    """Return what is measured on one, two, five and seven photographs."""
    model = model_of(MODELS["regression"])
    torch.manual_seed(0)
    task, whole = build_task(model).double(), LabSet.open(lab, "validation")
    found = {}
    for count in (1, 2, 5, 7):
        some = Squares(replace(whole, index=whole.index[:count]), CPU)
        with in_float64():
            measured = validate(task, task.network, some, model.image, group, nullcontext())
        found[str(count)] = measured
    return found


def together(large: Path, lab: Path, out: Path) -> None:
    """Run this program in two processes, as torchrun would start them."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        place = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(free.getsockname()[1])}
    plain = {"PHOTOCHROM_DEVICE": "cpu", "PHOTOCHROM_PRECISION": "float32", "OMP_NUM_THREADS": "1"}
    shared = {**os.environ, **place, **plain, "WORLD_SIZE": "2"}
    command = [sys.executable, __file__, str(large), str(lab), str(out)]
    started = [
        subprocess.Popen(command, env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(2)
    ]
    assert [process.wait(timeout=300) for process in started] == [0, 0]


def main(large: Path, lab: Path, out: Path) -> None:
    """Do everything as one of a group."""
    torch.set_num_threads(1)
    with joined(CPU) as group:
        assert group.size == 2
        for name, model in entries().items():
            found = gradients_of(model, large, out / f"scratch-{name}", group)
            _save(found, out / f"gradients-{name}.pt", group)
        measured: dict[str, Any] = {"validations": validations_of(lab, group)}
        for name in MODELS:
            measured[name], kept = training_of(name, lab, out / f"scratch-{name}", group)
            _save(kept, out / f"{name}.pt", group)
        if group.first:
            (out / "measured.json").write_text(json.dumps(measured), encoding="utf-8")


def _save(tensors: dict[str, Tensor], path: Path, group: Group) -> None:
    if group.first:
        torch.save(tensors, path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
