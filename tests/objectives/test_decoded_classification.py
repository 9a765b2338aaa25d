"""Classification with a decoder: its error, its price of colorfulness, what each turn moves."""

import math
from typing import Any

import pytest
import torch
from objective_kit import UNET, model_of, random_batch
from torch import Tensor

from photochrom.color.batch import Batch
from photochrom.color.bins import gamut313, lattice_rows
from photochrom.color.colorfulness import colorfulness, lab_colorfulness
from photochrom.color.decoding import AB_SCALE
from photochrom.color.lab import lab_to_rgb
from photochrom.objectives import Turn, build_task
from photochrom.objectives.classification.decoded import PRICE_RATE, DecodedClassification
from photochrom.params.models import ModelParams

LINEAR = {**UNET, "output": "linear"}
LEARNED = {"kind": "learned", "temperature": 1.0}
WEIGHTS = torch.linspace(0.1, 6.0, 313)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def model(
    rarity: float = 0.0,
    price: float | None = 0.05,
    rebalance: dict[str, Any] | None = None,
    which: str = "gamut313",
) -> ModelParams:
    objective = {
        "kind": "classification",
        "bins": which,
        "neighbours": 5,
        "sigma": 5.0,
        "rebalance": rebalance,
        "decoder": {"width": 8, "rarity": rarity, "price": price},
    }
    return model_of(objective, LINEAR, LEARNED)


def task_of(params: ModelParams, weights: Tensor | None = None) -> DecodedClassification:
    task = build_task(params, weights)
    assert isinstance(task, DecodedClassification)
    return task


def turns_of(task: DecodedClassification) -> list[Turn]:
    return list(task.turns(random_batch(side=32)))


def test_the_error_is_the_distance_in_ab() -> None:
    truth = torch.zeros(1, 2, 2, 2)
    shown = torch.tensor([3.0, 4.0])[None, :, None, None].expand(1, 2, 2, 2)
    assert task_of(model()).error(shown, truth).item() == pytest.approx(math.sqrt(26.0))


def test_rare_colors_weigh_more_as_far_as_rarity_says() -> None:
    truth = torch.tensor([[0.0, 60.0], [0.0, 40.0]]).reshape(1, 2, 1, 2)
    shown = truth + torch.tensor([[0.0, 9.0], [0.0, 12.0]]).reshape(1, 2, 1, 2)
    gray, orange = WEIGHTS[gamut313().nearest(truth[0, :, 0].T)].tolist()
    for rarity in (0.0, 0.4, 1.0):
        expected = 0.5 * (1 + rarity * (gray - 1)) + 0.5 * (1 + rarity * (orange - 1)) * 226**0.5
        found = task_of(model(rarity), WEIGHTS).error(shown, truth).item()
        assert found == pytest.approx(expected, rel=1e-5)


def test_the_price_rises_while_colors_are_missing() -> None:
    task = task_of(model())
    price, network = turns_of(task)
    assert (price.player, network.player) == ("price", "network")
    price.loss.backward()
    assert task.price is not None
    delta = network.metrics["colorfulness_delta"].item()
    assert delta < -10
    assert task.price.value.grad is not None
    assert task.price.value.grad.item() == pytest.approx(delta, rel=1e-5)
    assert task.players()["price"].optimizer.lr == PRICE_RATE
    assert all(p.grad is None for p in task.network.parameters())


def test_the_loss_pays_for_the_colorfulness_of_ab() -> None:
    task = task_of(model(price=0.2))
    batch = random_batch(side=32)
    *_, turn = task.turns(batch)
    raw = task.network(batch.lightness)
    shown = raw[:, 313:] * AB_SCALE
    vivid = lab_colorfulness(
        shown.unflatten(3, (4, -1)).unflatten(2, (4, -1)).mean((3, 5)), 1.0
    ).mean()
    expected = task.loss(raw, batch.ab) + (task.error(shown, batch.ab) - 0.2 * vivid) / AB_SCALE
    torch.testing.assert_close(turn.loss, expected)


def test_light_cyan_is_paid_for_like_any_color() -> None:
    """A patch of cyan and one of pink, as far from gray, on a light gray ground."""
    task, gains, counted = task_of(model()), [], []
    for color in ((-40.0, -12.0), (40.0, 12.0)):
        ab = torch.zeros(1, 2, 8, 8)
        ab[:, :, :4] = torch.tensor(color)[:, None, None]
        gains.append(task.gain(ab).item())
        lab = torch.cat((torch.full((1, 1, 8, 8), 85.0), ab), dim=1)
        counted.append(colorfulness(lab_to_rgb(lab).clamp(0, 1) * 255).item())
    assert gains[0] == pytest.approx(gains[1])
    assert counted[0] > 1.5 * counted[1]


