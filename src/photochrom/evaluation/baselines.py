"""Colorizers that learn nothing: every table shows them, so that no number stands alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photochrom.color.lab import decode_lab
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet
from photochrom.evaluation.evaluate import Predict, Sample, evaluate
from photochrom.evaluation.metrics import Comparison
from photochrom.evaluation.perception import Perception
from photochrom.evaluation.recorder import Recorder, Summary
from photochrom.files import write_json
from photochrom.params import BASELINES
from photochrom.params.pipeline import EvaluateParams


def gray(sample: Sample) -> Tensor:
    """Leave the photograph gray: a = b = 0."""
    return torch.zeros_like(sample.truth)


def truth(sample: Sample) -> Tensor:
    """Give the true colors: the best that any colorizer can do."""
    return sample.truth


def mean_color(color: Tensor) -> Predict:
    """Give every pixel the mean a and b (2,) of the training photographs."""

    def predict(sample: Sample) -> Tensor:
        return color[None, :, None, None].expand_as(sample.truth)

    return predict


def random_photograph(train: LabSet, count: int, seed: int) -> Predict:
    """Give each of ``count`` photographs the colors of a random training photograph."""
    lenders = np.random.default_rng(seed).integers(len(train), size=count)

    def predict(sample: Sample) -> Tensor:
        return decode_lab(torch.from_numpy(train.take(lenders[sample.rows])))[:, 1:]

    return predict


@dataclass(frozen=True)
class HalfAgainstHalf(Recorder):
    """The perception of the truth: one half of the photographs is held against the other.

    Against itself it would tell nothing; so it shows how near two sets of true photographs come.
    """

    perception: Perception

    def measure(self, pair: Comparison, rows: np.ndarray) -> Mapping[str, Tensor]:
        """Measure each photograph as any other row does."""
        return self.perception.measure(pair, rows)

    def summarise(self, resamples: int, seed: int) -> Summary:
        """Return the distances between the halves."""
        return self.perception.summarise(resamples, seed, floor=True)

    def save(self, details: Path) -> None:
        """Write what any other row writes."""
        self.perception.save(details)


def evaluate_baselines(
    lab: Path, prior: Prior, params: EvaluateParams, out: Path, weights: Path | None = None
) -> None:
    """Measure every baseline on the test photographs; each gets a folder in ``out``.

    Parameters
    ----------
    weights : the folder of published weights, for what networks make of the colors; None leaves
        that out.
    """
    train, test = LabSet.open(lab, "train"), LabSet.open(lab, "test")
    # The truth comes first: what networks make of it spares the others half of their work.
    predictors: dict[str, Predict] = {
        "truth": truth,
        "gray": gray,
        "mean_color": mean_color(prior.mean_color),
        "random_photograph": random_photograph(train, len(test), params.seed),
    }
    assert predictors.keys() == set(BASELINES)
    for name, predict in predictors.items():
        more = () if weights is None else (_perception(name, test, weights, out),)
        numbers = evaluate(predict, test, prior, params, out / name, more)
        write_json(out / name / "metrics.json", numbers)


def _perception(name: str, test: LabSet, weights: Path, out: Path) -> Recorder:
    if name == "truth":
        return HalfAgainstHalf(Perception.open(test, weights))
    return Perception.open(test, weights, out / "truth/details")
