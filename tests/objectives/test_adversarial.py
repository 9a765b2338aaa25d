"""Adversarial: who moves whom, what the discriminator sees, pretraining, and remarks."""

import math

import pytest
import torch
from gan_kit import JUDGES, LAMBDA, gan, judged
from objective_kit import VGG, random_batch
from torch import Tensor, nn

from photochrom.objectives.adversarial.task import Adversarial

every_loss = pytest.mark.parametrize("loss", ["bce", "minimax", "lsgan"])
every_judge = pytest.mark.parametrize("judge", JUDGES)


def state(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def state_with_statistics(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize(("loss", "middle"), [("bce", 0.0), ("minimax", 0.0), ("lsgan", 0.5)])
def test_accuracies_count_patches_on_the_right_side(loss: str, middle: float) -> None:
    task, batch = gan(loss), random_batch(4)
    real, fake, _ = judged(task, batch)
    metrics = next(task.turns(batch)).metrics
    assert metrics["discriminator_accuracy_real"].item() == pytest.approx((real > middle).mean())
    assert metrics["discriminator_accuracy_fake"].item() == pytest.approx((fake <= middle).mean())


@every_loss
@every_judge
def test_the_discriminators_turn_leaves_no_gradient_in_the_generator(loss: str, judge: str) -> None:
    task = gan(loss, judge)
    next(task.turns(random_batch())).loss.backward()
    assert all(p.grad is None for p in task.network.parameters())
    assert all(p.grad is not None and p.grad.any() for p in task.discriminator.parameters())


@every_loss
@every_judge
def test_the_generators_turn_leaves_no_gradient_in_the_discriminator(loss: str, judge: str) -> None:
    task = gan(loss, judge, pixel_weight=0.0)
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


@every_loss
@every_judge
@pytest.mark.parametrize("epoch", [0, 1])
def test_the_generator_is_asked_once_a_step(loss: str, judge: str, epoch: int) -> None:
    task, calls = gan(loss, judge, pretraining_epochs=1), []
    task.start_epoch(epoch)
    task.network.register_forward_hook(lambda *_: calls.append(1))
    list(task.turns(random_batch()))
    assert len(calls) == 1


@every_judge
def test_the_discriminator_sees_lightness_with_true_and_with_given_colors(judge: str) -> None:
    task, batch = gan(judge=judge), random_batch()
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


@every_judge
@pytest.mark.parametrize("pixel_loss", ["l1", "l2"])
def test_pretraining_is_the_generators_turn_on_the_distance_alone(
    judge: str, pixel_loss: str
) -> None:
    task, batch = gan(judge=judge, pixel_loss=pixel_loss, pretraining_epochs=2), random_batch()
    _, _, colors = judged(task, batch)
    difference = colors - batch.ab.double().numpy() / 110.0
    distance = abs(difference).mean() if pixel_loss == "l1" else (difference**2).mean()
    for epoch in (0, 1):
        task.start_epoch(epoch)
        [turn] = task.turns(batch)
        assert not task.keepable
        assert turn.player == "generator"
        assert turn.loss.item() == pytest.approx(LAMBDA * distance, rel=1e-5)
        assert {name: value.item() for name, value in turn.metrics.items()} == {
            "loss": turn.loss.item()
        }
        assert not turn.metrics["loss"].requires_grad


@every_judge
def test_pretraining_leaves_the_discriminator_alone(judge: str) -> None:
    task = gan(judge=judge, pretraining_epochs=1)
    task.discriminator.register_forward_hook(lambda *_: pytest.fail("it was asked"))
    before = state_with_statistics(task.discriminator)
    task.start_epoch(0)
    for turn in task.turns(random_batch()):
        turn.loss.backward()
    after = task.discriminator.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert all(p.grad is None and p.requires_grad for p in task.discriminator.parameters())
    assert all(p.grad is not None and p.grad.any() for p in task.network.parameters())


def test_after_pretraining_both_move() -> None:
    task = gan(pretraining_epochs=2)
    for epoch, players in ((0, 1), (1, 1), (2, 2), (3, 2), (1, 1)):
        task.start_epoch(epoch)
        assert len(list(task.turns(random_batch()))) == players
        assert task.keepable == (players == 2)


def test_without_pretraining_both_move_from_the_first_epoch_on() -> None:
    task = gan()
    task.start_epoch(0)
    assert task.keepable
    assert [turn.player for turn in task.turns(random_batch())] == ["discriminator", "generator"]


@pytest.mark.parametrize("pixel_loss", ["l1", "l2"])
def test_validation_is_the_distances_alone(pixel_loss: str) -> None:
    task, batch = gan(pixel_loss=pixel_loss), random_batch()
    task.eval()
    _, _, colors = judged(task, batch)
    difference = colors - batch.ab.double().numpy() / 110.0
    expected = {"l1": abs(difference).mean(), "l2": (difference**2).mean()}
    found = task.validate(task.network, batch)
    assert found.keys() == {"loss", "l1"}
    assert found["loss"].item() == pytest.approx(expected[pixel_loss], rel=1e-5)
    assert found["l1"].item() == pytest.approx(expected["l1"], rel=1e-5)


def remarks(real: float, fake: float, **others: float) -> tuple[str, ...]:
    row = {"train/discriminator_accuracy_real": real, "train/discriminator_accuracy_fake": fake}
    return gan().remarks({"epoch": 3.0, "train/loss": 1.0, **row, **others})


@pytest.mark.parametrize(("real", "fake"), [(1.0, 1.0), (0.97, 1.0), (0.985, 0.985)])
def test_a_discriminator_that_wins_is_remarked_upon(real: float, fake: float) -> None:
    [remark] = remarks(real, fake)
    assert "the discriminator wins" in remark
    assert f"{real:.0%} of the real and {fake:.0%} of the generated" in remark
    assert "Lower discriminator_optimizer.lr" in remark


@pytest.mark.parametrize(
    ("real", "fake"), [(0.5, 0.5), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.51, 0.52)]
)
def test_a_discriminator_that_tells_nothing_apart_is_remarked_upon(
    real: float, fake: float
) -> None:
    [remark] = remarks(real, fake)
    assert "tells nothing apart" in remark
    assert f"{real:.0%} of the real and {fake:.0%} of the generated" in remark
    assert "Raise discriminator_optimizer.lr" in remark


@pytest.mark.parametrize(("real", "fake"), [(0.97, 0.97), (0.75, 0.75), (0.6, 0.5), (1.0, 0.1)])
def test_between_the_two_nothing_is_remarked(real: float, fake: float) -> None:
    assert remarks(real, fake) == ()


def test_of_an_epoch_of_pretraining_nothing_is_remarked() -> None:
    assert gan(pretraining_epochs=1).remarks({"epoch": 1.0, "train/loss": 3.0}) == ()


def test_remarks_and_metrics_speak_of_the_same_numbers() -> None:
    """A discriminator that calls everything real is remarked upon through its own metrics."""
    task = gan()
    fool(task, 5.0)
    metrics = next(task.turns(random_batch())).metrics
    [remark] = task.remarks({f"train/{name}": value.item() for name, value in metrics.items()})
    assert "100% of the real and 0% of the generated" in remark


def fool(task: Adversarial, verdict: float) -> None:
    """Make the discriminator answer one number, whatever it sees."""
    [*_, last] = [layer for layer in task.discriminator.modules() if isinstance(layer, nn.Conv2d)]
    assert last.bias is not None
    nn.init.zeros_(last.weight)
    nn.init.constant_(last.bias, verdict)
