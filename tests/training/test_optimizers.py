"""Learning rates, optimizers and the moving average against their formulas."""

import copy
import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from photochrom.networks import ColorNetwork
from photochrom.objectives import Player
from photochrom.params.models import OptimizerParams
from photochrom.training.optimizers import (
    MovingAverage,
    clip_gradients,
    learning_rate,
    make_optimizer,
    set_learning_rate,
)

CPU = torch.device("cpu")


def params(**changes: Any) -> OptimizerParams:
    values = {
        "kind": "adam",
        "lr": 0.1,
        "betas": [0.9, 0.99],
        "weight_decay": 0.0,
        "schedule": "cosine",
        "warmup": 0.0,
        "clip": None,
    }
    return OptimizerParams.model_validate({**values, **changes})


def test_warmup_rises_in_a_line_and_cosine_falls_to_zero() -> None:
    rates = [learning_rate(params(warmup=0.1), step, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([0.01 * (step + 1) for step in range(10)])
    falling = [0.05 * (1 + math.cos(math.pi * step / 90)) for step in range(90)]
    assert rates[10:] == pytest.approx(falling)
    assert 0.0 < rates[-1] < 1e-4


def test_a_constant_rate_stays_after_the_warmup() -> None:
    rates = [learning_rate(params(schedule="constant", warmup=0.02), n, 100) for n in range(100)]
    assert rates == pytest.approx([0.05] + [0.1] * 99)


@given(
    st.sampled_from(["cosine", "constant"]),
    st.floats(0.0, 0.9999),
    st.integers(1, 400),
    st.data(),
)
def test_rates_are_positive_and_never_above_the_peak(
    schedule: str, warmup: float, steps: int, data: st.DataObject
) -> None:
    step = data.draw(st.integers(0, steps - 1))
    rate = learning_rate(params(schedule=schedule, warmup=warmup), step, steps)
    # 3 x 0.1 / 3 is more than 0.1, by the last bit.
    assert 0.0 < rate <= 0.1 * (1 + 1e-12)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)],
)
def test_optimizers_are_made_as_asked(kind: str, expected: type) -> None:
    player = Player(nn.Linear(2, 2), params(kind=kind, weight_decay=0.3))
    optimizer = make_optimizer(player)
    assert type(optimizer) is expected
    [group] = optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.1, 0.3)
    assert group.get("betas", (0.9, 0.99)) == (0.9, 0.99)
    assert group.get("momentum", 0.9) == 0.9
    assert len(group["params"]) == 2


def test_adamw_shrinks_weights_apart_from_the_gradient() -> None:
    layer = nn.Linear(3, 3)
    before = layer.weight.detach().clone()
    optimizer = make_optimizer(Player(layer, params(kind="adamw", weight_decay=0.5)))
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), before * (1 - 0.1 * 0.5))


class Scaled(ColorNetwork):
    """Two numbers, of which the encoder's learns at a quarter of the rate."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Conv2d(1, 1, 1, bias=False)
        self.head = nn.Conv2d(1, 1, 1, bias=False)

    def forward(self, lightness: Tensor) -> Tensor:
        return lightness * self.encoder.weight + self.head.weight

    def lr_scales(self) -> dict[str, float]:
        return {"encoder.": 0.25}


@pytest.mark.parametrize("rate", [None, 0.04])
def test_parts_learn_at_their_share_of_the_rate(rate: float | None) -> None:
    """Adam's first step is as long as the learning rate, whatever the gradient."""
    network = Scaled()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = make_optimizer(Player(network, params()))
    if rate is not None:
        set_learning_rate(optimizer, rate)
    network(torch.ones(1, 1, 1, 1)).sum().backward()
    optimizer.step()
    moved = {name: (before[name] - p).item() for name, p in network.named_parameters()}
    full = rate or 0.1
    assert moved == pytest.approx({"encoder.weight": full / 4, "head.weight": full}, rel=1e-4)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([full, full / 4])


@pytest.mark.parametrize("most", [0.5, 13.0, 1000.0])
def test_gradients_are_clipped_to_a_norm(most: float) -> None:
    """Of (3, 4) and (12,) the norm is 13."""
    gradients = [torch.tensor([3.0, 4.0]), torch.tensor([12.0])]
    expected = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for parameter, gradient in zip(expected, gradients, strict=True):
        parameter.grad = gradient.clone()
    nn.utils.clip_grad_norm_(expected, most)
    assert clip_gradients(gradients, most).item() == pytest.approx(13.0)
    for gradient, parameter in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, parameter.grad)


def test_a_norm_that_is_no_number_is_told() -> None:
    assert clip_gradients([torch.tensor([float("nan"), 1.0])], 1.0).isnan()


def walk(network: nn.Module, steps: int) -> list[dict[str, torch.Tensor]]:
    """Move weights and running statistics as a training does, and return every state."""
    states = []
    for _ in range(steps):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(torch.randn_like(parameter))
        network.train()(torch.randn(5, 4))
        states.append(copy.deepcopy(network.state_dict()))
    return states


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_the_moving_average_equals_a_loop(decay: float) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    expected = copy.deepcopy(network.state_dict())
    average = MovingAverage(network, decay)
    for step in range(30):
        [current] = walk(network, 1)
        average.update(step)
        used = min(decay, (1 + step) / (10 + step))
        for name, tensor in current.items():
            mixed = used * expected[name] + (1 - used) * tensor
            expected[name] = mixed if tensor.is_floating_point() else tensor
    for name, tensor in average.network.state_dict().items():
        torch.testing.assert_close(tensor, expected[name])
    assert average.network.state_dict()["1.num_batches_tracked"] == 30


def test_the_moving_average_leaves_the_network_alone() -> None:
    network = nn.Linear(4, 4)
    before = copy.deepcopy(network.state_dict())
    average = MovingAverage(network, 0.9)
    average.update(0)
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in before.items())
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert not any(parameter.requires_grad for parameter in average.network.parameters())
    assert not average.network.training


def test_the_moving_average_goes_on_from_a_restored_state() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    whole = MovingAverage(network, 0.9)
    states = walk(network, 6)
    for step, state in enumerate(states):
        network.load_state_dict(state)
        whole.update(step)
        if step == 2:
            saved = copy.deepcopy(whole.network.state_dict())
    other = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    again = MovingAverage(other, 0.9)
    again.network.load_state_dict(saved)
    for step, state in enumerate(states[3:], start=3):
        other.load_state_dict(state)
        again.update(step)
    for name, tensor in again.network.state_dict().items():
        assert torch.equal(tensor, whole.network.state_dict()[name])
