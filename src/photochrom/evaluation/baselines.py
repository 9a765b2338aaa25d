"""Colorizers that learn nothing: every table shows them, so that no number stands alone."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photochrom.color.lab import decode_lab
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet
from photochrom.evaluation.evaluate import Predictor, Sample, evaluate
from photochrom.files import write_json
from photochrom.params import BASELINES
from photochrom.params.pipeline import EvaluateParams


def gray(sample: Sample) -> Tensor:
    """Leave the photograph gray: a = b = 0."""
    return torch.zeros_like(sample.truth)


def truth(sample: Sample) -> Tensor:
    """Give the true colors: the best that any colorizer can do."""
    return sample.truth


def mean_color(color: Tensor) -> Predictor:
    """Give every pixel the mean a and b (2,) of the training photographs."""

    def predict(sample: Sample) -> Tensor:
        return color[None, :, None, None].expand_as(sample.truth)

    return predict


def random_photograph(train: LabSet, count: int, seed: int) -> Predictor:
    """Give each of ``count`` photographs the colors of a random training photograph."""
    lenders = np.random.default_rng(seed).integers(len(train), size=count)

    def predict(sample: Sample) -> Tensor:
        return decode_lab(torch.from_numpy(train.take(lenders[sample.rows])))[:, 1:]

    return predict


def evaluate_baselines(lab: Path, prior: Prior, params: EvaluateParams, out: Path) -> None:
    """Measure every baseline on the test photographs; each gets a folder in ``out``."""
    train, test = LabSet.open(lab, "train"), LabSet.open(lab, "test")
    predictors: dict[str, Predictor] = {
        "gray": gray,
        "mean_color": mean_color(prior.mean_color),
        "random_photograph": random_photograph(train, len(test), params.seed),
        "truth": truth,
    }
    assert predictors.keys() == set(BASELINES)
    for name, predict in predictors.items():
        numbers = evaluate(predict, test, prior, params, out / name)
        write_json(out / name / "metrics.json", numbers)
