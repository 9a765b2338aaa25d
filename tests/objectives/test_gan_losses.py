"""The losses of GANs: each study's formula written out in NumPy."""

import numpy as np
import pytest
import torch
from gan_kit import JUDGES, LAMBDA, gan, judged
from objective_kit import random_batch
from torch import Tensor, nn

from photochrom.objectives.adversarial.losses import GAN_LOSSES
from photochrom.objectives.adversarial.task import Adversarial

every_judge = pytest.mark.parametrize("judge", JUDGES)


def sigmoid(scores: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1.0 / (1.0 + np.exp(-scores))
    return found


def study_000(real: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """Return the MSE of each patch to 0 or 1, averaged over true and fake; and with label true."""
    true, false = ((real - 1.0) ** 2).mean(), (fake**2).mean()
    return (true + false) / 2.0, ((fake - 1.0) ** 2).mean()


def study_002(real: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """Equation 3: min over G, max over D of E log D(x) + E log(1 - D(G(z))).

    The study prints 1 - log D(G(z)), which D would make as large as it likes by calling fakes
    real; Goodfellow et al. 2014, equation 1, has log(1 - D).
    """
    value_real, value_fake = np.log(sigmoid(real)).mean(), np.log(1.0 - sigmoid(fake)).mean()
    return -(value_real + value_fake) / 2.0, value_fake


def study_003(real: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """Equations 1 and 2, with log(1 - D) as above; the mean over both instead of the sum."""
    on_d = -np.log(sigmoid(real)).mean() - np.log(1.0 - sigmoid(fake)).mean()
    return on_d / 2.0, -np.log(sigmoid(fake)).mean()


STUDIES = {"lsgan": study_000, "minimax": study_002, "bce": study_003}
every_loss = pytest.mark.parametrize("loss", STUDIES)


@every_loss
@every_judge
@pytest.mark.parametrize("pixel_loss", ["l1", "l2"])
def test_both_players_minimise_the_studys_formula(loss: str, judge: str, pixel_loss: str) -> None:
    task, batch = gan(loss, judge, pixel_loss=pixel_loss), random_batch()
    real, fake, colors = judged(task, batch)
    on_discriminator, fooling = STUDIES[loss](real, fake)
    difference = colors - batch.ab.double().numpy() / 110.0
    pixel = np.abs(difference).mean() if pixel_loss == "l1" else (difference**2).mean()
    first, second = task.turns(batch)
    assert (first.player, second.player) == ("discriminator", "generator")
    assert first.loss.item() == pytest.approx(on_discriminator, rel=1e-5)
    assert second.loss.item() == pytest.approx(fooling + LAMBDA * pixel, rel=1e-5)
    assert first.metrics["discriminator_loss"].item() == pytest.approx(first.loss.item())
    assert second.metrics["adversarial_loss"].item() == pytest.approx(fooling, rel=1e-5)
    assert second.metrics["pixel_loss"].item() == pytest.approx(pixel, rel=1e-5)
    assert second.metrics["loss"].item() == pytest.approx(second.loss.item())


@every_loss
def test_losses_are_means_over_all_verdicts(loss: str) -> None:
    scores = torch.linspace(-4.0, 4.0, 30).reshape(2, 1, 3, 5)
    losses, flat = GAN_LOSSES[loss], scores.double().numpy().ravel()
    on_real = losses.on_real(scores).item()
    on_fake = losses.on_fake(scores).item()
    assert 0.5 * (on_real + on_fake) == pytest.approx(STUDIES[loss](flat, flat)[0], rel=1e-5)
    assert losses.fooling(scores).item() == pytest.approx(STUDIES[loss](flat, flat)[1], rel=1e-5)


@every_loss
def test_a_verdict_that_says_real_more_firmly_pleases_the_generator(loss: str) -> None:
    losses = GAN_LOSSES[loss]
    rejected, undecided, taken = (
        losses.fooling(torch.tensor([losses.middle + by])).item() for by in (-0.5, 0.0, 0.5)
    )
    assert rejected > undecided > taken


@pytest.mark.parametrize("logit", [-30.0, -8.0, -1.0, 0.0, 3.0, 30.0])
def test_the_log_loss_saturates_where_fakes_are_rejected_and_bce_where_they_pass(
    logit: float,
) -> None:
    slopes = {}
    for loss in ("minimax", "bce"):
        verdict = torch.tensor([logit], requires_grad=True)
        GAN_LOSSES[loss].fooling(verdict).backward()
        assert verdict.grad is not None
        slopes[loss] = verdict.grad.item()
    probability = sigmoid(np.array(logit))
    assert slopes["minimax"] == pytest.approx(-probability, rel=1e-4)
    assert slopes["bce"] == pytest.approx(probability - 1.0, rel=1e-4, abs=1e-6)


@every_loss
@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_extreme_verdicts_stay_finite(loss: str, logit: float) -> None:
    losses = GAN_LOSSES[loss]
    for part in (losses.on_real, losses.on_fake, losses.fooling):
        verdict = torch.tensor([logit], requires_grad=True)
        value = part(verdict)
        value.backward()
        assert value.isfinite()
        assert verdict.grad is not None
        assert verdict.grad.isfinite().all()


def generator_slopes(loss: str) -> Tensor:
    """Return what fooling alone tells a generator whose colors are confidently rejected."""
    task = gan(loss, pixel_weight=0.0)
    reject(task)
    turns = task.turns(random_batch())
    next(turns)
    next(turns).loss.backward()
    grads = [p.grad for p in task.network.parameters()]
    return torch.cat([grad.flatten() for grad in grads if grad is not None])


def reject(task: Adversarial) -> None:
    [*_, last] = [layer for layer in task.discriminator.modules() if isinstance(layer, nn.Conv2d)]
    assert last.bias is not None
    nn.init.constant_(last.bias, -12.0)


def test_a_rejected_generator_learns_from_bce_and_hardly_from_the_log_loss() -> None:
    minimax, bce = generator_slopes("minimax"), generator_slopes("bce")
    assert bce.norm() > 1e-3
    assert 0 < minimax.norm() < 1e-4 * bce.norm()
    same_way = torch.nn.functional.cosine_similarity(minimax, bce, dim=0)
    assert same_way > 0.5
