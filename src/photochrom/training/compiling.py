"""torch.compile, where it pays.

On a CPU it does not: measured on two cores with bfloat16 at 64 px, a step takes 0.95 to 1.2 times
as long as before, and compiling takes a minute (docs/scale.md). On a GPU a training that will last
long enough is compiled after its first steps.
"""

import time
from collections.abc import Iterable

import torch
from torch import nn

from photochrom import environment
from photochrom.training.distributed import Group

WARM, TIMED = 10, 50
"""A training's steps are timed from the first of these to the second."""
WORTH_SECONDS = 300.0
"""Compiling takes a minute or two; a training that has less than this to go does without."""


class Compilation:
    """Compiles the networks of a training, at once, after some steps or never.

    Parameters
    ----------
    modules : what is compiled, in place; their weights and names stay.
    device : where they compute.
    group : the processes, which all do the same.
    """

    def __init__(self, modules: Iterable[nn.Module], device: torch.device, group: Group) -> None:
        self._modules, self._device, self._group = list(modules), device, group
        self._seen, self._clock = 0, 0.0
        self._mode = environment.compile_mode()
        self.done = False
        if self._mode not in ("auto", "off"):
            self._compile(self._mode)

    def consider(self, left: int) -> None:
        """Learn that a step is done and so many are left; compile where that pays."""
        if self._mode != "auto" or self._device.type != "cuda" or self._seen == TIMED:
            return
        self._seen += 1
        if self._seen == WARM:
            self._clock = self._now()
        if self._seen == TIMED:
            seconds = left * (self._now() - self._clock) / (TIMED - WARM)
            if self._group.told(seconds > WORTH_SECONDS):
                self._compile("default")

    def _now(self) -> float:
        torch.cuda.synchronize(self._device)
        return time.monotonic()

    def _compile(self, mode: str) -> None:
        # Without a compiler at hand the networks compute as before, with a warning.
        torch._dynamo.config.suppress_errors = True
        for module in self._modules:
            module.compile(mode=mode, dynamic=False)
        self.done = True
