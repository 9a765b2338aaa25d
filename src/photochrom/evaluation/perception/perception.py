"""The perceptual measures of one colorizer, gathered while its photographs are measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from photochrom.data.shards import LabSet
from photochrom.evaluation.metrics import Comparison
from photochrom.evaluation.perception import encoder, inception
from photochrom.evaluation.perception.distances import fid, kid
from photochrom.evaluation.perception.encoder import Encoder, feature_distance, recognised
from photochrom.evaluation.perception.features import Gathered, read_features, write_features
from photochrom.evaluation.perception.inception import Inception
from photochrom.evaluation.perception.lpips import SMALLEST, Lpips
from photochrom.evaluation.perception.published import ALEXNET, INCEPTION
from photochrom.evaluation.perception.sets import Sets

KID_SCALE = 1000.0


@dataclass(frozen=True, eq=False)
class Perception:
    """The networks that look at outputs and truth, and the features they have seen so far.

    Attributes
    ----------
    groups : (N,) the number 0..G-1 of each test photograph's group.
    classes : (N,) the number of each one's ImageNet class; None where not all have one.
    encoder, lpips, inception : the networks; None where one is not there.
    lite0, pool3 : the features of EfficientNet-Lite0 and of Inception-v3.
    """

    groups: np.ndarray
    classes: Tensor | None
    encoder: Encoder | None
    lpips: Lpips | None
    inception: Inception | None
    lite0: Gathered
    pool3: Gathered

    @classmethod
    def open(cls, test: LabSet, weights: Path, truth: Path | None = None) -> Self:
        """Load the networks that are there.

        Parameters
        ----------
        test : the test photographs.
        weights : the folder that ``photochrom weights fetch`` writes to.
        truth : the folder in which the row of the truth kept its features by :meth:`save`, which
            spares looking at the true photographs again; None looks.

        Raises
        ------
        PerceptionError
            If a network that is there cannot be used.
        """
        alexnet, inception_v3 = (one.ready(weights) for one in (ALEXNET, INCEPTION))
        network = Encoder.open()
        known = read_features(truth, len(test), encoder.WIDTH) if truth and network else None
        return cls(
            groups=np.unique(test.index["group"], return_inverse=True)[1],
            classes=encoder.class_numbers(test.index["label"].tolist()) if network else None,
            encoder=network,
            lpips=Lpips.open(alexnet) if alexnet and test.size >= SMALLEST else None,
            inception=Inception.open(inception_v3) if inception_v3 else None,
            lite0=Gathered(len(test) if network else 0, encoder.WIDTH, np.float16, known),
            pool3=Gathered(len(test) if inception_v3 else 0, inception.WIDTH, np.float32),
        )

    def measure(self, pair: Comparison, rows: np.ndarray) -> dict[str, Tensor]:
        """Look at some photographs, and return what can be measured of each.

        Parameters
        ----------
        pair : the photographs and their outputs.
        rows : (n,) their positions in the test split.

        Returns
        -------
        The measures by their keys, float (n,) each.
        """
        values = self._look(self.encoder, pair, rows) if self.encoder else {}
        if self.lpips:
            values["lpips"] = self.lpips(pair.true_rgb, pair.predicted_rgb)
        if self.inception:
            self.pool3.outputs[rows] = self.inception(pair.predicted_rgb).numpy()
            self.pool3.truth[rows] = self.inception(pair.true_rgb).numpy()
        return values

    def summarise(
        self, resamples: int, seed: int, floor: bool = False
    ) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
        """Return the distances between the sets of all outputs and all true photographs.

        Parameters
        ----------
        resamples : how often groups are drawn anew to find the intervals.
        seed : of the draws and of the halves.
        floor : compare one random half of the true photographs, by groups, with the other instead:
            what even true photographs differ by.

        Returns
        -------
        ``kid_lite0``, ``kid`` and ``fid`` as far as their networks are there, and the 95 %
        intervals of the first two; nothing where a set has fewer than two groups.
        """
        values: dict[str, float] = {}
        intervals: dict[str, tuple[float, float]] = {}
        for key, gathered in self._gathered():
            outputs, truth = gathered.both()
            halves = Sets.halved(truth, self.groups, seed) if floor else None
            sets = halves if floor else Sets.paired(outputs, truth, self.groups)
            if sets is None:
                continue
            value, found = kid(sets, resamples, seed)
            values[key] = KID_SCALE * value
            if found:
                intervals[key] = (KID_SCALE * found[0], KID_SCALE * found[1])
            if key == "kid":
                values["fid"] = fid(sets)
        return values, intervals

    def save(self, details: Path) -> None:
        """Write the encoder's features of the outputs to features.npy, float16 (N, 1280)."""
        if self.encoder:
            write_features(details, self.lite0.both()[0])

    def _look(self, network: Encoder, pair: Comparison, rows: np.ndarray) -> dict[str, Tensor]:
        features, logits = network(pair.predicted_rgb)
        self.lite0.outputs[rows] = features.numpy()
        if not self.lite0.knows_truth:
            self.lite0.truth[rows] = network(pair.true_rgb)[0].numpy()
        truth = torch.from_numpy(self.lite0.truth[rows])
        values = {"feature_distance": feature_distance(features, truth)}
        if self.classes is not None:
            classes = self.classes[torch.from_numpy(rows)]
            values["semantic_top1"] = recognised(logits, classes, 1)
            values["semantic_top5"] = recognised(logits, classes, 5)
        return values

    def _gathered(self) -> Iterator[tuple[str, Gathered]]:
        if self.encoder:
            yield "kid_lite0", self.lite0
        if self.inception:
            yield "kid", self.pool3
