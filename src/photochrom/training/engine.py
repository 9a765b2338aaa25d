"""The engine: steps, epochs, precision, averaging, checkpoints. It knows no objective.

A task yields one turn per player; the engine makes the move before it asks for the next. All
randomness of a step comes from (seed, step), so that a training continued from a checkpoint
computes what the uninterrupted one computes, bit for bit on the CPU.
"""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from photochrom import environment, hardware
from photochrom.color.batch import Batch
from photochrom.color.bins import output_channels
from photochrom.data.loader import Squares, augmented, centred
from photochrom.objectives import Task, Turn
from photochrom.params.models import ModelParams
from photochrom.progress import say, track
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.optimizers import MovingAverage, learning_rate, make_optimizer

Row = dict[str, float]
LOSS_CHECK_STEPS = 20
VALIDATED = 64
NEVER = 2**62


class TrainingError(Exception):
    """The training cannot go on; the message says why and what to do."""


class TrainingStopped(TrainingError):  # noqa: N818 - nothing went wrong
    """A signal asked to stop; the training can be continued."""


class Observer(Protocol):
    """Whoever wants to see a training as it goes."""

    def epoch(self, row: Row, network: nn.Module) -> None:
        """Receive an epoch's row of the history and the network as it would be kept."""


@dataclass
class Progress:
    """What a training has come to.

    Attributes
    ----------
    step : moves made.
    seconds : time spent, over all interruptions.
    history : one row per finished epoch.
    best_epoch, best_loss : the epoch with the least validation loss, or L1 error.
    best : the network's state after it.
    sums : the current epoch's metrics, summed over its steps.
    """

    step: int = 0
    seconds: float = 0.0
    history: list[Row] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float = float("inf")
    best: dict[str, Tensor] = field(default_factory=dict)
    sums: dict[str, Tensor] = field(default_factory=dict)


