"""Adversarial: both losses written out, who moves whom, and what the discriminator sees."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from objective_kit import DIRECT, SGD, UNET, VGG, model_of, random_batch
from torch import Tensor

from photochrom.color.batch import Batch
from photochrom.networks.base import count_parameters
from photochrom.objectives import build_task
from photochrom.objectives.adversarial.patchgan import PatchGAN
from photochrom.objectives.adversarial.task import Adversarial
from photochrom.params.models import DiscriminatorParams

LAMBDA = 7.0


def gan(
    loss: str = "bce", network: dict[str, Any] = UNET, l1_weight: float = LAMBDA
) -> Adversarial:
    torch.manual_seed(0)
    objective = {
        "kind": "adversarial",
        "loss": loss,
        "l1_weight": l1_weight,
        "discriminator": {"kind": "patchgan", "width": 4, "layers": 2, "init": "default"},
        "discriminator_optimizer": SGD,
    }
    task = build_task(model_of(objective, network, DIRECT))
    assert isinstance(task, Adversarial)
    return task


def softplus(values: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, values)


def judged(task: Adversarial, batch: Batch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits of real and of fake, and the fake itself; none of the three calls moves anything."""
    with torch.no_grad():
        fake = task.network(batch.lightness)
        real = batch.ab / 110.0
        logits = [task.discriminator(torch.cat((batch.lightness, ab), 1)) for ab in (real, fake)]
    return logits[0].double().numpy(), logits[1].double().numpy(), fake.double().numpy()


def state(module: torch.nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


@pytest.mark.parametrize("loss", ["bce", "lsgan"])
def test_losses_are_the_published_ones(loss: str) -> None:
    task, batch = gan(loss), random_batch()
    real, fake, colors = judged(task, batch)
    l1 = np.abs(colors - batch.ab.double().numpy() / 110.0).mean()
    if loss == "bce":
        discriminator = 0.5 * (softplus(-real).mean() + softplus(fake).mean())
        fooling = softplus(-fake).mean()
    else:
        discriminator = 0.5 * (((real - 1) ** 2).mean() + (fake**2).mean())
        fooling = ((fake - 1) ** 2).mean()
    first, second = task.turns(batch)
    assert (first.player, second.player) == ("discriminator", "generator")
    assert first.loss.item() == pytest.approx(discriminator, rel=1e-5)
    assert second.loss.item() == pytest.approx(fooling + LAMBDA * l1, rel=1e-5)
    assert second.metrics["adversarial_loss"].item() == pytest.approx(fooling, rel=1e-5)
    assert second.metrics["l1"].item() == pytest.approx(l1, rel=1e-5)
    assert second.metrics["loss"].item() == pytest.approx(second.loss.item())
    assert first.metrics["discriminator_loss"].item() == pytest.approx(first.loss.item())


@pytest.mark.parametrize(("loss", "middle"), [("bce", 0.0), ("lsgan", 0.5)])
def test_accuracies_count_patches_on_the_right_side(loss: str, middle: float) -> None:
    task, batch = gan(loss), random_batch(4)
    real, fake, _ = judged(task, batch)
    metrics = next(task.turns(batch)).metrics
    assert metrics["discriminator_accuracy_real"].item() == pytest.approx((real > middle).mean())
    assert metrics["discriminator_accuracy_fake"].item() == pytest.approx((fake <= middle).mean())


def test_the_discriminators_turn_leaves_no_gradient_in_the_generator() -> None:
    task = gan()
    next(task.turns(random_batch())).loss.backward()
    assert all(p.grad is None for p in task.network.parameters())
    assert all(p.grad is not None and p.grad.any() for p in task.discriminator.parameters())


def test_the_generators_turn_leaves_no_gradient_in_the_discriminator() -> None:
    task = gan(l1_weight=0.0)
    turns = task.turns(random_batch())
    next(turns)
    before = state(task.discriminator)
    next(turns).loss.backward()
    assert all(p.grad is None for p in task.discriminator.parameters())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in task.network.parameters())
    assert any(p.grad is not None and p.grad.any() for p in task.network.parameters())
    assert torch.equal(state(task.discriminator), before)


