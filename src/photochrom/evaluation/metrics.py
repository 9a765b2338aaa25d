"""How near the colors come: pure functions of truth and prediction, one value per photograph.

What each means, its unit and its source stand in :mod:`photochrom.measures` under the same key.
What goes wrong is counted by :mod:`photochrom.evaluation.indicators`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity
from torch import Tensor

from photochrom.color import colorfulness as hasler
from photochrom.color.bins import gamut313, lattice_rows
from photochrom.color.lab import lab_to_rgb8
from photochrom.data.prior import Prior
from photochrom.uncertainty import WEIGHTS

AUC_LIMIT = 150
PSNR_CAP = 60.0
SSIM_SIGMA = 1.5
SSIM_WINDOW = 11


@dataclass(frozen=True)
class Comparison:
    """Predicted against true colors of photographs that share L.

    Attributes
    ----------
    lightness : float32 (N, 1, H, W), L in 0..100.
    truth, predicted : float32 (N, 2, H, W), ab.
    """

    lightness: Tensor
    truth: Tensor
    predicted: Tensor

    @cached_property
    def true_rgb(self) -> Tensor:
        """The true photographs, uint8 (N, 3, H, W)."""
        return lab_to_rgb8(torch.cat((self.lightness, self.truth), dim=1))

    @cached_property
    def predicted_rgb(self) -> Tensor:
        """What is shown, uint8 (N, 3, H, W); colors outside the gamut are clipped."""
        return lab_to_rgb8(torch.cat((self.lightness, self.predicted), dim=1))

    @cached_property
    def distance(self) -> Tensor:
        """The Euclidean ab error of each pixel (N, H, W)."""
        return (self.predicted - self.truth).square().sum(1).sqrt()

    @cached_property
    def score(self) -> Tensor:
        """The share of the thresholds of AuC that each pixel's error keeps to (N, H, W) in 0..1."""
        return pixel_auc(self.distance)

    @cached_property
    def true_chroma(self) -> Tensor:
        """The chroma sqrt(a^2 + b^2) of each true pixel (N, H, W)."""
        return self.truth.square().sum(1).sqrt()

    @cached_property
    def predicted_chroma(self) -> Tensor:
        """The chroma of each pixel of the output (N, H, W)."""
        return self.predicted.square().sum(1).sqrt()

    @cached_property
    def true_bins(self) -> Tensor:
        """The nearest of the 313 bins to each true pixel, int64 (N, H, W)."""
        return nearest_bins(self.truth)

    @cached_property
    def rgb_error(self) -> Tensor:
        """The absolute error of each channel, float32 (N, 3, H, W) in 0..255."""
        return (self.predicted_rgb.float() - self.true_rgb.float()).abs()


def psnr(pair: Comparison) -> Tensor:
    """Return 10 log10(255^2 / MSE) over R, G and B, at most 60 dB."""
    error = pair.rgb_error.square().mean((1, 2, 3))
    return (10 * torch.log10(255.0**2 / error.clamp(min=1e-9))).clamp(max=PSNR_CAP)


def ssim(pair: Comparison) -> Tensor:
    """Return the structural similarity over R, G and B (Wang et al. 2004)."""
    # The window of sigma 1.5 is 11 pixels wide; smaller pictures spare as much of it as they have.
    side = min(pair.lightness.shape[-2:])
    window = min(SSIM_WINDOW, side - 1 + side % 2)
    pictures = zip(_channels_last(pair.true_rgb), _channels_last(pair.predicted_rgb), strict=True)
    values = [
        structural_similarity(
            true,
            shown,
            win_size=window,
            channel_axis=-1,
            data_range=255,
            gaussian_weights=True,
            sigma=SSIM_SIGMA,
            use_sample_covariance=False,
        )
        for true, shown in pictures
    ]
    return torch.tensor(values)


def ab_mse(pair: Comparison) -> Tensor:
    """Return the mean squared error over a and b."""
    return (pair.predicted - pair.truth).square().mean((1, 2, 3))


def ab_mae(pair: Comparison) -> Tensor:
    """Return the mean absolute error over a and b."""
    return (pair.predicted - pair.truth).abs().mean((1, 2, 3))


def ciede2000(pair: Comparison) -> Tensor:
    """Return the mean CIEDE2000 difference between the Lab values."""
    true = _channels_last(torch.cat((pair.lightness, pair.truth), dim=1))
    shown = _channels_last(torch.cat((pair.lightness, pair.predicted), dim=1))
    return torch.from_numpy(deltaE_ciede2000(true, shown)).mean((1, 2)).float()


def accuracy(pair: Comparison, threshold: float) -> Tensor:
    """Return the percentage of pixels whose R, G and B are all within ``threshold`` of 255."""
    right = (pair.rgb_error <= threshold * 255.0).all(1)
    return 100.0 * right.float().mean((1, 2))


