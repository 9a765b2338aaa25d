"""Optimizers, their schedules and the moving average of the weights."""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from photochrom.networks import ColorNetwork
from photochrom.objectives import Player
from photochrom.params.models import OptimizerParams


def make_optimizer(player: Player) -> torch.optim.Optimizer:
    """Make a player's optimizer, which passes over its numbers once (fused)."""
    params = player.optimizer
    weights = _groups(player.module, params.lr)
    decay = params.weight_decay
    if params.kind == "sgd":
        momentum = params.betas[0]
        return torch.optim.SGD(weights, params.lr, momentum, weight_decay=decay, fused=True)
    kind = torch.optim.AdamW if params.kind == "adamw" else torch.optim.Adam
    return kind(weights, params.lr, betas=params.betas, weight_decay=decay, fused=True)


def _groups(module: nn.Module, rate: float) -> list[dict[str, Any]]:
    """Return the parameters by how fast they learn, the fastest first."""
    scales = module.lr_scales() if isinstance(module, ColorNetwork) else {}
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        scale = next((s for prefix, s in scales.items() if name.startswith(prefix)), 1.0)
        groups.setdefault(scale, []).append(parameter)
    return [
        {"params": groups[scale], "lr": rate * scale, "lr_scale": scale}
        for scale in sorted(groups, reverse=True)
    ]


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Let every group learn at its share of a rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_scale"]


def clip_gradients(gradients: list[Tensor], most: float) -> Tensor:
    """Scale gradients down to a total norm of ``most``, and return what it was (scalar)."""
    norms: tuple[Tensor, ...] = torch._foreach_norm(gradients)
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    if norm.is_cuda or not norm <= most:
        # On a GPU nobody waits for the norm: where it is small enough, this multiplies by 1.
        scale = (most / (norm + 1e-6)).clamp(max=1.0)
        torch._foreach_mul_(gradients, scale)
    return norm


def learning_rate(params: OptimizerParams, step: int, steps: int) -> float:
    """Return the learning rate of a step (0..steps - 1): linear warmup, then the schedule."""
    warmup = round(params.warmup * steps)
    if step < warmup:
        return params.lr * (step + 1) / warmup
    if params.schedule == "constant":
        return params.lr
    return params.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


class MovingAverage:
    """An exponential moving average of a network's weights and running statistics.

    The decay grows from 0.1 to its value over the first steps, so that a short training is not
    held back by its beginning. No number leaves the device.
    """

    def __init__(self, source: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(source).eval().requires_grad_(False)
        self._decay = decay
        averaged, current = self.network.state_dict(), source.state_dict()
        floats = [name for name, tensor in current.items() if tensor.is_floating_point()]
        self._averaged = [averaged[name].detach() for name in floats]
        self._current = [current[name].detach() for name in floats]
        counters = [name for name in current if name not in floats]
        self._averaged_counters = [averaged[name] for name in counters]
        self._counters = [current[name] for name in counters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the source as it stands after a step (0, 1, ..)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._averaged, self._current, 1 - decay)
        if self._counters:
            torch._foreach_copy_(self._averaged_counters, self._counters)
