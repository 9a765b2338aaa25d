"""Classification: the soft cross-entropy against a dense one written in NumPy."""

import math

import numpy as np
import pytest
import torch
from objective_kit import UNET, VGG, model_of, random_batch
from torch import Tensor

from photochrom.color.bins import bins, gamut313
from photochrom.objectives import build_task
from photochrom.objectives.classification.task import Classification, SoftCrossEntropy
from photochrom.params.models import ModelParams

LINEAR = {**UNET, "output": "linear"}
MEAN = {"kind": "mean"}


def model(
    neighbours: int = 5,
    rebalance: bool = False,
    which: str = "gamut313",
    network: dict[str, object] = LINEAR,
) -> ModelParams:
    objective = {
        "kind": "classification",
        "bins": which,
        "neighbours": neighbours,
        "sigma": 5.0,
        "rebalance": rebalance,
    }
    return model_of(objective, network, MEAN)


def task_of(params: ModelParams, weights: Tensor | None = None) -> Classification:
    task = build_task(params, weights)
    assert isinstance(task, Classification)
    return task


def untied_colors(count: int, neighbours: int) -> np.ndarray:
    """Whole ab values whose nearest bins are no two equally far, so that all agree on them."""
    centers = gamut313().centers.numpy().astype(np.float64)
    draws = np.random.default_rng(0).integers(-80, 80, (40 * count, 2)).astype(np.float64)
    squares = np.sort(((draws[:, None] - centers) ** 2).sum(-1), axis=1)[:, : neighbours + 1]
    return draws[(np.diff(squares, axis=1) > 0).all(axis=1)][:count]


def dense_loss(
    logits: np.ndarray, ab: np.ndarray, neighbours: int, sigma: float, weights: np.ndarray
) -> float:
    """Zhang et al. 2016, equation 2, with one number per bin and pixel."""
    centers = gamut313().centers.numpy().astype(np.float64)
    total = 0.0
    for scores, color in zip(logits, ab, strict=True):
        squares = ((centers - color) ** 2).sum(-1)
        chosen = np.argsort(squares)[:neighbours]
        target = np.zeros(len(centers))
        target[chosen] = np.exp(-squares[chosen] / (2 * sigma**2))
        target /= target.sum()
        log_probabilities = scores - scores.max()
        log_probabilities -= np.log(np.exp(log_probabilities).sum())
        total += -weights[chosen[0]] * (target * log_probabilities).sum()
    return total / len(ab)


def as_pixels(values: np.ndarray, height: int) -> Tensor:
    """Turn (N, C) into a picture (1, C, height, N / height)."""
    return torch.from_numpy(values.T.reshape(1, values.shape[1], height, -1).copy()).float()


@pytest.mark.parametrize("neighbours", [1, 5, 10])
def test_loss_equals_the_dense_one(neighbours: int) -> None:
    ab = untied_colors(48, neighbours)
    rng = np.random.default_rng(1)
    logits, weights = rng.normal(0, 3, (48, 313)), rng.uniform(0.1, 6, 313)
    criterion = SoftCrossEntropy(gamut313(), neighbours, 5.0, torch.from_numpy(weights))
    found = criterion(as_pixels(logits, 6), as_pixels(ab, 6)).item()
    assert found == pytest.approx(dense_loss(logits, ab, neighbours, 5.0, weights), rel=1e-5)


def test_colors_count_at_the_nearest_one_that_is_stored() -> None:
    ab = untied_colors(48, 5)
    logits = np.random.default_rng(1).normal(0, 3, (48, 313))
    criterion = SoftCrossEntropy(gamut313(), 5, 5.0, None)
    moved = ab + np.random.default_rng(2).uniform(-0.49, 0.49, ab.shape)
    exact = criterion(as_pixels(logits, 6), as_pixels(ab, 6))
    assert torch.equal(criterion(as_pixels(logits, 6), as_pixels(moved, 6)), exact)


