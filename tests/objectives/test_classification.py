"""Classification: rebalanced or not, at the network's resolution, study 001's formula."""

from typing import Any

import numpy as np
import pytest
import torch
from objective_kit import UNET, VGG, model_of, random_batch
from torch import Tensor

from photochrom.color.bins import bins, gamut313
from photochrom.data.prior import Prior
from photochrom.objectives import build_task
from photochrom.objectives.classification.task import Classification
from photochrom.params.data import PriorParams
from photochrom.params.models import ClassificationParams, ModelParams

RESNET = {
    "kind": "resnet",
    "depth": 18,
    "pretrained": False,
    "decoder": "upsampling",
    "norm": True,
}
LINEAR = {**UNET, "output": "linear"}
MEAN = {"kind": "mean"}
BY_PRIOR = {"kind": "prior"}
BY_COUNTS = {"kind": "counts", "power": 0.5, "offset": 1e5}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def model(
    neighbours: int = 5,
    rebalance: dict[str, Any] | None = None,
    which: str = "gamut313",
    network: dict[str, object] = LINEAR,
) -> ModelParams:
    objective = {
        "kind": "classification",
        "bins": which,
        "neighbours": neighbours,
        "sigma": 5.0,
        "rebalance": rebalance,
        "decoder": None,
    }
    return model_of(objective, network, MEAN)


def task_of(params: ModelParams, weights: Tensor | None = None) -> Classification:
    task = build_task(params, weights)
    assert isinstance(task, Classification)
    return task


@pytest.mark.parametrize("which", ["gamut313", "grid256"])
def test_logits_are_as_many_as_bins(which: str) -> None:
    task, batch = task_of(model(which=which)), random_batch()
    assert task.network(batch.lightness).shape[1] == len(bins(which))  # type: ignore[arg-type]
    assert task.bins is bins(which)  # type: ignore[arg-type]


def test_the_truth_is_averaged_to_the_resolution_of_the_network() -> None:
    task, batch = task_of(model(network=VGG)), random_batch(side=32)
    ab = batch.ab.reshape(2, 2, 8, 4, 8, 4)
    averaged, strided = ab.mean((3, 5)), ab[:, :, :, 0, :, 0]
    raw = -torch.cdist(averaged.movedim(1, -1), gamut313().centers).movedim(-1, 1)
    found = task.loss(raw, batch.ab)
    torch.testing.assert_close(found, task.loss(raw, averaged))
    assert not torch.isclose(found, task.loss(raw, strided), rtol=0.5)


def test_a_turn_is_the_loss_of_what_the_network_answers_at_full_resolution() -> None:
    """Also where it is computed before each distribution is repeated four times."""
    task, batch = task_of(model(network=RESNET, which="grid256")), random_batch(side=32)
    task.network.eval()
    assert task.network.repeats == 2
    [turn] = task.turns(batch)
    expected = task.loss(task.network(batch.lightness), batch.ab)
    torch.testing.assert_close(turn.loss, expected)
    weights = list(task.network.parameters())
    ours, whole = (torch.autograd.grad(loss, weights) for loss in (turn.loss, expected))
    for found, plain in zip(ours, whole, strict=True):
        torch.testing.assert_close(found, plain, rtol=1e-3, atol=1e-5)
    assert torch.equal(turn.metrics["loss"], turn.loss.detach())


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
    plain, balanced = task_of(model()), task_of(model(rebalance=BY_PRIOR), weights)
    raw, ab = torch.randn(2, 313, 16, 16), random_batch().ab
    assert balanced.loss(raw, ab).item() != pytest.approx(plain.loss(raw, ab).item(), rel=1e-3)
    even = task_of(model(rebalance=BY_PRIOR), torch.ones(313))
    assert torch.equal(even.loss(raw, ab), plain.loss(raw, ab))


def test_weights_are_left_alone_where_nothing_is_rebalanced() -> None:
    raw, ab = torch.randn(2, 313, 16, 16), random_batch().ab
    weighed = task_of(model(), torch.linspace(0.1, 6.0, 313))
    assert torch.equal(weighed.loss(raw, ab), task_of(model()).loss(raw, ab))


