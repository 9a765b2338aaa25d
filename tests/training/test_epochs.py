"""Which epoch a task is told of, which one is kept, and epochs that are never kept."""

import signal
from pathlib import Path

import pytest
import torch
from training_kit import (
    GAN,
    PRETRAINED,
    Disturbed,
    Watcher,
    model_of,
    shifting,
    trainer_of,
)

from photochrom.data.shards import LabSet
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.errors import TrainingError


def stop() -> None:
    raise KeyboardInterrupt


def test_the_best_epoch_is_kept(lab: Path, tmp_path: Path) -> None:
    trainer, task = shifting(lab, tmp_path, validation=[3.0, 1.0, 2.0])
    kept = trainer.run(Watcher())
    assert trainer.kept_epoch == 2
    assert torch.equal(kept["color"], task.colors[8])


def test_the_first_of_equally_good_epochs_is_kept(lab: Path, tmp_path: Path) -> None:
    trainer, task = shifting(lab, tmp_path, validation=[2.0, 1.0, 1.0])
    assert torch.equal(trainer.run(Watcher())["color"], task.colors[8])


def test_the_last_epoch_is_kept_where_asked(lab: Path, tmp_path: Path) -> None:
    trainer, task = shifting(lab, tmp_path, validation=[3.0, 1.0, 2.0], keep="last")
    kept = trainer.run(Watcher())
    assert trainer.kept_epoch == 3
    assert torch.equal(kept["color"], task.network.color.detach())
    assert not torch.equal(kept["color"], task.colors[8])


@pytest.mark.parametrize(("keep", "epoch"), [("best", 2), ("best_l1", 3), ("last", 4)])
def test_each_way_to_keep_follows_its_own_number(
    keep: str, epoch: int, lab: Path, tmp_path: Path
) -> None:
    losses, l1 = [3.0, 1.0, 2.0, 4.0], [0.3, 0.4, 0.1, 0.2]
    trainer, task = shifting(lab, tmp_path, losses, l1, keep=keep, epochs=4)
    kept = trainer.run(Watcher())
    assert trainer.kept_epoch == epoch
    passed = [*task.colors[4::4], task.network.color.detach()]
    assert torch.equal(kept["color"], passed[epoch - 1])
    assert len({tuple(color.tolist()) for color in passed}) == 4


def test_the_best_l1_is_remembered_over_an_interruption(lab: Path, tmp_path: Path) -> None:
    losses, l1 = [1.0, 2.0, 3.0, 4.0], [0.3, 0.1, 0.2, 0.4]
    with pytest.raises(KeyboardInterrupt):
        shifting(lab, tmp_path, losses, l1, keep="best_l1", epochs=4)[0].run(Watcher(3, stop))
    trainer, _ = shifting(lab, tmp_path, losses[2:], l1[2:], keep="best_l1", epochs=4)
    assert trainer.progress.best_loss == pytest.approx(0.1)
    trainer.run(Watcher())
    assert trainer.kept_epoch == 2


@pytest.mark.parametrize("keep", ["best", "best_l1"])
def test_an_epoch_that_is_not_keepable_is_never_kept_however_good(
    keep: str, lab: Path, tmp_path: Path
) -> None:
    numbers = [0.01, 0.02, 3.0, 2.0]
    trainer, task = shifting(lab, tmp_path, numbers, numbers, unkept=2, keep=keep, epochs=4)
    kept = trainer.run(Watcher())
    assert trainer.kept_epoch == 4
    assert torch.equal(kept["color"], task.network.color.detach())


def test_the_first_keepable_epoch_is_kept_where_no_later_one_is_better(
    lab: Path, tmp_path: Path
) -> None:
    trainer, task = shifting(lab, tmp_path, [0.1, 2.0, 3.0], unkept=1)
    assert torch.equal(trainer.run(Watcher())["color"], task.colors[8])
    assert trainer.kept_epoch == 2


def test_a_task_is_told_of_each_epoch_from_0_on(lab: Path, tmp_path: Path) -> None:
    trainer, task = shifting(lab, tmp_path)
    trainer.run(Watcher())
    assert task.starts == [0, 1, 2]


@pytest.mark.parametrize(("at", "rest"), [(0, [0, 1, 2]), (3, [1, 2]), (5, [1, 2]), (10, [2])])
def test_a_task_that_goes_on_is_told_of_the_epoch_it_is_in(
    at: int, rest: list[int], lab: Path, tmp_path: Path
) -> None:
    """After step 3, the last of an epoch, that epoch's row is still to come."""
    train = Disturbed(LabSet.open(lab, "train"), at, lambda: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(TrainingError):
        shifting(lab, tmp_path, train=train)[0].run(Watcher())
    trainer, task = shifting(lab, tmp_path)
    trainer.run(Watcher())
    assert task.starts == ([0, *rest] if at == 3 else rest)


def test_pretraining_moves_the_generator_alone(lab: Path, tmp_path: Path) -> None:
    train = Disturbed(LabSet.open(lab, "train"), 4, stop)
    trainer = trainer_of(model_of(PRETRAINED), lab, tmp_path, train=train)
    fresh = {name: tensor.clone() for name, tensor in trainer.task.state_dict().items()}
    with pytest.raises(KeyboardInterrupt):
        trainer.run(Watcher())
    state = Checkpoints(tmp_path, "same").load()
    assert state is not None
    assert state["progress"]["step"] == 4
    same = {name for name, tensor in fresh.items() if torch.equal(state["task"][name], tensor)}
    assert same == {name for name in fresh if name.startswith("discriminator.")}
    assert state["optimizers"]["discriminator"]["state"] == {}
    assert state["optimizers"]["generator"]["state"] != {}
    assert state["progress"]["best"] == {}


def test_the_first_epoch_after_pretraining_moves_both(lab: Path, tmp_path: Path) -> None:
    watcher = Watcher()
    trainer = trainer_of(model_of(PRETRAINED), lab, tmp_path)
    trainer.run(watcher)
    told = ["train/discriminator_loss" in row for row in watcher.rows]
    assert told == [False, True, True]
    assert ["train/pixel_loss" in row for row in watcher.rows] == [False, True, True]
    assert trainer.kept_epoch in (2, 3)
    errors = [row["validation/l1"] for row in watcher.rows]
    assert errors[trainer.kept_epoch - 1] == min(errors[1:])


def test_without_pretraining_both_move_at_once(lab: Path, tmp_path: Path) -> None:
    watcher = Watcher()
    trainer_of(model_of(GAN), lab, tmp_path).run(watcher)
    assert all("train/discriminator_loss" in row for row in watcher.rows)
