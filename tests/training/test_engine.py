"""The engine: its steps against hand-written ones, its epochs, and what stops it."""

import errno
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from training_kit import (
    COUNTS,
    CPU,
    GAN,
    MODELS,
    PLAIN,
    REGRESSION,
    SIDE,
    Disturbed,
    Watcher,
    assert_equal_states,
    model_of,
    shifting,
    trainer_of,
    without_seconds,
    write_lab_set,
)

from photochrom.color.lab import decode_lab
from photochrom.data.loader import Squares
from photochrom.data.shards import LabSet
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.engine import Trainer
from photochrom.training.errors import TrainingError


def truth_of(lab: Path, split: str) -> torch.Tensor:
    photographs = LabSet.open(lab, split)
    return decode_lab(torch.from_numpy(photographs.take(torch.arange(len(photographs)).numpy())))


def test_steps_are_those_of_gradient_descent(lab: Path, tmp_path: Path) -> None:
    trainer, task = shifting(lab, tmp_path, batch_size=18, keep="last")
    kept = trainer.run(Watcher())
    mean = truth_of(lab, "train")[:, 1:].mean((0, 2, 3)) / 110.0
    color = torch.zeros(2)
    for _ in range(3):
        # The loss is the mean over both channels, so each moves by lr * (color - mean).
        color = color - 0.5 * (color - mean)
    torch.testing.assert_close(kept["color"], color)
    assert len(task.seen) == 3


def test_an_epoch_sees_every_photograph_once_but_what_fills_no_batch(
    lab: Path, tmp_path: Path
) -> None:
    trainer, task = shifting(lab, tmp_path)
    trainer.run(Watcher())
    assert [len(batch) for batch in task.seen] == [4] * 12
    epochs = [torch.cat(task.seen[start : start + 4]).flatten(1) for start in (0, 4, 8)]
    stored = truth_of(lab, "train")[:, :1].flatten(1) / 50.0 - 1.0
    orders = []
    for epoch in epochs:
        same = (epoch[:, None] - stored[None]).abs().amax(2) < 1e-6
        assert (same.sum(1) == 1).all()
        orders.append(same.float().argmax(1).tolist())
        assert len(set(orders[-1])) == 16
    assert orders[0] != orders[1] != orders[2]


def test_a_batch_larger_than_the_set_takes_it_whole(lab: Path, tmp_path: Path) -> None:
    trainer, task = shifting(lab, tmp_path, batch_size=1000)
    watcher = Watcher()
    trainer.run(watcher)
    assert [len(batch) for batch in task.seen] == [COUNTS["train"]] * 3
    assert [row["images_seen"] for row in watcher.rows] == [18, 36, 54]


def test_a_row_tells_an_epoch(lab: Path, tmp_path: Path) -> None:
    trainer, _ = shifting(lab, tmp_path)
    watcher = Watcher()
    trainer.run(watcher)
    assert list(watcher.rows[0]) == [
        "epoch", "step", "images_seen", "seconds", "lr",
        "train/loss", "train/size", "validation/loss", "validation/l1",
    ]  # fmt: skip
    assert [row["epoch"] for row in watcher.rows] == [1, 2, 3]
    assert [row["step"] for row in watcher.rows] == [4, 8, 12]
    assert [row["images_seen"] for row in watcher.rows] == [16, 32, 48]
    assert [row["lr"] for row in watcher.rows] == [0.5, 0.5, 0.5]
    assert [row["train/size"] for row in watcher.rows] == [4, 4, 4]
    seconds = [row["seconds"] for row in watcher.rows]
    assert 0.0 <= seconds[0] <= seconds[1] <= seconds[2]
    assert without_seconds(trainer.progress.history) == without_seconds(watcher.rows)


