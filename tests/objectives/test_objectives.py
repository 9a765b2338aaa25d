"""Every model of params.yaml: it learns from a step, and learns four photographs by heart."""

from pathlib import Path
from typing import get_args

import pytest
import torch
from objective_kit import four_photographs
from torch import Tensor

from photochrom import objectives
from photochrom.color.batch import Batch
from photochrom.color.bins import bins
from photochrom.color.decoding import decode
from photochrom.objectives import Task, build_task
from photochrom.params import load_params
from photochrom.params.models import ClassificationParams, ModelParams, Objective
from photochrom.training.optimizers import make_optimizer

MODELS = load_params(Path(__file__).resolve().parents[2] / "params.yaml").models
MOST_STEPS = 240
SMALL_RATE = 2e-5
"""Adam's first step moves every weight by its rate; more may overshoot squared errors."""
LEARNT = 0.3
"""Photographs are known by heart when the mean error of ab falls below this share of gray's."""

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def task_of(model: ModelParams) -> Task:
    torch.manual_seed(0)
    return build_task(model, weights_of(model)).train()


def weights_of(model: ModelParams) -> Tensor | None:
    objective = model.objective
    if not isinstance(objective, ClassificationParams) or not objective.weighs_bins:
        return None
    return torch.ones(len(bins(objective.bins)))


def losses(task: Task, batch: Batch) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {turn.player: turn.loss for turn in task.turns(batch)}


@pytest.fixture(scope="module")
def photographs() -> Batch:
    return four_photographs()


def test_every_objective_of_params_is_a_folder_and_stands_in_params_yaml() -> None:
    members = get_args(get_args(Objective)[0])
    kinds = {get_args(member.model_fields["kind"].annotation)[0] for member in members}
    folder = Path(objectives.__path__[0])
    assert kinds == {path.parent.name for path in folder.glob("*/task.py")}
    assert kinds == {model.objective.kind for model in MODELS.values()}


@every_model
def test_each_turn_gives_its_player_finite_gradients(
    model: ModelParams, photographs: Batch
) -> None:
    task = task_of(model)
    for name, player in task.players().items():
        loss = losses(task, photographs)[name]
        assert loss.dtype == torch.float32
        assert loss.dim() == 0
        parameters = list(player.module.parameters())
        for gradient in torch.autograd.grad(loss, parameters):
            assert gradient.isfinite().all()


@every_model
def test_one_step_on_a_batch_lowers_its_loss(model: ModelParams, photographs: Batch) -> None:
    for name in task_of(model).players():
        task = task_of(model)
        player = task.players()[name]
        optimizer = make_optimizer(player)
        for group in optimizer.param_groups:
            group["lr"] = SMALL_RATE
        before = losses(task, photographs)[name]
        before.backward()
        optimizer.step()
        assert losses(task, photographs)[name] < before, name


@every_model
def test_validation_has_a_loss_and_moves_nothing(model: ModelParams, photographs: Batch) -> None:
    task = task_of(model).eval()
    before = {name: tensor.clone() for name, tensor in task.state_dict().items()}
    with torch.inference_mode():
        values = task.validate(task.network, photographs)
    assert {"loss", "l1"} <= values.keys()
    assert all(value.dim() == 0 and value.isfinite() for value in values.values())
    assert all(torch.equal(tensor, before[name]) for name, tensor in task.state_dict().items())


@every_model
def test_colors_stay_within_what_the_output_can_say(model: ModelParams, photographs: Batch) -> None:
    """Tanh gives ab within 110, bins no color beyond their centers; the rest is not bounded."""
    learned = model.decoding.kind == "learned"
    task = task_of(model)
    with torch.no_grad():
        for parameter in task.network.parameters():
            parameter.mul_(3)
        raw = task.network(photographs.lightness)
        ab = decode(raw, model.decoding, task.bins)
    assert ab.shape == (4, 2, *raw.shape[-2:])
    assert raw.isfinite().all()
    assert ab.isfinite().all()
    if learned:
        torch.testing.assert_close(ab, raw[:, -2:] * 110.0)
    elif task.bins is not None:
        low, high = task.bins.centers.amin(0), task.bins.centers.amax(0)
        assert (ab.amin((0, 2, 3)) >= low - 1e-3).all()
        assert (ab.amax((0, 2, 3)) <= high + 1e-3).all()
    elif getattr(model.network, "output", "linear") == "tanh":
        assert raw.abs().max() <= 1.0
        assert ab.abs().max() <= 110.0
    else:
        torch.testing.assert_close(ab, raw * 110.0)
    assert ab.abs().max() > 0


@every_model
def test_a_checkpoint_brings_the_whole_task_back(
    model: ModelParams, photographs: Batch, tmp_path: Path
) -> None:
    task = task_of(model)
    for turn in task.turns(photographs):
        turn.loss.backward()
    torch.save(task.state_dict(), tmp_path / "task.pt")
    torch.manual_seed(7)
    other = build_task(model, weights_of(model)).train()
    other.load_state_dict(torch.load(tmp_path / "task.pt", weights_only=True))
    expected = [loss.item() for loss in losses(task, photographs).values()]
    assert [loss.item() for loss in losses(other, photographs).values()] == expected


@every_model
def test_four_photographs_are_learnt_by_heart(model: ModelParams, photographs: Batch) -> None:
    task = task_of(model)
    optimizers = {name: make_optimizer(player) for name, player in task.players().items()}
    errors = []
    for step in range(MOST_STEPS):
        for turn in task.turns(photographs):
            optimizers[turn.player].zero_grad()
            turn.loss.backward()
            optimizers[turn.player].step()
        if step % 10 == 9:
            errors.append(error_of(task, model, photographs))
            if errors[-1] < LEARNT:
                break
    assert errors[-1] < LEARNT, f"after {MOST_STEPS} steps: {errors}"


@torch.no_grad()
def error_of(task: Task, model: ModelParams, batch: Batch) -> float:
    """Return the mean absolute error of ab as a share of gray's."""
    ab = decode(task.network(batch.lightness), model.decoding, task.bins)
    truth = torch.nn.functional.adaptive_avg_pool2d(batch.ab, ab.shape[-1])
    return float((ab - truth).abs().mean() / truth.abs().mean())