class Trainer:
    """Trains one task.

    Parameters
    ----------
    task : networks and losses, already on ``device``.
    model : how long, in which batches, seen how, kept how.
    train, validation : the photographs.
    seed : of order, augmentation and dropout.
    checkpoints : where the state is kept; an earlier one there is continued.
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
    ) -> None:
        self.task, self._model, self._seed = task, model, seed
        self._train, self._validation = train, validation
        self._checkpoints, self.device = checkpoints, device
        self.precision = hardware.precision(device)
        self._players = task.players()
        self._optimizers = {
            name: make_optimizer(player, device) for name, player in self._players.items()
        }
        self._average = MovingAverage(task.network, model.ema) if model.ema is not None else None
        self._first_bad = torch.tensor(NEVER, device=device)
        self._signal: int | None = None
        self._batch = min(model.batch_size, len(train))
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
        with self._watched_signals():
            # Rows are counted, not steps: a checkpoint may lie between an epoch's last step and
            # its row.
            while len(self.progress.history) < self._model.epochs:
                self._run_epoch()
                observer.epoch(self._finish_epoch(), self.network)
                self.save()
        return self._kept_state() if self._model.keep == "last" else self.progress.best

    @property
    def kept_epoch(self) -> int:
        """The epoch (1, 2, ..) whose weights are kept."""
        return self._model.epochs if self._model.keep == "last" else self.progress.best_epoch

    def save(self) -> None:
        """Save the whole state. A full disk is reported, not fatal: the former state stays."""
        self._check_losses()
        self._check_weights()
        self._count_time()
        try:
            self._checkpoints.save(self._state())
        except OSError as error:
            say(f"The checkpoint could not be written ({error}); the training goes on without it.")
        self._saved = time.monotonic()

    def _run_epoch(self) -> None:
        epoch = len(self.progress.history)
        done = self.progress.step - epoch * self._epoch_steps
        batches = self._train.batches(self._orders(epoch, done))
        title = f"Epoch {epoch + 1} of {self._model.epochs}"
        self.task.train()
        self.task.start_epoch(epoch)
        for stored in track(batches, title, self._epoch_steps - done, closing_line=False):
            self.step(stored)
            self._attend()

    def _orders(self, epoch: int, done: int) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(_mixed(self._seed, 2 * epoch))
        order = torch.randperm(len(self._train), generator=generator)
        return iter(order[: self._epoch_steps * self._batch].split(self._batch)[done:])

    def step(self, stored: Tensor) -> None:
        """Learn from one batch of stored squares (uint8 (N, 3, S, S)): every player moves once."""
        step = self.progress.step
        seed = _mixed(self._seed, 2 * step + 1)
        torch.manual_seed(seed)
        batch = augmented(stored, self._model.image, torch.Generator().manual_seed(seed))
        turns = self.task.turns(batch)
        while (turn := self._next(turns)) is not None:
            self._move(turn, step)
        if self._average is not None:
            self._average.update(step)
        self.progress.step = step + 1

    def _next(self, turns: Iterator[Turn]) -> Turn | None:
        with self._autocast():
            return next(turns, None)

    def _move(self, turn: Turn, step: int) -> None:
        optimizer, player = self._optimizers[turn.player], self._players[turn.player]
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(player.optimizer, step, self._steps)
        optimizer.zero_grad(set_to_none=True)
        turn.loss.backward()
        self._note_bad(turn.loss.detach(), step)
        if (clip := player.optimizer.clip) is not None:
            norm = nn.utils.clip_grad_norm_(player.module.parameters(), clip)
            self._note_bad(norm.detach(), step)
        optimizer.step()
        self._note(turn)

    def _note_bad(self, value: Tensor, step: int) -> None:
        bad = ~torch.isfinite(value)
        self._first_bad = torch.where(bad, self._first_bad.clamp(max=step), self._first_bad)

    def _note(self, turn: Turn) -> None:
        for name, value in turn.metrics.items():
            before = self.progress.sums.get(name)
            self.progress.sums[name] = value.double() if before is None else before + value

    def _attend(self) -> None:
        """Look at losses, clock and signals between two steps."""
        if self.progress.step % LOSS_CHECK_STEPS == 0:
            self._check_losses()
        if self._signal is not None:
            self.save()
            raise TrainingStopped(
                f"Stopped by {signal.Signals(self._signal).name} after step {self.progress.step}; "
                "run the same command again to continue from the last checkpoint."
            )
        if time.monotonic() - self._saved > environment.checkpoint_seconds():
            self.save()

    def _check_losses(self) -> None:
        step = int(self._first_bad)
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

    @torch.inference_mode()
    def _validate(self) -> dict[str, float]:
        network, count = self.network.eval(), len(self._validation)
        sums: dict[str, Tensor] = {}
        orders = iter(torch.arange(count).split(VALIDATED))
        channels = output_channels(self.task.bins)
        for stored in self._validation.batches(orders):
            for batch in centred(stored, self._model.image).pieces(channels):
                for name, value in self._measured(network, batch).items():
                    sums[name] = sums.get(name, torch.zeros_like(value)) + value * len(batch)
        network.train(network is self.task.network)
        return {name: float(total) / count for name, total in sums.items()}

    def _measured(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        with self._autocast():
            return self.task.validate(network, batch)

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
        state = self._checkpoints.load(self.device)
        if state is None:
            return
        self.progress = Progress(**state["progress"])
        self.task.load_state_dict(state["task"])
        if self._average is not None:
            self._average.network.load_state_dict(state["average"])
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        say(f"Continuing after step {self.progress.step} of {self._steps}.")

    @contextmanager
    def _watched_signals(self) -> Iterator[None]:
        watched = (signal.SIGINT, signal.SIGTERM)
        former = {number: signal.getsignal(number) for number in watched}

        def remember(number: int, _: FrameType | None) -> None:
            self._signal = number
            # Whoever asks again does not want to wait for the step to end.
            signal.signal(number, former[signal.Signals(number)])

        for number in watched:
            signal.signal(number, remember)
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


def _mixed(seed: int, number: int) -> int:
    """Derive a seed from two numbers; neighbours give unrelated ones (splitmix64)."""
    value = (seed * 0x9E3779B97F4A7C15 + number * 0xBF58476D1CE4E5B9 + 1) % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return (value ^ (value >> 31)) % 2**63