def pixel_auc(distance: Tensor) -> Tensor:
    """Return each pixel's share of the thresholds 0, 1, .. 150 that its error does not exceed."""
    return (AUC_LIMIT + 1 - distance.ceil()).clamp(min=0) / (AUC_LIMIT + 1)


def auc(pair: Comparison) -> Tensor:
    """Return the area under the cumulative error curve in percent (Zhang et al. 2016)."""
    return 100.0 * pair.score.mean((1, 2))


def auc_rebalanced(pair: Comparison, rarity: Tensor) -> tuple[Tensor, Tensor]:
    """Return AuC with each pixel weighted by the rarity of its true bin, and the total weights.

    Parameters
    ----------
    rarity : (313,) 1 / prior of each bin, see :func:`rarities`.

    Returns
    -------
    Per photograph its weighted AuC in percent and the sum of its weights. Over a set of
    photographs the measure is the mean of the former weighted by the latter: every pixel of the
    set stands beside every other.
    """
    return _weighted_auc(pair, rarity)


def auc_weighted(pair: Comparison, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return AuC with each pixel weighted by the rebalancing weight of its true bin.

    Parameters
    ----------
    weights : (313,) of each bin (Zhang et al. 2016, equation 4), as the prior holds them.

    Returns
    -------
    Per photograph its weighted AuC in percent and the sum of its weights, as
    :func:`auc_rebalanced`.
    """
    return _weighted_auc(pair, weights)


def _weighted_auc(pair: Comparison, bin_weights: Tensor) -> tuple[Tensor, Tensor]:
    weights = bin_weights.to(pair.true_bins.device)[pair.true_bins]
    total = weights.sum((1, 2))
    scored = (pair.score.double() * weights).sum((1, 2))
    return 100.0 * scored / total, total


def rarities(prior: Tensor) -> Tensor:
    """Return 1 / prior of each bin (float64); bins that never occur take the rarest's value."""
    return 1.0 / prior.double().clamp(min=float(prior[prior > 0].min()))


def colorfulness(pair: Comparison) -> Tensor:
    """Return the colorfulness of what is shown (Hasler and Suesstrunk 2003)."""
    return hasler.colorfulness(pair.predicted_rgb)


def colorfulness_delta(pair: Comparison) -> Tensor:
    """Return the colorfulness of what is shown minus that of the truth."""
    return hasler.colorfulness(pair.predicted_rgb) - hasler.colorfulness(pair.true_rgb)


def colorfulness_absolute(pair: Comparison) -> Tensor:
    """Return the other published variant of the colorfulness of what is shown."""
    return hasler.absolute_colorfulness(pair.predicted_rgb)


def channel_error(pair: Comparison, channel: int) -> Tensor:
    """Return the mean absolute error of R, G or B (0, 1 or 2) in 0..255."""
    return pair.rgb_error[:, channel].mean((1, 2))


PLAIN: dict[str, Callable[[Comparison], Tensor]] = {
    "auc": auc,
    "colorfulness": colorfulness,
    "colorfulness_delta": colorfulness_delta,
    "colorfulness_absolute": colorfulness_absolute,
    "ciede2000": ciede2000,
    "ab_mse": ab_mse,
    "ab_mae": ab_mae,
    "psnr": psnr,
    "ssim": ssim,
    "red_mae": lambda pair: channel_error(pair, 0),
    "green_mae": lambda pair: channel_error(pair, 1),
    "blue_mae": lambda pair: channel_error(pair, 2),
}
"""The measures that need nothing but the pair."""


def bin_weights(prior: Prior) -> dict[str, Tensor]:
    """Return the weights (float64 (313,)) of the bins for each AuC that has some, by its key."""
    return {
        "auc_rebalanced": rarities(torch.from_numpy(prior.prior)),
        "auc_weighted": torch.from_numpy(prior.weights),
    }


def measure(
    pair: Comparison, threshold: float, weights: Mapping[str, Tensor]
) -> dict[str, np.ndarray]:
    """Return the measures of every photograph, and the sums of their weights (float64 (N,) each).

    Parameters
    ----------
    threshold : of the accuracy, a share of 255.
    weights : of the bins, as :func:`bin_weights` gives them.
    """
    values: dict[str, Tensor] = {}
    for key, function in (("auc_rebalanced", auc_rebalanced), ("auc_weighted", auc_weighted)):
        values[key], values[WEIGHTS[key]] = function(pair, weights[key])
    values |= {key: function(pair) for key, function in PLAIN.items()}
    values["accuracy"] = accuracy(pair, threshold)
    return {key: value.double().cpu().numpy() for key, value in values.items()}


def nearest_bins(ab: Tensor) -> Tensor:
    """Return the nearest of the 313 bins (int64 (N, H, W)) to each ab (N, 2, H, W), rounded."""
    return gamut313().lookup(1, 5.0)[0][:, 0].to(ab.device)[lattice_rows(ab)]


def _channels_last(pictures: Tensor) -> np.ndarray:
    array: np.ndarray = pictures.movedim(1, -1).cpu().numpy()
    return array
