"""One protocol for all: the test photographs through a colorizer, measured and drawn."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from photochrom.color.lab import decode_lab
from photochrom.colorizer.prediction import Predictor
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet
from photochrom.evaluation import indicators, metrics
from photochrom.evaluation.classifiers import Classifier
from photochrom.evaluation.distribution import Distribution
from photochrom.evaluation.failures import draw_failures
from photochrom.evaluation.hues import Hues
from photochrom.evaluation.metrics import Comparison
from photochrom.evaluation.recorder import Recorder
from photochrom.files import whole_file, write_json
from photochrom.measures import MEASURES
from photochrom.networks.base import count_parameters
from photochrom.params.pipeline import EvaluateParams
from photochrom.progress import track
from photochrom.uncertainty import WEIGHTS, bootstrap

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


Predict = Callable[[Sample], Tensor]
"""Gives ab (n, 2, S, S) for a sample."""


def evaluate(
    predict: Predict,
    test: LabSet,
    prior: Prior,
    params: EvaluateParams,
    out: Path,
    more: Sequence[Recorder] = (),
) -> dict[str, Any]:
    """Measure a colorizer on the test photographs.

    Writes per_image.parquet (a row per photograph), pictures/ and details/ to ``out``.

    Parameters
    ----------
    more : what looks on besides the records of colors and hues, made for this one pass.

    Returns
    -------
    What :func:`summarise` gives.
    """
    recorders = (Distribution(test), Hues(test), *more)
    table = _measured(predict, test, prior, params, out / "pictures", recorders)
    with whole_file(out / "per_image.parquet") as path:
        table.to_parquet(path, index=False)
    for recorder in recorders:
        recorder.save(out / "details")
    return summarise(table, params, recorders)


def summarise(
    table: pd.DataFrame, params: EvaluateParams, recorders: Sequence[Recorder] = ()
) -> dict[str, Any]:
    """Return the measures of a set of photographs.

    Parameters
    ----------
    table : the rows of per_image.parquet.
    recorders : what looked on while they were measured.

    Returns
    -------
    ``photographs``, their number; each measure by its key; ``interval``, the lowest and the
    highest value of the 95 % interval of each that has one; none where all photographs are of one
    group. Lists, which the tables of DVC leave out.
    """
    keys = [measure.key for measure in MEASURES if measure.key in table]
    drawn = bootstrap(table, keys, params.resamples, params.seed)
    values = {key: float(drawn.means[key]) for key in keys}
    intervals = drawn.intervals()
    for recorder in recorders:
        of_set, of_draws = recorder.summarise(params.resamples, params.seed)
        values, intervals = values | of_set, intervals | of_draws
    present = [measure.key for measure in MEASURES if measure.key in values]
    means = {key: round(values[key], DIGITS) for key in present}
    bounds = {
        key: [round(bound, DIGITS) for bound in intervals[key]]
        for key in present
        if key in intervals
    }
    return {"photographs": len(table), **means, "interval": bounds}


def evaluate_model(
    colorizer: Predictor,
    test: LabSet,
    prior: Prior,
    params: EvaluateParams,
    out: Path,
    more: Sequence[Recorder] = (),
) -> dict[str, Any]:
    """Measure a trained model; adds its time per photograph, its parameters and its failures.

    Writes metrics.json, per_image.parquet, pictures/ and details/ to ``out``, a folder of the
    model's name.
    """
    if colorizer.bins is None:
        numbers = evaluate(_plain(colorizer), test, prior, params, out, more)
    else:
        classifier = Classifier(test, colorizer.bins)
        watched = _watched(colorizer, classifier)
        numbers = evaluate(watched, test, prior, params, out, (classifier, *more))
    numbers["milliseconds"] = round(_milliseconds(colorizer, test), 3)
    numbers["parameters"] = count_parameters(colorizer.network)
    table = pd.read_parquet(out / "per_image.parquet")
    draw_failures(colorizer.predict_ab, test, table, params.failures, out)
    write_json(out / "metrics.json", numbers)
    return numbers


def _plain(colorizer: Predictor) -> Predict:
    return lambda sample: colorizer.predict_ab(sample.lightness)


def _watched(colorizer: Predictor, classifier: Classifier) -> Predict:
    return lambda s: colorizer.predict_ab(s.lightness, classifier.observer(s.truth))


def _measured(
    predict: Predict,
    test: LabSet,
    prior: Prior,
    params: EvaluateParams,
    pictures: Path,
    recorders: Sequence[Recorder],
) -> pd.DataFrame:
    """Return a row for each photograph and draw those that are kept into ``pictures``."""
    weights = metrics.bin_weights(prior)
    drawn = test.spread(params.pictures).tolist()
    tables = []
    for sample in track(_samples(test), "Measuring", -(-len(test) // BATCH)):
        pair = Comparison(sample.lightness, sample.truth, predict(sample))
        values = metrics.measure(pair, params.accuracy_threshold, weights)
        values |= indicators.measure(pair)
        for recorder in recorders:
            seen = recorder.measure(pair, sample.rows)
            values |= {key: part.double().cpu().numpy() for key, part in seen.items()}
        tables.append(pd.DataFrame(values))
        _draw(pair.predicted_rgb, sample.rows, drawn, pictures)
    table = test.index[["id", "group", "label"]].join(pd.concat(tables, ignore_index=True))
    table["picture"] = pd.Series({row: f"{n:03d}" for n, row in enumerate(drawn)}, dtype=object)
    return table.drop(columns=_without_weight(table))


def _without_weight(table: pd.DataFrame) -> list[str]:
    """Return the columns of the measures that no photograph has anything to measure for."""
    empty = [(key, weight) for key, weight in WEIGHTS.items() if not table[weight].any()]
    return [column for pair in empty for column in pair]


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


def _milliseconds(colorizer: Predictor, test: LabSet) -> float:
    lightness = decode_lab(torch.from_numpy(test.take(np.zeros(1, dtype=int))))[:, :1]
    return 1000.0 * statistics.median(_timed(colorizer, lightness) for _ in range(TIMED))


def _timed(colorizer: Predictor, lightness: Tensor) -> float:
    started = time.perf_counter()
    colorizer.predict_ab(lightness)
    return time.perf_counter() - started