def test_the_training_loss_of_a_row_is_the_mean_over_its_steps(lab: Path, tmp_path: Path) -> None:
    trainer, task = shifting(lab, tmp_path, epochs=1)
    watcher = Watcher()
    trainer.run(watcher)
    truth = truth_of(lab, "train")
    stored = truth[:, :1].flatten(1) / 50.0 - 1.0
    losses = []
    for batch, color in zip(task.seen, task.colors, strict=True):
        rows = (batch.flatten(1)[:, None] - stored[None]).abs().amax(2).argmin(1)
        difference = color[None, :, None, None] - truth[rows, 1:] / 110.0
        losses.append(difference.square().mean().item())
    assert watcher.rows[0]["train/loss"] == pytest.approx(sum(losses) / 4, rel=1e-5)


def test_validation_is_the_mean_over_photographs_whatever_the_batches(
    tmp_path: Path,
) -> None:
    lab = write_lab_set(tmp_path / "lab", counts={"train": 8, "validation": 70})
    trainer, _ = shifting(lab, tmp_path / "scratch", epochs=1)
    watcher = Watcher()
    kept = trainer.run(watcher)
    difference = kept["color"][None, :, None, None] - truth_of(lab, "validation")[:, 1:] / 110.0
    expected = difference.square().mean().item()
    assert watcher.rows[0]["validation/loss"] == pytest.approx(expected, rel=1e-5)


def test_without_an_average_the_weights_themselves_are_kept(lab: Path, tmp_path: Path) -> None:
    trainer, task = shifting(lab, tmp_path, ema=None)
    watcher = Watcher()
    trainer.run(watcher)
    assert all(network is task.network for network in watcher.networks)


