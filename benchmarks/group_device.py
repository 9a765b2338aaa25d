"""(f) What the device can do at most, and how much of that training makes use of."""

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from machine import processor
from measuring import Found, Row, Setting, Spread
from photochrom import hardware
from photochrom.params.models import ModelParams
from scratch_project import Project
from trainings import bare_step, models, project_of, ready_batch, stored_batch, trainer_of

MATRICES = {"cuda": (2048, 4096, 8192, 16384), "cpu": (512, 1024, 2048)}
COPIED = {"cuda": 2**32, "cpu": 2**28}
TERA, GIGA = 1e12, 1e9


class Traffic(TorchDispatchMode):
    """Counts the bytes that operations read and write, each by itself, from and to memory.

    What is fused or stays in a cache need not travel, so that a share above 1 is possible.

    Attributes
    ----------
    bytes : counted so far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not func.is_view:
            tensors = (t for t in tree_leaves((args, kwargs, out)) if isinstance(t, Tensor))
            self.bytes += sum(t.numel() * t.element_size() for t in tensors)
        return out


def rows(setting: Setting) -> Found:
    """Measure the rate of matrix products and of copies, then every model's step."""
    device = setting.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    if device.type != "cuda":
        yield f"There is no GPU here: the figures of the device are those of {name}."
    rate, copies = _matrix_rate(setting), _bandwidth(setting)
    yield rate
    yield copies
    count, size = (8, 32) if setting.quick else (64, setting.params.lab.size)
    project = project_of(setting, count, size)
    for model_name, model in models(setting).items():
        yield _step(setting, model_name, model, project, (rate, copies))


def _matrix_rate(setting: Setting) -> Row:
    """Multiply square matrices and take the size that gives the highest rate."""
    device, precision = setting.device, hardware.precision(setting.device)
    sizes = (64, 128) if setting.quick else MATRICES[device.type]
    rates = {size: _rates(setting, size, precision) for size in sizes}
    best = max(sizes, key=lambda size: rates[size].median)
    what = str(precision).removeprefix("torch.")
    note = f"the best of {', '.join(map(str, sizes))}: {best}"
    return Row("", f"matrix product, {what}", rates[best], "TFLOP/s", "higher", note=note)


def _rates(setting: Setting, size: int, precision: torch.dtype) -> Spread:
    one, other = torch.randn(2, size, size, device=setting.device).to(precision)
    times = setting.alone(f"a matrix product of {size}", partial(torch.mm, one, other))
    return Spread.of([2 * size**3 / seconds / TERA for seconds in times])


def _bandwidth(setting: Setting) -> Row:
    size = 2**20 if setting.quick else COPIED[setting.device.type]
    source = torch.zeros(size, dtype=torch.uint8, device=setting.device)
    target = torch.empty_like(source)
    times = setting.alone("a copy in memory", partial(target.copy_, source))
    speed = Spread.of([2 * size / seconds / GIGA for seconds in times])
    note = f"{size / 2**20:.0f} MiB read and written"
    return Row("", "copy in memory", speed, "GB/s", "higher", note=note)


def _step(
    setting: Setting, name: str, model: ModelParams, project: Project, limits: tuple[Row, Row]
) -> Row:
    device = setting.device
    trainer = trainer_of(model, project, setting.scratch, device)
    stored = stored_batch(project, model.batch_size, device)
    operations, traffic = _counted(model, stored, device)
    title = f"step of {name}, {len(stored)} squares of {stored.shape[-1]} px"
    times = setting.alone(title, partial(trainer.step, stored), setting.few)
    seconds = Spread.of(times)
    rate, copies = (limit.value.median for limit in limits)
    note = (
        f"{operations / seconds.median / TERA / rate:.0%} of the matrix rate, "
        f"{traffic / seconds.median / GIGA / copies:.0%} of the bandwidth, "
        f"{operations / len(stored) / GIGA:.2f} GFLOP per photograph"
    )
    speed = Spread.of([len(stored) / one for one in times])
    return Row("", title, speed, "photographs/s", "higher", seconds.scaled(1000), note=note)


def _counted(model: ModelParams, stored: Tensor, device: torch.device) -> tuple[float, float]:
    """Return the operations and bytes of a bare step, by what is not compiled."""
    _, step = bare_step(model, ready_batch(stored, model), device, compiled=False)
    flops, traffic = FlopCounterMode(display=False), Traffic()
    with flops, traffic:
        step()
    return float(flops.get_total_flops()), float(traffic.bytes)
