"""Every measure against its formula, a loop, or another implementation."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.color import lab2rgb
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from photochrom.color.bins import gamut313
from photochrom.data.prior import Prior
from photochrom.evaluation import metrics
from photochrom.evaluation.metrics import Comparison, bin_weights, measure, pixel_auc, rarities
from photochrom.measures import MEASURES

THRESHOLDS = np.arange(151)
EVEN = {"auc_rebalanced": torch.ones(313), "auc_weighted": torch.ones(313)}
RISING = {key: torch.linspace(1, 9, 313) for key in EVEN}


def flat(lightness: float, *ab: tuple[float, float], side: int = 4) -> tuple[Tensor, Tensor]:
    """Return a picture of even lightness whose colors stand side by side in equal stripes."""
    colors = torch.tensor(ab).T[:, None, :].repeat_interleave(side, 2).expand(2, side, -1)
    gray = torch.full((1, 1, side, side * len(ab)), lightness)
    return gray, colors[None].clone()


def pair_of(truth: tuple[float, float], predicted: tuple[float, float], gray: float = 50.0) -> Any:
    lightness, true = flat(gray, truth)
    return Comparison(lightness, true, flat(gray, predicted)[1])


def random_pair(count: int = 3, side: int = 24, spread: float = 15.0) -> Comparison:
    generator = torch.Generator().manual_seed(0)
    lightness = 40 + 30 * torch.rand(count, 1, side, side, generator=generator)
    truth = spread * torch.randn(count, 2, side, side, generator=generator)
    predicted = truth + 10 * torch.randn(count, 2, side, side, generator=generator)
    return Comparison(lightness, truth, predicted)


def rgb8(lightness: Tensor, ab: Tensor) -> np.ndarray:
    """Draw with another library."""
    lab = torch.cat((lightness, ab), 1).movedim(1, -1).double().numpy()
    return np.stack([np.round(255 * lab2rgb(one)) for one in lab])


def with_rgb_error(error: Tensor) -> Comparison:
    pair = random_pair(1, 2)
    pair.__dict__["rgb_error"] = error
    return pair


def literal_auc(distance: np.ndarray) -> float:
    """Zhang et al. 2016: the share of pixels within t, averaged over t = 0, 1, .. 150."""
    return float(100 * np.mean([np.mean(distance <= t) for t in THRESHOLDS]))


def test_the_truth_scores_perfectly() -> None:
    pair = random_pair()
    found = measure(Comparison(pair.lightness, pair.truth, pair.truth), 0.05, EVEN)
    perfect = {"psnr": 60, "ssim": 1, "auc": 100, "auc_rebalanced": 100, "accuracy": 100}
    perfect["auc_weighted"] = 100
    for key, value in perfect.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-6, err_msg=key)
    for key in (
        "ab_mse", "ab_mae", "ciede2000", "colorfulness_delta", "red_mae", "green_mae", "blue_mae",
    ):  # fmt: skip
        np.testing.assert_array_equal(found[key], 0.0, err_msg=key)


def test_every_published_measure_is_made_and_no_other() -> None:
    found = measure(random_pair(), 0.05, EVEN)
    of_colors = {m.key for m in MEASURES if m.group in ("color", "pixels")}
    overlaps = {"palette_overlap", "color_overlap"}
    weights = {"auc_rebalanced_weight", "auc_weighted_weight"}
    assert found.keys() == of_colors - overlaps | weights
    for key, values in found.items():
        assert values.shape == (3,), key
        assert values.dtype == np.float64, key
        assert np.isfinite(values).all(), key


def test_photographs_are_measured_one_by_one() -> None:
    pair = random_pair()
    together = measure(pair, 0.05, RISING)
    for row in range(3):
        parts = (part[row : row + 1] for part in (pair.lightness, pair.truth, pair.predicted))
        alone = measure(Comparison(*parts), 0.05, RISING)
        for key, value in alone.items():
            np.testing.assert_allclose(value[0], together[key][row], rtol=1e-5, err_msg=key)


def test_psnr_is_that_of_the_eight_bit_pictures() -> None:
    pair = random_pair()
    pictures = zip(
        rgb8(pair.lightness, pair.truth), rgb8(pair.lightness, pair.predicted), strict=True
    )
    expected = [peak_signal_noise_ratio(true, shown, data_range=255) for true, shown in pictures]
    np.testing.assert_allclose(metrics.psnr(pair), expected, atol=0.02)


def test_psnr_of_a_known_error() -> None:
    error = torch.full((1, 3, 4, 4), 10.0)
    expected = 20 * math.log10(255 / 10)
    assert metrics.psnr(with_rgb_error(error)).item() == pytest.approx(expected, rel=1e-5)
    assert metrics.psnr(with_rgb_error(error * 25.5)).item() == pytest.approx(0.0, abs=1e-4)


def test_psnr_is_capped() -> None:
    error = torch.zeros(1, 3, 128, 128)
    assert metrics.psnr(with_rgb_error(error)).item() == 60.0
    error[0, 0, 0, 0] = 1.0
    assert metrics.psnr(with_rgb_error(error)).item() == 60.0


def test_ssim_equals_scikit_image() -> None:
    pair = random_pair()
    found = metrics.ssim(pair)
    for row in range(3):
        true, shown = (p[row].movedim(0, -1).numpy() for p in (pair.true_rgb, pair.predicted_rgb))
        expected = structural_similarity(
            true, shown, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        )  # fmt: skip
        assert found[row].item() == pytest.approx(expected, rel=1e-6)


def test_ssim_is_the_published_formula() -> None:
    pair = random_pair(1, 32)
    true, shown = (p[0].double().numpy() for p in (pair.true_rgb, pair.predicted_rgb))
    values = [published_ssim(one, other) for one, other in zip(true, shown, strict=True)]
    assert metrics.ssim(pair)[0].item() == pytest.approx(np.mean(values), rel=1e-6)


def published_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """Wang et al. 2004, equation 13, where the window of 11 pixels fits."""

    def blurred(values: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, 1.5, radius=5)[5:-5, 5:-5]

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_x, mean_y = blurred(x), blurred(y)
    var_x, var_y = blurred(x * x) - mean_x**2, blurred(y * y) - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float((above / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


@pytest.mark.parametrize("side", [8, 9, 10, 11])
def test_pictures_smaller_than_the_window_have_an_ssim(side: int) -> None:
    pair = random_pair(2, side)
    assert ((metrics.ssim(pair) > 0) & (metrics.ssim(pair) < 1)).all()
    same = Comparison(pair.lightness, pair.truth, pair.truth)
    np.testing.assert_allclose(metrics.ssim(same), 1.0)


def test_ab_errors_are_means_over_both_channels() -> None:
    pair = random_pair()
    difference = (pair.predicted - pair.truth).double().numpy()
    np.testing.assert_allclose(metrics.ab_mse(pair), (difference**2).mean((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(metrics.ab_mae(pair), np.abs(difference).mean((1, 2, 3)), rtol=1e-5)
    known = pair_of((10.0, 20.0), (13.0, 16.0))
    assert metrics.ab_mse(known).item() == pytest.approx(12.5)
    assert metrics.ab_mae(known).item() == pytest.approx(3.5)
    assert known.distance.unique().tolist() == [5.0]


# Sharma, Wu and Dalal, The CIEDE2000 Color-Difference Formula, 2005, table 1.
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((2.6772, -79.7751), (0.0, -82.7485), 2.0425),
        ((3.1571, -77.2803), (0.0, -82.7485), 2.8615),
        ((2.8361, -74.0200), (0.0, -82.7485), 3.4412),
        ((-1.3802, -84.2814), (0.0, -82.7485), 1.0000),
        ((0.0, 0.0), (-1.0, 2.0), 2.3669),
        ((-1.0, 2.0), (0.0, 0.0), 2.3669),
        ((2.5, 0.0), (0.0, -2.5), 4.3065),
        ((2.5, 0.0), (3.1736, 0.5854), 1.0000),
        ((2.5, 0.0), (3.2972, 0.0), 1.0000),
        ((2.5, 0.0), (1.8634, 0.5757), 1.0000),
    ],
)
def test_ciede2000_of_the_published_pairs(
    one: tuple[float, float], other: tuple[float, float], expected: float
) -> None:
    assert metrics.ciede2000(pair_of(one, other)).item() == pytest.approx(expected, abs=2e-4)


def test_ciede2000_is_the_mean_over_pixels() -> None:
    lightness, truth = flat(50.0, (0.0, -82.7485), (0.0, 0.0))
    predicted = flat(50.0, (2.6772, -79.7751), (0.0, 0.0))[1]
    found = metrics.ciede2000(Comparison(lightness, truth, predicted)).item()
    assert found == pytest.approx(2.0425 / 2, abs=1e-4)


def test_accuracy_counts_the_threshold_itself_as_right() -> None:
    threshold = 12 / 255
    error = torch.zeros(1, 3, 2, 2)
    error[0, :, 0, 0] = 12.0
    error[0, 0, 0, 1] = 13.0
    error[0, 2, 1, 0] = 13.0
    assert metrics.accuracy(with_rgb_error(error), threshold).item() == 50.0
    assert metrics.accuracy(with_rgb_error(error), 0.05).item() == 50.0
    assert metrics.accuracy(with_rgb_error(error), 13 / 255).item() == 100.0
    assert metrics.accuracy(with_rgb_error(error), 11.9 / 255).item() == 25.0


@given(st.lists(st.one_of(st.floats(0, 400, width=32), st.integers(0, 300)), min_size=1))
def test_auc_equals_the_literal_loop(values: list[float]) -> None:
    distance = torch.tensor(values, dtype=torch.float32)
    expected = literal_auc(distance.numpy())
    assert 100 * pixel_auc(distance).mean().item() == pytest.approx(expected, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize(
    ("distance", "within"), [(0, 151), (0.5, 150), (1, 150), (149.5, 1), (150, 1), (150.5, 0)]
)
def test_auc_counts_151_thresholds(distance: float, within: int) -> None:
    assert pixel_auc(torch.tensor([distance])).item() == pytest.approx(within / 151)


def test_auc_of_photographs() -> None:
    pair = random_pair(spread=60.0)
    difference = (pair.predicted - pair.truth).double().numpy()
    distances = np.sqrt((difference**2).sum(1))
    expected = [literal_auc(distance) for distance in distances]
    np.testing.assert_allclose(metrics.auc(pair), expected, atol=0.01)


def test_auc_of_a_gray_answer() -> None:
    pair = pair_of((30.0, 40.0), (0.0, 0.0))
    assert metrics.auc(pair).item() == pytest.approx(100 * 101 / 151)
    sixteen = 100 * np.mean(np.arange(0, 151, 10) >= 50)
    assert metrics.auc(pair).item() != pytest.approx(sixteen, abs=1.0)


def test_rebalanced_auc_weighs_pixels_by_their_true_bin() -> None:
    lightness, truth = flat(50.0, (0.0, 0.0), (40.0, 30.0))
    pair = Comparison(lightness, truth, torch.zeros_like(truth))
    centers = gamut313().centers.tolist()
    prior = torch.full((313,), 0.01)
    prior[centers.index([0.0, 0.0])] = 0.5
    prior[centers.index([40.0, 30.0])] = 0.1
    found, weight = metrics.auc_rebalanced(pair, rarities(prior))
    gray, colorful = 1.0, 101 / 151
    expected = 100 * (2 * gray + 10 * colorful) / 12
    assert found.item() == pytest.approx(expected, rel=1e-6)
    assert weight.item() == pytest.approx(16 * (2 + 10))


def test_rebalanced_auc_asks_for_the_nearest_bin_of_the_truth() -> None:
    pair = random_pair()
    rarity = torch.rand(313, generator=torch.Generator().manual_seed(1)) * 9 + 1
    stored = pair.truth.round().movedim(1, -1).double().numpy()
    centers = gamut313().centers.double().numpy()
    squares = ((stored[..., None, :] - centers) ** 2).sum(-1)
    tied = np.isclose(squares, squares.min(-1, keepdims=True)).sum(-1) > 1
    weights = rarity.numpy()[squares.argmin(-1)]
    found, total = metrics.auc_rebalanced(pair, rarity)
    distance = pair.distance.numpy()
    shares = np.stack([distance <= t for t in THRESHOLDS]).mean(0)
    expected = 100 * (shares * weights).sum((1, 2)) / weights.sum((1, 2))
    # Colors halfway between bins may count for either; a few of them do not move the mean.
    assert tied.mean() < 0.25
    np.testing.assert_allclose(found, expected, atol=0.3)
    np.testing.assert_allclose(total, weights.sum((1, 2)), rtol=0.05)


def test_weighted_auc_takes_the_rebalancing_weights(prior: Prior) -> None:
    lightness, truth = flat(50.0, (0.0, 0.0), (20.0, 10.0))
    pair = Comparison(lightness, truth, torch.zeros_like(truth))
    centers = gamut313().centers.tolist()
    gray, colorful = (prior.weights[centers.index(ab)] for ab in ([0.0, 0.0], [20.0, 10.0]))
    found, weight = metrics.auc_weighted(pair, bin_weights(prior)["auc_weighted"])
    error = math.ceil(math.hypot(20.0, 10.0))
    expected = (gray + colorful * (151 - error) / 151) / (gray + colorful)
    assert found.item() == pytest.approx(100 * expected, rel=1e-6)
    assert weight.item() == pytest.approx(16 * (gray + colorful))


def test_weights_of_bins_come_from_the_prior(prior: Prior) -> None:
    weights = bin_weights(prior)
    np.testing.assert_allclose(weights["auc_rebalanced"], 1 / prior.prior)
    share = prior.prior * weights["auc_weighted"].numpy()
    assert share.sum() == pytest.approx(1.0)
    # Half of an even distribution mixed in bounds the weights, as 1 / prior does not.
    spread = [float(weight.max() / weight.min()) for weight in weights.values()]
    assert spread[1] < spread[0]


def test_bins_that_never_occur_are_as_rare_as_the_rarest() -> None:
    prior = torch.tensor([0.0, 0.25, 0.75])
    assert rarities(prior).tolist() == pytest.approx([4.0, 4.0, 4 / 3])


def test_colorfulness_is_that_of_what_is_shown() -> None:
    pair = random_pair()
    shown, true = (rgb8(pair.lightness, ab) for ab in (pair.predicted, pair.truth))
    signed, absolute = hasler(shown, np.asarray), hasler(shown, np.abs)
    np.testing.assert_allclose(metrics.colorfulness(pair), signed, atol=0.05)
    np.testing.assert_allclose(metrics.colorfulness_absolute(pair), absolute, atol=0.05)
    delta = signed - hasler(true, np.asarray)
    np.testing.assert_allclose(metrics.colorfulness_delta(pair), delta, atol=0.1)


def hasler(pictures: np.ndarray, taken: Any) -> np.ndarray:
    red, green, blue = np.moveaxis(pictures, -1, 0)
    rg, yb = taken(red - green), taken((red + green) / 2 - blue)
    spread = np.sqrt(rg.var((1, 2)) + yb.var((1, 2)))
    return spread + 0.3 * np.sqrt(rg.mean((1, 2)) ** 2 + yb.mean((1, 2)) ** 2)


def test_a_gray_answer_lacks_all_the_color_of_the_truth() -> None:
    pair = pair_of((30.0, 40.0), (0.0, 0.0))
    assert metrics.colorfulness(pair).item() == pytest.approx(0.0, abs=0.5)
    truth = hasler(rgb8(pair.lightness, pair.truth), np.asarray)[0]
    assert metrics.colorfulness_delta(pair).item() == pytest.approx(-truth, abs=0.5)


def test_channel_errors_are_those_of_red_green_and_blue() -> None:
    pair = random_pair()
    error = np.abs(rgb8(pair.lightness, pair.predicted) - rgb8(pair.lightness, pair.truth))
    for channel, name in enumerate(("red_mae", "green_mae", "blue_mae")):
        expected = error[..., channel].mean((1, 2))
        np.testing.assert_allclose(metrics.PLAIN[name](pair), expected, atol=0.05)


def test_colors_out_of_the_gamut_are_measured_as_they_are_shown() -> None:
    pair = pair_of((0.0, 0.0), (500.0, -500.0))
    assert pair.predicted_rgb.unique().numel() <= 3
    found = measure(pair, 0.05, EVEN)
    assert all(np.isfinite(values).all() for values in found.values())
    assert found["auc"][0] == 0.0