def test_the_average_is_what_is_validated_shown_and_kept(lab: Path, tmp_path: Path) -> None:
    trainer, task = shifting(lab, tmp_path, ema=0.9, keep="last")
    watcher = Watcher()
    kept = trainer.run(watcher)
    average = torch.zeros(2)
    passed = [*task.colors[1:], task.network.color.detach()]
    for step, color in enumerate(passed):
        decay = min(0.9, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * color
    torch.testing.assert_close(kept["color"], average)
    difference = average[None, :, None, None] - truth_of(lab, "validation")[:, 1:] / 110.0
    found = watcher.rows[-1]["validation/loss"]
    assert found == pytest.approx(difference.square().mean().item(), rel=1e-5)
    assert watcher.networks[-1] is not task.network


def test_gradients_are_clipped_where_asked(lab: Path, tmp_path: Path) -> None:
    tight = {**PLAIN["optimizer"], "clip": 1e-3, "lr": 1.0}
    trainer, task = shifting(lab, tmp_path, optimizer=tight)
    trainer.run(Watcher())
    moves = [after - before for before, after in zip(task.colors, task.colors[1:], strict=False)]
    assert all(move.norm().item() <= 1e-3 * 1.0001 for move in moves)
    assert moves[0].norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_rates_follow_the_schedule(lab: Path, tmp_path: Path) -> None:
    cosine = {**PLAIN["optimizer"], "schedule": "cosine", "warmup": 0.25}
    watcher = Watcher()
    shifting(lab, tmp_path, optimizer=cosine)[0].run(watcher)
    # 12 steps, 3 of warmup; a row tells the rate of its last step: 3, 7 and 11.
    expected = [0.5 * 0.5 * (1 + math.cos(math.pi * n / 9)) for n in (0, 4, 8)]
    assert [row["lr"] for row in watcher.rows] == pytest.approx(expected)


@pytest.mark.parametrize("name", MODELS)
def test_the_seed_decides_everything(name: str, lab: Path, tmp_path: Path) -> None:
    results = []
    for number, seed in enumerate((5, 5, 6)):
        model = model_of(MODELS[name], epochs=2)
        trainer = trainer_of(model, lab, tmp_path / str(number), seed=seed)
        results.append((trainer.run(Watcher()), without_seconds(trainer.progress.history)))
    assert_equal_states(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
    assert results[0][1] != results[2][1]


def test_chance_differs_from_step_to_step(lab: Path, tmp_path: Path) -> None:
    """What networks drop and which photographs are mirrored is drawn anew for each."""
    flipping = {"size": None, "crop": None, "scale": None, "flip": True}
    trainer, task = shifting(lab, tmp_path, image=flipping, epochs=6)
    trainer.run(Watcher())
    assert len(set(task.draws)) == 24
    stored = truth_of(lab, "train")[:, :1] / 50.0 - 1.0
    seen = torch.stack(task.seen)[:, :, None]
    same, mirrored = (
        ((seen - picture).abs().amax((3, 4, 5)) < 1e-6).any(2)
        for picture in (stored, stored.flip(-1))
    )
    assert (same | mirrored).all()
    assert 0.25 < mirrored.float().mean() < 0.75
    assert len({tuple(row.tolist()) for row in mirrored}) > 4


@pytest.mark.parametrize("name", MODELS)
def test_a_training_learns(name: str, lab: Path, tmp_path: Path) -> None:
    watcher = Watcher()
    trainer_of(model_of(MODELS[name], epochs=12), lab, tmp_path).run(watcher)
    assert watcher.rows[-1]["train/loss"] < 0.7 * watcher.rows[0]["train/loss"]


def test_networks_are_left_ready_to_train_between_epochs(lab: Path, tmp_path: Path) -> None:
    trainer = trainer_of(model_of(GAN, epochs=2), lab, tmp_path)
    modes: list[bool] = []
    trainer.task.network.register_forward_pre_hook(lambda net, _: modes.append(net.training))
    trainer.run(Watcher())
    assert modes == ([True] * 4 + [False]) * 2


@pytest.mark.parametrize("name", MODELS)
def test_low_precision_trains_too(
    name: str, lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_PRECISION", "bfloat16")
    trainer = trainer_of(model_of(MODELS[name], epochs=2), lab, tmp_path)
    kept = trainer.run(Watcher())
    assert trainer.precision == torch.bfloat16
    assert all(tensor.dtype != torch.bfloat16 for tensor in kept.values())
    assert all(math.isfinite(row["train/loss"]) for row in trainer.progress.history)


def test_a_crop_is_what_is_validated(tmp_path: Path) -> None:
    """The whole photograph may be no multiple of the network's stride."""
    lab = write_lab_set(tmp_path / "lab", side=20)
    image = {"size": None, "crop": 16, "scale": None, "flip": True}
    trainer = trainer_of(model_of(GAN, epochs=1, image=image), lab, tmp_path / "scratch")
    sides: list[tuple[int, ...]] = []
    trainer.task.network.register_forward_pre_hook(lambda _, x: sides.append(x[0].shape[-2:]))
    trainer.run(Watcher())
    assert sides == [(16, 16)] * 5


def test_photographs_are_validated_at_the_size_they_are_learnt_at(
    lab: Path, tmp_path: Path
) -> None:
    image = {"size": 8, "crop": None, "scale": None, "flip": True}
    trainer, task = shifting(lab, tmp_path, image=image, epochs=1)
    watcher = Watcher()
    kept = trainer.run(watcher)
    averaged = nn.functional.avg_pool2d(truth_of(lab, "validation")[:, 1:], SIDE // 8)
    difference = kept["color"][None, :, None, None] - averaged / 110.0
    found = watcher.rows[0]["validation/loss"]
    assert found == pytest.approx(difference.square().mean().item(), rel=1e-5)
    assert all(batch.shape[-1] == 8 for batch in task.seen)


def test_an_absurd_rate_stops_with_the_step_and_what_to_do(lab: Path, tmp_path: Path) -> None:
    wild = {**REGRESSION["optimizer"], "kind": "sgd", "lr": 1e30, "clip": None, "warmup": 0.0}
    trainer = trainer_of(model_of(REGRESSION, optimizer=wild), lab, tmp_path)
    with pytest.raises(TrainingError) as caught:
        trainer.run(Watcher())
    message = str(caught.value)
    assert "\n" not in message
    assert "not finite at step" in message
    assert "of 12" in message
    assert "Lower optimizer.lr" in message


def poisoned(trainer: Trainer) -> None:
    with torch.no_grad():
        next(iter(trainer.task.network.parameters())).fill_(float("nan"))


@pytest.mark.parametrize(("seconds", "saved"), [(60.0, 4), (0.0, 6)])
def test_a_loss_that_is_not_finite_keeps_the_last_good_state(
    seconds: float, saved: int, lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photochrom.environment.checkpoint_seconds", lambda: seconds)
    holder: list[Trainer] = []
    train = Disturbed(LabSet.open(lab, "train"), 6, lambda: poisoned(holder[0]))
    holder.append(trainer_of(model_of(REGRESSION), lab, tmp_path, train=train))
    with pytest.raises(TrainingError, match="The loss is not finite at step 6 of 12"):
        holder[0].run(Watcher())
    state = Checkpoints(tmp_path, "same").load()
    assert state is not None
    assert state["progress"]["step"] == saved
    assert all(tensor.isfinite().all() for tensor in state["task"].values())


def test_weights_spoilt_by_the_last_step_of_an_epoch_are_not_kept(
    lab: Path, tmp_path: Path
) -> None:
    trainer, _ = shifting(lab, tmp_path, validation=[1.0, float("nan"), 1.0])
    watcher = Watcher()
    with pytest.raises(TrainingError, match="validation loss is not finite at step 8 of 12"):
        trainer.run(watcher)
    assert len(watcher.rows) == 1
    state = Checkpoints(tmp_path, "same").load()
    assert state is not None
    assert state["progress"]["step"] == 4


def test_a_full_disk_costs_checkpoints_but_not_the_training(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    expected = trainer_of(model_of(REGRESSION), lab, tmp_path / "a").run(Watcher())
    monkeypatch.setattr(Checkpoints, "save", full)
    trainer = trainer_of(model_of(REGRESSION), lab, tmp_path / "b")
    assert_equal_states(trainer.run(Watcher()), expected)
    said = capsys.readouterr().err
    assert said.count("The checkpoint could not be written") == 3
    assert "No space left on device" in said


def test_a_defect_in_saving_is_not_taken_for_a_full_disk(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Checkpoints, "save", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        trainer_of(model_of(REGRESSION), lab, tmp_path).run(Watcher())


def test_checkpoints_come_when_their_time_is_up(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    monkeypatch.setattr(Checkpoints, "save", lambda _, s: steps.append(s["progress"]["step"]))
    shifting(lab, tmp_path / "a")[0].run(Watcher())
    assert steps == [4, 8, 12]
    steps.clear()
    monkeypatch.setattr("photochrom.environment.checkpoint_seconds", lambda: 0.0)
    shifting(lab, tmp_path / "b")[0].run(Watcher())
    assert steps == [1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12]


def test_photographs_that_do_not_fit_in_memory_train_the_same(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trainer_of(model_of(GAN, epochs=2), lab, tmp_path / "a").run(Watcher())
    monkeypatch.setattr("photochrom.data.loader._free_bytes", lambda _: 0)
    train = Squares(LabSet.open(lab, "train"), CPU)
    trainer = trainer_of(model_of(GAN, epochs=2), lab, tmp_path / "b", train=train)
    assert_equal_states(trainer.run(Watcher()), expected)


def test_spoilt_weights_are_not_saved(lab: Path, tmp_path: Path) -> None:
    trainer = trainer_of(model_of(REGRESSION), lab, tmp_path)
    trainer.run(Watcher())
    poisoned(trainer)
    with pytest.raises(TrainingError, match="A weight is not finite at step 12 of 12"):
        trainer.save()
    state = Checkpoints(tmp_path, "same").load()
    assert state is not None
    assert all(tensor.isfinite().all() for tensor in state["task"].values())
