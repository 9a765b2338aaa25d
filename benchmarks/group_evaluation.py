"""(e) Measuring a model on test photographs: how fast, and how much of it is the network."""

import time
from pathlib import Path

import torch
from torch import Tensor

from jpegs import write_jpegs
from measuring import Found, Row, Setting, Spread
from photochrom.colorizer.prediction import Predictor
from photochrom.evaluation.evaluate import Sample, evaluate
from scratch_project import Project, of_folder
from trainings import fresh_task, models

MODELS = ("resnet18_regression", "unet313")


class Stopwatch:
    """Colors as a predictor does, and adds up the time that takes.

    Attributes
    ----------
    seconds : so far.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self.seconds = 0.0

    def __call__(self, sample: Sample) -> Tensor:
        """Return ab (n, 2, S, S) of a sample."""
        started = time.perf_counter()
        ab = self._predictor.predict_ab(sample.lightness)
        self.seconds += time.perf_counter() - started
        return ab


def rows(setting: Setting) -> Found:
    """Measure the whole protocol but the networks that judge colors, which may be missing."""
    count, size = (12, 32) if setting.quick else (256, setting.params.lab.size)
    folder = setting.scratch / "jpegs_to_test"
    write_jpegs(folder, {"train": 4, "validation": 1, "test": count}, setting.photographs)
    project = of_folder(setting.scratch / "tested", folder, size)
    known = models(setting)
    for name in list(known)[:1] if setting.quick else [name for name in MODELS if name in known]:
        task = fresh_task(known[name], setting.device).eval()
        stride, decoding = task.network.stride, known[name].decoding
        predictor = Predictor(task.network, stride, decoding, task.bins, size, setting.device)
        yield _evaluation(setting, name, predictor, project)


def _evaluation(setting: Setting, name: str, predictor: Predictor, project: Project) -> Row:
    test, out = project.split("test"), setting.scratch / f"evaluated_{name}"
    shares: list[float] = []

    def work() -> None:
        shares.append(_network_share(setting, predictor, project, out))

    title = f"evaluation of {name}, {len(test)} photographs of {test.size} px"
    times = setting.alone(title, work, setting.few)
    speed = Spread.of([len(test) / seconds for seconds in times])
    note = f"{Spread.of(shares).median:.0%} of it the network and its decoding"
    milliseconds = Spread.of(times).scaled(1000)
    return Row("", title, speed, "photographs/s", "higher", milliseconds, note=note)


def _network_share(setting: Setting, predictor: Predictor, project: Project, out: Path) -> float:
    """Evaluate once and return the share of the time that coloring took."""
    predict, started = Stopwatch(predictor), time.perf_counter()
    with torch.inference_mode():
        evaluate(predict, project.split("test"), project.prior, setting.params.evaluate, out)
    return predict.seconds / (time.perf_counter() - started)
