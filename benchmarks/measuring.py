"""Timing two things in turn, and what comes of it."""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import torch

from photochrom.params import Params
from photochrom.progress import say

Work = Callable[[], object]
Better = Literal["lower", "higher"]
SHORTEST = 0.02
"""Seconds of one timing at least; shorter work is repeated within it."""


@dataclass(frozen=True)
class Spread:
    """The median and the quartiles of what was measured."""

    median: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Return those of one or more values."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, lower, upper)

    def scaled(self, factor: float) -> "Spread":
        """Return it in another unit."""
        return Spread(*(factor * value for value in (self.median, self.lower, self.upper)))

    @property
    def width(self) -> float:
        """What lies between the quartiles."""
        return self.upper - self.lower


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    group : the letter of its group.
    name : what was measured; runs are compared by group and name.
    value : what is held against the goal and against earlier runs, in ``unit``.
    better : which values of it are better.
    milliseconds, reference : the times that the value comes from; None where it has none.
    goal : the worst value that the project allows itself; None where it has no goal.
    note : what else there is to know.
    """

    group: str
    name: str
    value: Spread
    unit: str
    better: Better
    milliseconds: Spread | None = None
    reference: Spread | None = None
    goal: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        value = self.value.median
        return value <= self.goal if self.better == "lower" else value >= self.goal


Found = Iterator[Row | str]
"""What a group finds: rows, and sentences about what had to be left out."""


@dataclass(frozen=True)
class Setting:
    """How to measure.

    Attributes
    ----------
    params : of params.yaml; its models are measured.
    device : where networks compute.
    scratch : a folder for files, removed at the end.
    photographs : a ZIP of photographs to use; None makes some.
    rounds : how often each pair is timed.
    quick : sizes so small that the numbers say nothing, to try the scripts themselves.
    """

    params: Params
    device: torch.device
    scratch: Path
    photographs: Path | None = None
    rounds: int = 15
    quick: bool = False

    @property
    def few(self) -> int:
        """How often what takes seconds is timed."""
        return min(self.rounds, max(3, self.rounds // 3))

    def floor(
        self, name: str, work: Work, floor: Work, *, goal: float | None = None, rounds: int = 0
    ) -> Row:
        """Tell how many times as long ``work`` takes as ``floor``, which none can undercut."""
        times, bare = self.interleaved(name, work, floor, rounds)
        ratio = Spread.of([a / b for a, b in zip(times, bare, strict=True)])
        return _row(name, ratio, "x the floor", "lower", times, bare, goal)

    def rival(
        self, name: str, work: Work, rival: Work, *, goal: float | None = None, rounds: int = 0
    ) -> Row:
        """Tell how many times as fast ``work`` is as ``rival``, which does the same."""
        times, others = self.interleaved(name, work, rival, rounds)
        ratio = Spread.of([b / a for a, b in zip(times, others, strict=True)])
        return _row(name, ratio, "x as fast", "higher", times, others, goal)

    def interleaved(
        self, name: str, one: Work, other: Work, rounds: int = 0
    ) -> tuple[list[float], list[float]]:
        """Time both in turn, A B A B .., after one run of each (seconds)."""
        say(f"Timing {name}")
        repeats = [self._repeats(work) for work in (one, other)]
        pairs = [
            tuple(timed(work, count) for work, count in zip((one, other), repeats, strict=True))
            for _ in range(rounds or self.rounds)
        ]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def alone(self, name: str, work: Work, rounds: int = 0) -> list[float]:
        """Time what there is nothing to compare with (seconds)."""
        say(f"Timing {name}")
        repeats = self._repeats(work)
        return [timed(work, repeats) for _ in range(rounds or self.rounds)]

    def _repeats(self, work: Work) -> int:
        once = timed(work)
        return 1 if self.quick or once > SHORTEST else 1 + int(SHORTEST / max(timed(work), 1e-7))


def _row(
    name: str,
    ratio: Spread,
    unit: str,
    better: Better,
    times: list[float],
    others: list[float],
    goal: float | None,
) -> Row:
    one, other = (Spread.of(seconds).scaled(1000) for seconds in (times, others))
    return Row("", name, ratio, unit, better, one, other, goal)


def timed(work: Work, repeats: int = 1) -> float:
    """Return the seconds that ``work`` takes, the mean of some repeats; a GPU is waited for."""
    finish()
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    finish()
    return (time.perf_counter() - started) / repeats


def finish() -> None:
    """Wait for what the GPU still computes."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute on so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def peak() -> float:
    """Return the greatest memory of this process so far, in MiB."""
    try:
        with Path("/proc/self/status").open(encoding="ascii") as lines:
            return next(int(line.split()[1]) / 1024 for line in lines if "VmHWM" in line)
    except (OSError, StopIteration):
        return _peak_by_system()


def forget_peak() -> None:
    """Begin anew with the greatest memory, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_by_system() -> float:
    # On Linux this would count what the parent of a new process held when it was started.
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)
