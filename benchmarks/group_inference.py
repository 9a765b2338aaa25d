"""(d) Coloring by size, against the bare network."""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from measuring import Found, Row, Setting
from photochrom.color.batch import normalised
from photochrom.colorizer.prediction import Predictor
from photochrom.objectives import Task
from photochrom.params.models import ModelParams
from trainings import fresh_task, models

MODELS = ("resnet18_regression", "unet313", "photochrom")
SIZES = (64, 128, 256, 512)
PIXELS = 2**18
"""Those of the greatest batch: 64 photographs of 64 px, one of 512."""


def rows(setting: Setting) -> Found:
    """Measure one photograph, and as many at once as make 512 x 512 pixels."""
    known = models(setting)
    chosen = list(known)[:1] if setting.quick else [name for name in MODELS if name in known]
    for name in chosen:
        task = fresh_task(known[name], setting.device).eval()
        for size in (32,) if setting.quick else SIZES:
            for count in sorted({1, min(64, PIXELS // size**2)}):
                yield _inference(setting, name, known[name], task, (count, size))


def _inference(
    setting: Setting, name: str, model: ModelParams, task: Task, shape: tuple[int, int]
) -> Row:
    count, size = shape
    predictor = Predictor(
        task.network, task.network.stride, model.decoding, task.bins, size, setting.device
    )
    lightness = torch.rand(count, 1, size, size) * 100
    bare = normalised(lightness).to(setting.device)
    photographs = "photograph" if count == 1 else "photographs"
    title = f"coloring with {name}, {count} {photographs} of {size} px"
    row = setting.floor(
        title,
        partial(predictor.predict_ab, lightness),
        partial(_forward, task, bare),
        rounds=setting.few,
    )
    assert row.milliseconds is not None
    return replace(row, note=f"{1000 * count / row.milliseconds.median:.1f} photographs/s")


@torch.inference_mode()
def _forward(task: Task, bare: Tensor) -> Tensor:
    answer: Tensor = task.network(bare)
    return answer
