"""The engine: steps, epochs, precision, averaging, checkpoints. It knows no objective.

A task yields one turn per player; the engine makes the move before it asks for the next. All
randomness of a step comes from (seed, step), so that a training continued from a checkpoint
computes what the uninterrupted one computes, bit for bit on the CPU. Several processes compute what
one does, but for the order in which numbers are added: each sees its share of every batch.
"""

import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from photochrom import environment, hardware
from photochrom.data.loader import Squares, augmented
from photochrom.objectives import Task, Turn
from photochrom.params.models import ModelParams
from photochrom.progress import say, track
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.compiling import Compilation
from photochrom.training.distributed import ALONE, Group
from photochrom.training.division import divide
from photochrom.training.errors import TrainingError, TrainingStopped
from photochrom.training.finiteness import NEVER, Finiteness
from photochrom.training.history import Observer, Progress, Row
from photochrom.training.optimizers import (
    MovingAverage,
    clip_gradients,
    learning_rate,
    make_optimizer,
    set_learning_rate,
)
from photochrom.training.signals import Signals
from photochrom.training.synchronized import synchronize
from photochrom.training.validation import validate

LOSS_CHECK_STEPS = 20
SAVE = 1000
"""The wish for a checkpoint, greater than any signal's number."""


class Trainer:
    """Trains one task.

    Parameters
    ----------
    task : networks and losses, already on ``device``.
    model : how long, in which batches, seen how, kept how.
    train, validation : the photographs.
    seed : of order, augmentation and dropout.
    checkpoints : where the state is kept; an earlier one there is continued.
    group : the processes that train together, each with its own trainer.

    Raises
    ------
    TrainingError
        If there are more processes than photographs in a batch.
    """

    def __init__(
        self,
        task: Task,
        model: ModelParams,
        train: Squares,
        validation: Squares,
        seed: int,
        checkpoints: Checkpoints,
        device: torch.device,
        group: Group = ALONE,
    ) -> None:
        self.task, self._model, self._seed, self._group = task, model, seed, group
        self._train, self._validation = train, validation
        self._checkpoints, self.device = checkpoints, device
        self.precision = hardware.precision(device)
        self._batch = min(model.batch_size, len(train))
        self._division = divide(self._batch, group, environment.device_batch())
        synchronize(task, group, self._division, device)
        self._players = task.players()
        self._optimizers = {name: make_optimizer(player) for name, player in self._players.items()}
        modules = [player.module for player in self._players.values()]
        self._average = MovingAverage(task.network, model.ema) if model.ema is not None else None
        self.compilation = Compilation(modules, device, group)
        self._finiteness = Finiteness()
        self._signals, self._parent = Signals(), os.getppid()
        self._epoch_steps = len(train) // self._batch
        self._steps = self._epoch_steps * model.epochs
        self.progress = Progress()
        self._restore()

    @property
    def network(self) -> nn.Module:
        """The network as it would be kept now: the moving average where there is one."""
        return self.task.network if self._average is None else self._average.network

    def run(self, observer: Observer) -> dict[str, Tensor]:
        """Train to the end.

        Returns
        -------
        The state of the kept network: of the best epoch or the last, as the model says.

        Raises
        ------
        TrainingError
            When a loss is no longer finite, or a signal asks to stop. The state saved last stays.
        """
        self._clock = time.monotonic()
        self._saved = self._clock
        with self._signals.watched():
            # Rows are counted, not steps: a checkpoint may lie between an epoch's last step and
            # its row.
            while len(self.progress.history) < self._model.epochs:
                self._run_epoch()
                observer.epoch(self._finish_epoch(), self.network)
                self.save()
        return self._kept_state() if self._model.keep == "last" else self.progress.best

    @property
    def processes(self) -> int:
        """How many processes train together."""
        return self._group.size

    @property
    def kept_epoch(self) -> int:
        """The epoch (1, 2, ..) whose weights are kept."""
        return self._model.epochs if self._model.keep == "last" else self.progress.best_epoch

    def save(self) -> None:
        """Save the whole state. A full disk is reported, not fatal: the former state stays."""
        self._check_losses()
        self._check_weights()
        self._count_time()
        self._group.sum(self.progress.sums.values())
        if self._group.first:
            self._write()
        else:
            self._forget_sums()
        self._saved = time.monotonic()

    def _write(self) -> None:
        try:
            self._checkpoints.save(self._state())
        except OSError as error:
            say(f"The checkpoint could not be written ({error}); the training goes on without it.")

    def _forget_sums(self) -> None:
        """Leave the sums over all processes to the first."""
        for total in self.progress.sums.values():
            total.zero_()

    def _run_epoch(self) -> None:
        epoch = len(self.progress.history)
        done = self.progress.step - epoch * self._epoch_steps
        batches = self._train.batches(self._orders(epoch, done))
        self.task.train()
        self.task.start_epoch(epoch)
        for stored in self._shown(batches, epoch, self._epoch_steps - done):
            self.step(stored)
            self._attend()

    def _shown(self, batches: Iterator[Tensor], epoch: int, steps: int) -> Iterator[Tensor]:
        if not self._group.first:
            return batches
        title = f"Epoch {epoch + 1} of {self._model.epochs}"
        return track(batches, title, steps, closing_line=False)

    def _orders(self, epoch: int, done: int) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(_mixed(self._seed, 2 * epoch))
        order = torch.randperm(len(self._train), generator=generator)
        batches = order[: self._epoch_steps * self._batch].split(self._batch)[done:]
        own = self._division.positions
        return iter(batches) if own is None else (batch[own] for batch in batches)

    def step(self, stored: Tensor) -> None:
        """Learn from one batch: every player moves once.

        Parameters
        ----------
        stored : this process's squares of it (uint8 (n, 3, S, S)), piece after piece.
        """
        seed = _mixed(self._seed, 2 * self.progress.step + 1)
        generator, division = torch.Generator().manual_seed(seed), self._division
        batch = augmented(stored, self._model.image, generator, division.total, division.positions)
        if self.compilation.done:
            torch.compiler.cudagraph_mark_step_begin()
        turns = [self.task.turns(piece) for piece in division.cut(batch)]
        while (player := self._gather(turns, seed)) is not None:
            self._move(player)
            seed = _mixed(seed, 0)
        if self._average is not None:
            self._average.update(self.progress.step)
        self.progress.step += 1
        self.compilation.consider(self._steps - self.progress.step)

    def _gather(self, turns: list[Iterator[Turn]], seed: int) -> str | None:
        """Add up the next player's gradients over the pieces; return whose they are."""
        player = None
        for piece, of_piece in zip(self._division.pieces, turns, strict=True):
            self._division.current = piece
            # The same for every piece: each cuts its own from what is drawn for the whole batch.
            self._seed_dropout(seed)
            turn = self._next(of_piece)
            if turn is None:
                return None
            if player is None:
                player = turn.player
                self._optimizers[player].zero_grad(set_to_none=True)
            self._learn(turn, len(piece) / self._batch)
        return player

    def _seed_dropout(self, seed: int) -> None:
        # torch.manual_seed formats a traceback at every call where there is no GPU.
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _next(self, turns: Iterator[Turn]) -> Turn | None:
        with self._autocast():
            return next(turns, None)

    def _learn(self, turn: Turn, share: float) -> None:
        """Add the gradient of a piece that is such a share of the batch."""
        (turn.loss if share == 1 else turn.loss * share).backward()
        self._finiteness.note(self.progress.step, turn.loss.detach())
        self._note(turn, share)

    def _move(self, name: str) -> None:
        """Let a player move by the gradients of all processes."""
        optimizer, player = self._optimizers[name], self._players[name]
        rate = learning_rate(player.optimizer, self.progress.step, self._steps)
        set_learning_rate(optimizer, rate)
        gradients = [p.grad for p in player.module.parameters() if p.grad is not None]
        self._group.sum(gradients)
        if player.optimizer.clip is not None:
            norm = clip_gradients(gradients, player.optimizer.clip)
            self._finiteness.note(self.progress.step, norm)
        optimizer.step()

    def _note(self, turn: Turn, share: float) -> None:
        for name, value in turn.metrics.items():
            before = self.progress.sums.get(name)
            part = value.double() if share == 1 else value.double() * share
            self.progress.sums[name] = part if before is None else before + part

    def _attend(self) -> None:
        """Look at losses, clock and signals between two steps."""
        if self.progress.step % LOSS_CHECK_STEPS == 0:
            self._check_losses()
        elif self._group.size > 1 and self.device.type == "cuda":
            return  # Asking each other at every step would make the GPUs wait.
        wish = self._group.greatest(self._wish())
        if wish == 0:
            return
        self.save()
        if wish != SAVE:
            raise TrainingStopped(
                f"Stopped by {signal.Signals(wish).name} after step {self.progress.step}; "
                "run the same command again to continue from the last checkpoint."
            )

    def _wish(self) -> int:
        """Return the signal that asks to stop, SAVE when a checkpoint is due, else 0."""
        if environment.launched() and os.getppid() != self._parent:
            return signal.SIGTERM  # The launcher was killed: nobody else would stop this process.
        due = time.monotonic() - self._saved > environment.checkpoint_seconds()
        return self._signals.seen or (SAVE if due else 0)

    def _check_losses(self) -> None:
        step = -self._group.greatest(-self._finiteness.look())
        if step != NEVER:
            raise self._not_finite("The loss", step)

    def _check_weights(self) -> None:
        """Refuse to save weights that a finite loss with an infinite gradient has spoilt."""
        finite = torch.stack([torch.isfinite(p).all() for p in self.task.parameters()]).all()
        if not bool(finite):
            raise self._not_finite("A weight", self.progress.step)

    def _not_finite(self, what: str, step: int) -> TrainingError:
        return TrainingError(
            f"{what} is not finite at step {step} of {self._steps}. The last good state is in "
            f"{self._checkpoints.folder}. Lower optimizer.lr, or set optimizer.clip."
        )

    def _finish_epoch(self) -> Row:
        self._check_losses()
        self._count_time()
        self._group.sum(self.progress.sums.values())
        epoch = len(self.progress.history) + 1
        row: Row = {
            "epoch": epoch,
            "step": self.progress.step,
            "images_seen": self.progress.step * self._batch,
            "seconds": round(self.progress.seconds, 3),
            "lr": self._optimizers[next(reversed(self._players))].param_groups[0]["lr"],
        }
        sums, self.progress.sums = self.progress.sums, {}
        row |= {f"train/{name}": float(total) / self._epoch_steps for name, total in sums.items()}
        row |= {f"validation/{name}": value for name, value in self._validate().items()}
        if not math.isfinite(row["validation/loss"]):
            raise self._not_finite("The validation loss", self.progress.step)
        self.progress.history.append(row)
        self._keep_if_best(epoch, row)
        return row

    def _keep_if_best(self, epoch: int, row: Row) -> None:
        error = row["validation/l1" if self._model.keep == "best_l1" else "validation/loss"]
        better = error < self.progress.best_loss or not self.progress.best
        if self.task.keepable and better:
            self.progress.best_loss, self.progress.best_epoch = error, epoch
            self.progress.best = self._kept_state()

    def _validate(self) -> dict[str, float]:
        network = self.network
        found = validate(
            self.task,
            network,
            self._validation,
            self._model.image,
            self._group,
            self._autocast(),
        )
        network.train(network is self.task.network)
        return found

    def _kept_state(self) -> dict[str, Tensor]:
        return {name: t.detach().clone() for name, t in self.network.state_dict().items()}

    def _autocast(self) -> AbstractContextManager[Any]:
        wanted = self.precision != torch.float32
        return torch.autocast(self.device.type, self.precision, enabled=wanted)

    def _count_time(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self._clock
        self._clock = now

    def _state(self) -> dict[str, Any]:
        average = None if self._average is None else self._average.network.state_dict()
        optimizers = {name: o.state_dict() for name, o in self._optimizers.items()}
        return {
            "progress": vars(self.progress),
            "task": self.task.state_dict(),
            "average": average,
            "optimizers": optimizers,
        }

    def _restore(self) -> None:
        state = self._group.told(self._checkpoints.load() if self._group.first else None)
        if state is None:
            return
        self.progress = Progress(**state["progress"])
        sums = self.progress.sums
        self.progress.sums = {name: total.to(self.device) for name, total in sums.items()}
        self.task.load_state_dict(state["task"])
        if self._average is not None:
            self._average.network.load_state_dict(state["average"])
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        if self._group.first:
            say(f"Continuing after step {self.progress.step} of {self._steps}.")
        else:
            self._forget_sums()


def _mixed(seed: int, number: int) -> int:
    """Derive a seed from two numbers; neighbours give unrelated ones (splitmix64)."""
    value = (seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9 + 1) % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return (value ^ (value >> 31)) % 2**63