def test_knowing_nothing_costs_log_313_times_the_mean_weight() -> None:
    ab = untied_colors(48, 5)
    weights = torch.rand(313, generator=torch.Generator().manual_seed(0)) * 5
    picture = as_pixels(ab, 6)
    nearest = gamut313().nearest(picture.movedim(1, -1))
    found = SoftCrossEntropy(gamut313(), 5, 5.0, weights)(torch.full((1, 313, 6, 8), 7.0), picture)
    expected = math.log(313) * weights[nearest].mean().item()
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_one_neighbour_is_the_hard_cross_entropy() -> None:
    picture = as_pixels(untied_colors(48, 1), 6)
    logits = torch.randn(1, 313, 6, 8, generator=torch.Generator().manual_seed(0))
    hard = torch.nn.functional.cross_entropy(logits, gamut313().nearest(picture.movedim(1, -1)))
    found = SoftCrossEntropy(gamut313(), 1, 5.0, None)(logits, picture)
    torch.testing.assert_close(found, hard)


def test_huge_logits_stay_finite() -> None:
    picture = as_pixels(untied_colors(48, 5), 6)
    logits = torch.randn(1, 313, 6, 8) * 1e6
    logits.requires_grad_()
    loss = SoftCrossEntropy(gamut313(), 5, 5.0, None)(logits, picture)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("which", ["gamut313", "grid256"])
def test_logits_are_as_many_as_bins(which: str) -> None:
    task, batch = task_of(model(which=which)), random_batch()
    assert task.network(batch.lightness).shape[1] == len(bins(which))  # type: ignore[arg-type]
    assert task.bins is bins(which)  # type: ignore[arg-type]


def test_the_truth_is_averaged_to_the_resolution_of_the_network() -> None:
    task, batch = task_of(model(network=VGG)), random_batch(side=32)
    raw = torch.randn(2, 313, 8, 8)
    ab = batch.ab.reshape(2, 2, 8, 4, 8, 4)
    averaged, strided = ab.mean((3, 5)), ab[:, :, :, 0, :, 0]
    found = task.loss(raw, batch.ab)
    torch.testing.assert_close(found, task.loss(raw, averaged))
    assert not torch.isclose(found, task.loss(raw, strided), rtol=1e-3)


def test_validation_counts_the_likeliest_bin() -> None:
    task, batch = task_of(model()), random_batch()
    nearest = gamut313().nearest(batch.ab.round().movedim(1, -1))
    logits = torch.nn.functional.one_hot(nearest, 313).movedim(-1, 1).float()
    logits[:, :, :4] = 0.0
    logits[:, 312, :4] = 1.0
    known = torch.nn.Identity()
    found = task.validate(known, type(batch)(logits, batch.ab))["bin_accuracy"].item()
    lucky = (nearest[:, :4] == 312).float().mean().item()
    # Colors halfway between two bins may count for either.
    assert found == pytest.approx(0.75 + 0.25 * lucky, abs=0.02)


def test_rebalancing_weighs_pixels() -> None:
    weights = torch.linspace(0.1, 6.0, 313)
    plain, balanced = task_of(model()), task_of(model(rebalance=True), weights)
    raw, ab = torch.randn(2, 313, 16, 16), random_batch().ab
    assert balanced.loss(raw, ab).item() != pytest.approx(plain.loss(raw, ab).item(), rel=1e-3)
    even = task_of(model(rebalance=True), torch.ones(313))
    assert torch.equal(even.loss(raw, ab), plain.loss(raw, ab))


def test_weights_are_left_alone_where_nothing_is_rebalanced() -> None:
    raw, ab = torch.randn(2, 313, 16, 16), random_batch().ab
    weighed = task_of(model(), torch.linspace(0.1, 6.0, 313))
    assert torch.equal(weighed.loss(raw, ab), task_of(model()).loss(raw, ab))


@pytest.mark.parametrize("weights", [None, torch.ones(256)])
def test_rebalancing_without_its_weights_is_refused(weights: Tensor | None) -> None:
    with pytest.raises(ValueError, match="313 weights"):
        build_task(model(rebalance=True), weights)


def test_rebalancing_bins_without_a_prior_is_refused_by_params() -> None:
    with pytest.raises(ValueError, match="rebalance takes the prior of bins gamut313"):
        model(rebalance=True, which="grid256")


def test_tables_of_the_loss_are_not_saved_with_the_weights() -> None:
    task = task_of(model())
    assert all(name.startswith("network.") for name in task.state_dict())
