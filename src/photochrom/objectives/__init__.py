"""Objectives: what a network's raw output should be, and the losses that say so.

One kind per folder; its name is the ``kind`` in params.yaml. Each has a ``task.py`` that gives
``build(model, weights)``.
"""

from importlib import import_module
from typing import Any

from torch import Tensor

from photochrom.objectives.base import Player, Task, Turn
from photochrom.params.models import ModelParams

__all__ = ["Player", "Task", "Turn", "build_task"]


def build_task(model: ModelParams, weights: Tensor | None = None) -> Task:
    """Make a model's network and objective.

    Parameters
    ----------
    model : an entry under ``models``.
    weights : (Q,) the rebalancing weights of the bins, for the objective that asks for them.
    """
    kind: Any = import_module(f"photochrom.objectives.{model.objective.kind}.task")
    task: Task = kind.build(model, weights)
    return task
