"""(b) Training against the bare network, and against a plain loop."""

from functools import partial

import plain_loop
from measuring import Found, Row, Setting
from photochrom.data.loader import Squares
from photochrom.params.models import ModelParams
from photochrom.training.engine import Trainer
from scratch_project import Project
from trainings import (
    bare_step,
    freed_memory_kept,
    models,
    project_of,
    ready_batch,
    stored_batch,
    stored_batches,
    trainer_of,
)

STEP_GOAL = {"cpu": 1 / 0.93, "cuda": 1 / 0.85}
LOOP_GOAL = 2.5
LOOPED = ("resnet18_regression", "resnet18_upsample", "resnet18_grid256")


def rows(setting: Setting) -> Found:
    """Measure the step of every model, then whole epochs of the ResNet-18 networks."""
    with freed_memory_kept():
        yield from _steps(setting)
        yield from _epochs(setting)


def _steps(setting: Setting) -> Found:
    count, size = (8, 32) if setting.quick else (64, setting.params.lab.size)
    project = project_of(setting, count, size)
    for name, model in models(setting).items():
        yield _step(setting, name, model, project)


def _step(setting: Setting, name: str, model: ModelParams, project: Project) -> Row:
    device = setting.device
    trainer = trainer_of(model, project, setting.scratch, device)
    stored = stored_batch(project, model.batch_size, device)
    _, step = bare_step(model, ready_batch(stored, model), device)
    goal = STEP_GOAL.get(device.type)
    size = project.params.lab.size
    title = f"step of {name}, {len(stored)} squares of {size} px"
    return setting.floor(title, partial(trainer.step, stored), step, goal=goal)


def _epochs(setting: Setting) -> Found:
    if not plain_loop.possible():
        yield "The plain loop was left out: install scikit-image."
        return
    count = 8 if setting.quick else 128
    looped = [name for name in LOOPED if name in models(setting)]
    for size in (32,) if setting.quick else (64, 128):
        project = project_of(setting, count, size)
        for name in looped[:1] if setting.quick else looped:
            yield from _against_a_loop(setting, name, project)


def _against_a_loop(setting: Setting, name: str, project: Project) -> Found:
    """Time an epoch of each: order, data, steps; neither validates nor saves."""
    model, size = models(setting)[name], project.params.lab.size
    trainer = trainer_of(model, project, setting.scratch, setting.device)
    squares = Squares(project.split("train"), setting.device)
    epoch = partial(_epoch, trainer, squares, model.batch_size)
    for kind in plain_loop.KINDS:
        loop = plain_loop.Apart(model, kind, project, setting.device)
        title = f"epoch of {name}, {size} px, against a plain loop over {kind}"
        row = setting.rival(title, epoch, loop.epoch, goal=LOOP_GOAL, rounds=setting.few)
        loop.close()
        yield plain_loop.with_speed(row, len(squares))


def _epoch(trainer: Trainer, squares: Squares, batch: int) -> None:
    for stored in stored_batches(squares, batch):
        trainer.step(stored)