@pytest.mark.parametrize("weights", [None, torch.ones(256)])
@pytest.mark.parametrize("rebalance", [BY_PRIOR, BY_COUNTS], ids=["prior", "counts"])
def test_rebalancing_without_its_weights_is_refused(
    rebalance: dict[str, Any], weights: Tensor | None
) -> None:
    with pytest.raises(ValueError, match="gamut313 needs 313 weights"):
        build_task(model(rebalance=rebalance), weights)


def test_weights_of_other_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="grid256 needs 256 weights"):
        build_task(model(rebalance=BY_COUNTS, which="grid256"), torch.ones(313))


def test_rebalancing_bins_without_a_prior_is_refused_by_params() -> None:
    with pytest.raises(ValueError, match="takes the prior of bins gamut313, not of grid256"):
        model(rebalance=BY_PRIOR, which="grid256")


def test_validation_tells_the_l1_error_of_the_mean_color() -> None:
    task, batch = task_of(model(network=VGG)), random_batch(side=32)
    task.network.eval()
    logits = task.network(batch.lightness).detach().double().numpy()
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    colors = np.einsum("nqhw,qc->nchw", shares, gamut313().centers.double().numpy())
    truth = batch.ab.double().numpy().reshape(2, 2, 8, 4, 8, 4).mean((3, 5))
    found = task.validate(task.network, batch)
    assert found.keys() == {"loss", "l1", "bin_accuracy"}
    assert found["l1"].item() == pytest.approx(np.abs(colors - truth).mean() / 110.0, rel=1e-5)


def test_study_001_is_its_equations() -> None:
    """Equation 2, L = - sum [k == I] w_I ln P, with equation 1, w = 1 / sqrt(n + 1e5).

    Its sum is a mean here, and its weights, some 0.003, are scaled so that sum(p w) = 1.
    """
    params = model(neighbours=1, rebalance=BY_COUNTS, which="grid256")
    objective = params.objective
    assert isinstance(objective, ClassificationParams)
    rng = np.random.default_rng(0)
    histogram = np.zeros((256, 256), dtype=np.int64)
    histogram[96:160, 96:160] = rng.integers(0, 3000, (64, 64))
    histogram[120:136, 120:136] += 20_000
    values = {"neighbours": 5, "sigma": 5, "smoothing": 0, "pseudo_photographs": 0, "mix": 0.5}
    prior = Prior.from_histogram(histogram, 9, PriorParams.model_validate(values))

    # Centers 8, 24, .. 248 of a + 128; odd values lie halfway between no two of them.
    stored = rng.integers(48, 80, (2, 2, 16, 16)) * 2 + 1
    classes = stored[:, 0] // 16 * 16 + stored[:, 1] // 16
    counts = nearest_counts(histogram)
    weights = 1.0 / np.sqrt(counts + 1e5)
    weights /= (counts / counts.sum() * weights).sum()
    logits = rng.normal(0, 3, (2, 256, 16, 16))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    chosen = np.take_along_axis(probabilities, classes[:, None], 1)[:, 0]
    expected = -(weights[classes] * np.log(chosen)).mean()

    task = task_of(params, prior.rebalancing_weights(objective))
    found = task.loss(torch.from_numpy(logits).float(), torch.from_numpy(stored - 128).float())
    assert found.item() == pytest.approx(expected, rel=1e-5)
    unweighted = -np.log(chosen).mean()
    assert abs(expected - unweighted) > 0.05 * unweighted


def nearest_counts(histogram: np.ndarray) -> np.ndarray:
    """Count the pixels of each class of the grid by trying all centers for each color."""
    axis = np.arange(8, 256, 16)
    nearest = np.abs(np.arange(256)[:, None] - axis).argmin(1)
    counts = np.zeros((16, 16))
    for a in range(256):
        np.add.at(counts[nearest[a]], nearest, histogram[a])
    return counts.ravel()


def test_tables_of_the_loss_are_not_saved_with_the_weights() -> None:
    task = task_of(model())
    assert all(name.startswith("network.") for name in task.state_dict())
