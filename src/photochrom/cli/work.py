"""Coloring many files: several at once, whole files only, and whatever fails is told."""

import io
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from PIL import Image

from photochrom.cli.inputs import reason, shown
from photochrom.cli.outcomes import STDIN, STDOUT, Outcome
from photochrom.cli.outputs import Task
from photochrom.colorizer.options import OptionError
from photochrom.files import whole_file
from photochrom.pictures.opening import FORMATS, BadPhotographError
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.reading import read_photograph
from photochrom.pictures.writing import SUFFIXES, UnwritableError, write_photograph

AT_ONCE = 24_000_000
"""Pixels that are worked on at once: larger photographs come one after the other."""


class Made(Protocol):
    """What was made of a photograph."""

    @property
    def photograph(self) -> Photograph:
        """The picture to be written."""

    @property
    def share(self) -> float | None:
        """How plausible the model finds it beside others, 0..1; None where there are none."""


@dataclass(frozen=True)
class Only:
    """The one picture that is made of a photograph."""

    photograph: Photograph
    share: None = None


class WriteError(Exception):
    """A colored photograph cannot be written; the message is a sentence that says why."""


KNOWN = (BadPhotographError, OptionError, UnwritableError, WriteError)
"""Errors whose message is a sentence for people."""


class Gate:
    """Lets photographs in as long as they have no more pixels together than a limit.

    A larger one waits until it is alone.
    """

    # Whole numbers: of fractions, rounding would in time leave less room than was taken.
    def __init__(self, most: int = AT_ONCE) -> None:
        self._most = self._free = most
        self._changed = threading.Condition()

    @contextmanager
    def passed(self, pixels: int) -> Iterator[None]:
        """Wait for room, and hold it for the block."""
        needed = min(pixels, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= needed)
            self._free -= needed
        try:
            yield
        finally:
            with self._changed:
                self._free += needed
                self._changed.notify_all()


@dataclass(frozen=True)
class Work:
    """What is done with each photograph.

    Attributes
    ----------
    make : gives the pictures to be written, one or several.
    max_megapixels : larger photographs are refused.
    overwrite : whether files that are there are replaced.
    gate : keeps memory within bounds.
    """

    make: Callable[[Photograph], Sequence[Made]]
    max_megapixels: float
    overwrite: bool
    gate: Gate

    def __call__(self, task: Task) -> Outcome:
        """Color one photograph; nothing that is wrong with it is raised."""
        try:
            with self.gate.passed(_pixels(task.path)):
                started = time.perf_counter()
                outcome = self._colored(task)
        except Exception as error:
            return replace(_unsettled(task), state="failed", why=_why(error))
        return replace(outcome, milliseconds=round((time.perf_counter() - started) * 1000.0, 1))

    def _colored(self, task: Task) -> Outcome:
        source = task.path if task.path is not None else sys.stdin.buffer.read()
        photograph = read_photograph(source, self.max_megapixels)
        outputs, shares, notes = list[str](), list[float](), list(photograph.notes)
        for target, made in zip(task.targets or (None,), self.make(photograph), strict=False):
            picture = made.photograph
            notes += _to_stdout(picture, task) if target is None else self._write(picture, target)
            outputs.append(STDOUT if target is None else str(target))
            shares += [] if made.share is None else [round(made.share, 4)]
        return replace(
            _unsettled(task),
            outputs=tuple(outputs),
            shares=tuple(shares),
            size=photograph.size,
            notes=tuple(dict.fromkeys(notes)),
        )

    def _write(self, photograph: Photograph, target: Path) -> tuple[str, ...]:
        # It may have come into being while the photograph was colored.
        if os.path.lexists(target) and not (self.overwrite and target.is_file()):
            raise WriteError(f"{shown(target)} is there already, and was left as it is.")
        try:
            with whole_file(target) as temporary, temporary.open("wb") as file:
                return write_photograph(photograph, file, SUFFIXES[target.suffix.lower()])
        except OSError as error:
            raise WriteError(f"{shown(target)} cannot be written: {reason(error)}") from None


def run(
    tasks: Sequence[Task], work: Work, jobs: int, done: list[Outcome]
) -> Generator[Outcome, None, None]:
    """Yield the outcome of each task as it comes, several at once.

    Parameters
    ----------
    tasks : the photographs.
    work : what is done with each.
    jobs : how many threads work.
    done : gets every outcome; after an interruption also those that were not yielded any more.
    """

    def one(task: Task) -> Outcome:
        outcome = work(task)
        done.append(outcome)
        return outcome

    with _threads(jobs):
        pool = ThreadPoolExecutor(jobs)
        try:
            futures = [pool.submit(one, task) for task in tasks]
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _threads(jobs: int) -> Iterator[None]:
    """Divide the CPUs among so many threads that all use PyTorch."""
    usual = torch.get_num_threads()
    torch.set_num_threads(max(1, usual // jobs))
    try:
        yield
    finally:
        torch.set_num_threads(usual)


def _to_stdout(photograph: Photograph, task: Task) -> tuple[str, ...]:
    form = task.form.upper() if task.form else photograph.format or "PNG"
    file = io.BytesIO()
    notes = write_photograph(photograph, file, form if form in SUFFIXES.values() else "PNG")
    try:
        sys.stdout.buffer.write(file.getbuffer())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Else Python would try once more at its end, and complain.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise WriteError("Standard output was closed before all was written.") from None
    return notes


def _unsettled(task: Task) -> Outcome:
    if task.path is None:
        return Outcome(STDIN, None, "colored")
    return Outcome(shown(task.path), str(task.path), "colored")


def _pixels(path: Path | None) -> int:
    """Return how many pixels a photograph says that it has; 0 where that cannot be read."""
    if path is None:
        return 0
    try:
        if not path.is_file():  # Opening a pipe would wait for whoever writes to it.
            return 0
        with Image.open(path, formats=FORMATS) as image:
            return int(image.width * image.height)
    except Exception:  # Whoever reads it says what is wrong with it.
        return 0


def _why(error: Exception) -> str:
    if isinstance(error, KNOWN):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        return reason(error)
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, MemoryError) or "allocate memory" in said or "out of memory" in said:
        return "There is not enough memory for it: take a smaller photograph, --size or --jobs."
    return f"It could not be colored ({type(error).__name__}: {said.rstrip('.')})."