def test_the_discriminator_can_learn_again_after_the_round() -> None:
    task = gan()
    for _ in range(2):
        assert len(list(task.turns(random_batch()))) == 2
        assert all(p.requires_grad for p in task.discriminator.parameters())


def test_the_generator_answers_the_discriminator_as_moved() -> None:
    task = gan()
    turns = task.turns(random_batch())
    next(turns)
    with torch.no_grad():
        for parameter in task.discriminator.parameters():
            parameter.zero_()
    adversarial = next(turns).metrics["adversarial_loss"].item()
    assert adversarial == pytest.approx(math.log(2))


@pytest.mark.parametrize("loss", ["bce", "lsgan"])
def test_the_generator_is_asked_once_a_step(loss: str) -> None:
    task, calls = gan(loss), []
    task.network.register_forward_hook(lambda *_: calls.append(1))
    list(task.turns(random_batch()))
    assert len(calls) == 1


def test_the_discriminator_sees_lightness_with_true_and_with_given_colors() -> None:
    task, batch = gan(), random_batch()
    seen: list[Tensor] = []
    given: list[Tensor] = []
    task.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    task.network.register_forward_hook(lambda _, __, output: given.append(output.detach()))
    list(task.turns(batch))
    real = torch.cat((batch.lightness, batch.ab / 110.0), dim=1)
    fake = torch.cat((batch.lightness, given[0]), dim=1)
    assert len(seen) == 3
    torch.testing.assert_close(seen[0], real)
    torch.testing.assert_close(seen[1], fake)
    torch.testing.assert_close(seen[2].detach(), fake)
    assert [picture.requires_grad for picture in seen] == [False, False, True]


def test_a_coarse_generator_is_judged_at_its_own_resolution() -> None:
    task, batch = gan(network={**VGG}), random_batch(side=64)
    seen: list[Tensor] = []
    task.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    list(task.turns(batch))
    averaged = batch.ab.reshape(2, 2, 16, 4, 16, 4).mean((3, 5)) / 110.0
    torch.testing.assert_close(seen[0][:, 1:], averaged)
    gray = batch.lightness.reshape(2, 1, 16, 4, 16, 4).mean((3, 5))
    torch.testing.assert_close(seen[0][:, :1], gray)


def test_validation_is_the_l1_distance_alone() -> None:
    task, batch = gan(), random_batch()
    task.eval()
    expected = (task.network(batch.lightness) - batch.ab / 110.0).abs().mean()
    found = task.validate(task.network, batch)
    assert found.keys() == {"loss"}
    torch.testing.assert_close(found["loss"], expected)


def patchgan(width: int, layers: int, init: str = "normal") -> PatchGAN:
    values = {"kind": "patchgan", "width": width, "layers": layers, "init": init}
    return PatchGAN(DiscriminatorParams.model_validate(values))


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_each_logit_sees_a_patch_of_the_published_size(layers: int, field: int) -> None:
    torch.manual_seed(0)
    judge = patchgan(2, layers, "default").eval()
    picture = torch.randn(1, 3, 128, 128, requires_grad=True)
    logits = judge(picture)
    middle = logits.shape[-1] // 2
    [gradient] = torch.autograd.grad(logits[0, 0, middle, middle], picture)
    touched = gradient[0].abs().sum(0) > 0
    rows, columns = touched.any(1).nonzero(), touched.any(0).nonzero()
    assert (rows.max() - rows.min() + 1).item() == field
    assert (columns.max() - columns.min() + 1).item() == field
    assert (gradient[0].abs().amax((1, 2)) > 0).all(), "L, a and b should all be looked at"


def test_patchgan_has_the_published_layers() -> None:
    judge = patchgan(64, 3)
    table = [(3, 64, 2), (64, 128, 2), (128, 256, 2), (256, 512, 1), (512, 1, 1)]
    found = [
        (layer.in_channels, layer.out_channels, layer.stride[0])
        for layer in judge.modules()
        if isinstance(layer, torch.nn.Conv2d)
    ]
    assert found == table
    expected = sum(16 * inside * outside for inside, outside, _ in table)
    expected += 64 + 1 + 2 * (128 + 256 + 512)
    assert count_parameters(judge) == expected
    assert judge(torch.randn(1, 3, 256, 256)).shape == (1, 1, 30, 30)
