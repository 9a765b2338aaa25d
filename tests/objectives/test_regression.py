"""Regression: its losses against NumPy, at the network's resolution."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from objective_kit import DIRECT, UNET, VGG, model_of, random_batch

from photochrom.objectives import build_task
from photochrom.objectives.regression.task import Regression


def l2(difference: np.ndarray) -> float:
    return float((difference**2).mean())


def l1(difference: np.ndarray) -> float:
    return float(np.abs(difference).mean())


def smooth_l1(difference: np.ndarray) -> float:
    size = np.abs(difference)
    return float(np.where(size < 1, 0.5 * size**2, size - 0.5).mean())


def regression(loss: str = "l2", network: dict[str, object] = UNET) -> Regression:
    task = build_task(model_of({"kind": "regression", "loss": loss}, network, DIRECT))
    assert isinstance(task, Regression)
    return task


@pytest.mark.parametrize(("name", "formula"), [("l2", l2), ("l1", l1), ("smooth_l1", smooth_l1)])
def test_loss_is_the_mean_distance_of_ab_over_110(
    name: str, formula: Callable[[np.ndarray], float]
) -> None:
    batch = random_batch()
    raw = torch.randn(2, 2, 16, 16)
    expected = formula(raw.double().numpy() - batch.ab.double().numpy() / 110.0)
    assert regression(name).loss(raw, batch.ab).item() == pytest.approx(expected, rel=1e-5)


def test_the_truth_loses_nothing_and_gray_its_mean_square() -> None:
    task, ab = regression(), random_batch().ab
    assert task.loss(ab / 110.0, ab).item() == 0.0
    gray = task.loss(torch.zeros_like(ab), ab).item()
    assert gray == pytest.approx(ab.square().mean().item() / 110.0**2, rel=1e-5)


def test_the_truth_is_averaged_to_the_resolution_of_the_network() -> None:
    task, batch = regression(network=VGG), random_batch(side=32)
    task.network.eval()
    raw = task.network(batch.lightness)
    assert raw.shape[-1] == 8
    ab = batch.ab.double().numpy().reshape(2, 2, 8, 4, 8, 4)
    averaged, strided = ab.mean((3, 5)), ab[:, :, :, 0, :, 0]
    answer = raw.detach().double().numpy()
    found = {name: value.item() for name, value in task.validate(task.network, batch).items()}
    assert found.keys() == {"loss", "l1"}
    assert found["loss"] == pytest.approx(l2(answer - averaged / 110.0), rel=1e-5)
    assert found["loss"] != pytest.approx(l2(answer - strided / 110.0), rel=1e-2)
    assert found["l1"] == pytest.approx(l1(answer - averaged / 110.0), rel=1e-5)


def test_its_turn_is_the_loss_of_its_network() -> None:
    task, batch = regression(), random_batch()
    [turn] = task.turns(batch)
    expected = task.loss(task.network(batch.lightness), batch.ab)
    assert turn.loss.item() == pytest.approx(expected.item())
    assert turn.metrics["loss"].item() == pytest.approx(expected.item())
    assert not turn.metrics["loss"].requires_grad
    assert turn.player in task.players()


def test_a_low_precision_answer_is_judged_in_full_precision() -> None:
    raw = torch.randn(1, 2, 16, 16).bfloat16()
    assert regression().loss(raw, random_batch(1).ab).dtype == torch.float32
