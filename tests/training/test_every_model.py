"""Every entry of params.yaml, made narrow: it trains, resumes, is evaluated and colors."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file
from training_kit import assert_equal_states, narrow, write_lab_set

from photochrom.colorizer.colorizer import Colorizer
from photochrom.colorizer.prediction import Predictor
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet
from photochrom.evaluation.evaluate import evaluate_model
from photochrom.measures import MEASURES
from photochrom.params import Params, load_params
from photochrom.training.engine import Trainer
from photochrom.training.train import Job, train_model

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml")
COUNTS = {"train": 8, "validation": 3, "test": 3}


class StoppedError(Exception):
    """A power cut."""


def small() -> Params:
    values = PARAMS.model_dump()
    changes = {"epochs": 2, "batch_size": 4}
    values["models"] = {n: {**narrow(m), **changes} for n, m in values["models"].items()}
    values["evaluate"]["pictures"] = 2
    return Params.model_validate(values)


@pytest.fixture(scope="module")
def params() -> Params:
    return small()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as the stages before training leave it."""
    write_lab_set(tmp_path / "data/lab", side=PARAMS.lab.size, counts=COUNTS)
    histogram = np.zeros((256, 256), dtype=np.int64)
    histogram[100:150, 100:150] = 7
    Prior.from_histogram(histogram, 8, PARAMS.prior).save(tmp_path / "data/prior")
    return tmp_path


def stopping(at: int) -> Callable[[Trainer, Any], None]:
    """Return a step that makes the training stop before its step number ``at``."""
    honest = Trainer.step

    def step(trainer: Trainer, stored: Any) -> None:
        if trainer.progress.step == at:
            raise StoppedError
        honest(trainer, stored)

    return step


@pytest.mark.parametrize("name", PARAMS.models)
def test_it_trains_resumes_is_measured_and_colors(
    name: str, params: Params, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job.of(name, params, project)
    train_model(job)
    whole = load_file(job.out / "weights.safetensors")
    monkeypatch.setattr("photochrom.environment.checkpoint_seconds", lambda: 0.0)
    with monkeypatch.context() as interrupted:
        interrupted.setattr(Trainer, "step", stopping(3))
        with pytest.raises(StoppedError):
            train_model(job)
    train_model(job)
    assert_equal_states(load_file(job.out / "weights.safetensors"), whole)

    predictor = Predictor.load(job.out, job.model.decoding)
    test, prior = LabSet.open(job.lab, "test"), Prior.load(project / "data/prior")
    numbers = evaluate_model(predictor, test, prior, params.evaluate, project / "results")
    everyone = [m.key for m in MEASURES if m.group in ("pixels", "cost")]
    assert all(math.isfinite(numbers[key]) for key in everyone)
    assert ("bin_top1" in numbers) == (predictor.bins is not None)
    colored = Colorizer(name, predictor)(Image.new("L", (75, 50), 128))
    assert isinstance(colored, Image.Image)
    assert (colored.mode, colored.size) == ("RGB", (75, 50))