def test_specks_earn_next_to_nothing() -> None:
    """A red pixel in each region, and a picture that is red to an equal degree in one part."""
    task, specks, patch = task_of(model()), *torch.zeros(2, 1, 2, 32, 32)
    specks[:, 0, ::8, ::8] = 80.0
    patch[:, 0, :8, :2] = 80.0
    nothing = task.gain(torch.zeros(1, 2, 32, 32)).item()
    paid = [task.gain(ab).item() - nothing for ab in (specks, patch)]
    of_pixels = [lab_colorfulness(ab).item() for ab in (specks, patch)]
    assert of_pixels[0] == pytest.approx(of_pixels[1])
    assert paid[0] < 0.05 * of_pixels[0]
    assert paid[1] > 5 * paid[0]


def test_the_likeliest_bin_is_looked_for_among_the_logits() -> None:
    batch, task = random_batch(side=32), task_of(model())
    truth = gamut313().nearest(batch.ab.movedim(1, -1))
    logits = torch.nn.functional.one_hot(truth, 313).movedim(-1, 1) * 10.0
    raw = torch.cat((logits, torch.full_like(logits[:, :2], 99.0)), dim=1)
    network = torch.nn.Module()
    network.forward = lambda _: raw  # type: ignore[method-assign]
    found = task.validate(network, batch)
    near = task._criterion.indices[lattice_rows(batch.ab), 0]
    assert found["bin_accuracy"].item() == pytest.approx((near == truth).float().mean().item())
    assert found["bin_accuracy"].item() > 0.9


def test_without_a_price_there_is_one_player() -> None:
    task = task_of(model(price=None))
    assert list(task.players()) == ["network"]
    [turn] = turns_of(task)
    assert turn.player == "network"
    assert "price" not in turn.metrics


def test_gray_has_a_finite_gradient() -> None:
    task = task_of(model())
    for parameter in task.network.decoder.parameters():  # type: ignore[union-attr, operator]
        torch.nn.init.zeros_(parameter)
    *_, turn = turns_of(task)
    turn.loss.backward()
    grads = [p.grad for p in task.network.parameters() if p.grad is not None]
    assert grads
    assert all(bool(torch.isfinite(grad).all()) for grad in grads)


def test_a_price_keeps_colors_from_fading() -> None:
    """One gray picture that may be of one color, of its opposite, or of hardly any."""
    lightness, ab = torch.full((1, 1, 32, 32), -0.3), torch.zeros(1, 2, 32, 32)
    lightness[:, :, 16:] = 0.3
    ab[:, 0, :16], ab[:, 1, 16:] = 60.0, 60.0
    batch = Batch(lightness.expand(3, -1, -1, -1), torch.cat((ab, -ab, 0.1 * ab)))
    pale, vivid = (_trained(task_of(model(price=price)), batch) for price in (None, 1.0))
    assert pale < -20
    assert vivid > pale + 20


def _trained(task: DecodedClassification, batch: Batch) -> float:
    """Return by how much outputs are more colorful than the truth; the price stays as it is."""
    network = torch.optim.Adam(task.network.parameters(), lr=3e-3)
    for _ in range(50):
        *_, turn = task.turns(batch)
        network.zero_grad()
        turn.loss.backward()
        network.step()
    with torch.no_grad():
        lightness = (batch.lightness + 1) * 50
        shown = task.network(batch.lightness)[:, 313:] * AB_SCALE
        found, wanted = (
            colorfulness(lab_to_rgb(torch.cat((lightness, ab), 1)) * 255).mean()
            for ab in (shown, batch.ab)
        )
    return float(found - wanted)


def test_rarity_needs_its_weights() -> None:
    with pytest.raises(ValueError, match="gamut313 needs 313 weights"):
        build_task(model(rarity=0.5), None)
    assert task_of(model(rarity=0.0)) is not None


def test_rarity_does_not_rebalance_the_distribution() -> None:
    raw, ab = torch.randn(2, 315, 16, 16), random_batch().ab
    plain, rare = task_of(model()), task_of(model(rarity=1.0), WEIGHTS)
    assert torch.equal(plain.loss(raw, ab), rare.loss(raw, ab))


@pytest.mark.parametrize(
    ("objective", "sentence"),
    [
        ({"decoder": None}, "decoding learned needs an objective.decoder"),
        ({"bins": "grid256"}, "decoder.rarity takes the prior of bins gamut313, not of grid256"),
    ],
)
def test_what_cannot_be_learned_is_refused_by_params(
    objective: dict[str, Any], sentence: str
) -> None:
    values = model(rarity=0.5).model_dump()
    values["objective"] |= objective
    with pytest.raises(ValueError, match=sentence):
        ModelParams.model_validate(values)
