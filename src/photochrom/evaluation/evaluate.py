"""One protocol for all: the test photographs through a colorizer, measured and drawn."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from photochrom.color.lab import decode_lab
from photochrom.colorizer import Colorizer
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet
from photochrom.evaluation.metrics import Comparison, measure, rarities
from photochrom.files import whole_file, write_json
from photochrom.measures import MEASURES
from photochrom.networks.base import count_parameters
from photochrom.params.pipeline import EvaluateParams
from photochrom.progress import track
from photochrom.uncertainty import bootstrap

BATCH = 64
TIMED = 15
DIGITS = 6


@dataclass(frozen=True)
class Sample:
    """Test photographs to be colored.

    Attributes
    ----------
    rows : (n,) their positions in the test split.
    lightness : float32 (n, 1, S, S), L in 0..100. A model sees this and nothing else.
    truth : float32 (n, 2, S, S), their true ab, for baselines and for measuring.
    """

    rows: np.ndarray
    lightness: Tensor
    truth: Tensor


Predictor = Callable[[Sample], Tensor]
"""Gives ab (n, 2, S, S) for a sample."""


def evaluate(
    predict: Predictor, test: LabSet, prior: Prior, params: EvaluateParams, out: Path
) -> dict[str, Any]:
    """Measure a colorizer on the test photographs.

    Writes per_image.parquet (a row per photograph) and pictures/ to ``out``.

    Returns
    -------
    What :func:`summarise` gives.
    """
    rarity = rarities(torch.from_numpy(prior.prior))
    drawn = test.spread(params.pictures).tolist()
    tables = []
    for sample in track(_samples(test), "Measuring", -(-len(test) // BATCH)):
        pair = Comparison(sample.lightness, sample.truth, predict(sample))
        tables.append(pd.DataFrame(measure(pair, params.accuracy_threshold, rarity)))
        _draw(pair.predicted_rgb, sample.rows, drawn, out / "pictures")
    table = test.index[["id", "group", "label"]].join(pd.concat(tables, ignore_index=True))
    table["picture"] = pd.Series({row: f"{n:03d}" for n, row in enumerate(drawn)}, dtype=object)
    with whole_file(out / "per_image.parquet") as path:
        table.to_parquet(path, index=False)
    return summarise(table, params)


def summarise(table: pd.DataFrame, params: EvaluateParams) -> dict[str, Any]:
    """Return the measures of a set of photographs from the rows of per_image.parquet.

    Returns
    -------
    ``photographs``, their number; each measure by its key; ``interval``, the lowest and the
    highest value of the 95 % interval of each, empty where all photographs are of one group.
    Lists, which the tables of DVC leave out.
    """
    keys = [measure.key for measure in MEASURES if measure.key in table]
    drawn = bootstrap(table, keys, params.resamples, params.seed)
    means = {key: round(float(drawn.means[key]), DIGITS) for key in keys}
    intervals = {
        key: [round(low, DIGITS), round(high, DIGITS)]
        for key, (low, high) in drawn.intervals().items()
    }
    return {"photographs": len(table), **means, "interval": intervals}


def evaluate_model(
    colorizer: Colorizer, test: LabSet, prior: Prior, params: EvaluateParams, out: Path
) -> dict[str, Any]:
    """Measure a trained model; adds its time per photograph and its parameters.

    Writes metrics.json, per_image.parquet and pictures/ to ``out``.
    """
    numbers = evaluate(lambda s: colorizer.predict_ab(s.lightness), test, prior, params, out)
    numbers["milliseconds"] = round(_milliseconds(colorizer, test), 3)
    numbers["parameters"] = count_parameters(colorizer.network)
    write_json(out / "metrics.json", numbers)
    return numbers


def _samples(test: LabSet) -> Iterator[Sample]:
    for start in range(0, len(test), BATCH):
        rows = np.arange(start, min(start + BATCH, len(test)))
        lab = decode_lab(torch.from_numpy(test.take(rows)))
        yield Sample(rows, lab[:, :1], lab[:, 1:])


def _draw(rgb: Tensor, rows: np.ndarray, drawn: list[int], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for position, row in enumerate(rows):
        if row in drawn:
            picture = Image.fromarray(rgb[position].movedim(0, -1).cpu().numpy())
            picture.save(folder / f"{drawn.index(row):03d}.png")


def _milliseconds(colorizer: Colorizer, test: LabSet) -> float:
    lightness = decode_lab(torch.from_numpy(test.take(np.zeros(1, dtype=int))))[:, :1]
    return 1000.0 * statistics.median(_timed(colorizer, lightness) for _ in range(TIMED))


def _timed(colorizer: Colorizer, lightness: Tensor) -> float:
    started = time.perf_counter()
    colorizer.predict_ab(lightness)
    return time.perf_counter() - started
