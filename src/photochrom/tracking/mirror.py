"""A training as MLflow sees it while it runs."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, Full, Queue
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from photochrom.progress import say
from photochrom.tracking.record import TrainingRecord
from photochrom.tracking.runs import Run, Status
from photochrom.tracking.store import (
    Address,
    TrackingError,
    address,
    explained,
    open_store,
    prepare,
    tracking_possible,
)

SAMPLES = "samples"
FILES = ("config.json", "history.csv")
"""What a training's run holds. The weights are in the logged model, which can be loaded."""
BACKLOG = 512
"""Calls that may wait for a slow store before it is given up."""


class Mirror:
    """A training's run in MLflow. This one shows nothing: tracking is off.

    Every method returns at once and none raises, whatever the state of MLflow; only
    :meth:`close` waits, for a limited time. Leaving a ``with`` block closes it with the status
    that fits.

    Attributes
    ----------
    run_id, parent_run_id : as MLflow names them; None as long as, or because, there are none.
    """

    def __init__(self, record: TrainingRecord, experiment: str) -> None:
        self.run_id: str | None = None
        self.parent_run_id: str | None = None
        self._record = record
        self._experiment = experiment

    def epoch(self, row: Mapping[str, float]) -> None:
        """Show the numbers of an epoch.

        Parameters
        ----------
        row : a row of history.csv. ``images_seen`` is the step; columns with a slash, and ``lr``,
            are shown.
        """

    def picture(self, image: NDArray[np.uint8], step: int, key: str = SAMPLES) -> None:
        """Show a picture.

        Parameters
        ----------
        image : (H, W, 3), uint8; copied.
        step : images seen; the run's page has a slider of them.
        key : what the slider is called.
        """

    def close(
        self, status: Status = "FINISHED", folder: Path | None = None, timeout: float = 10.0
    ) -> None:
        """End the run.

        Parameters
        ----------
        status : how the training ended.
        folder : where config.json and history.csv lie, to be copied.
        timeout : the longest to wait for MLflow, in seconds.
        """

    def identity(self) -> dict[str, Any]:
        """Return what run.json must hold, after closing, so that the run can be made again."""
        return {
            "key": self._record.key,
            "run_id": self.run_id,
            "parent_run_id": self.parent_run_id,
            "experiment": self._experiment,
            "record": self._record.to_json(),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.close("FAILED" if issubclass(kind, Exception) else "KILLED", timeout=3.0)


class _LiveMirror(Mirror):
    """Feeds MLflow from a background thread. The first failure ends it, with one line."""

    def __init__(self, record: TrainingRecord, root: Path, experiment: str) -> None:
        super().__init__(record, experiment)
        self._root = root
        self._place: Address = address(root)
        self._tasks: Queue[Callable[[Run], None] | None] = Queue(BACKLOG)
        self._closed = False
        self._done = threading.Event()
        self._failed = threading.Event()
        self._failing = threading.Lock()
        threading.Thread(target=self._work, name="mlflow", daemon=True).start()

    def epoch(self, row: Mapping[str, float]) -> None:
        values, step = shown_metrics(row), int(row["images_seen"])
        self._put(lambda run: run.metrics(values, step))

    def picture(self, image: NDArray[np.uint8], step: int, key: str = SAMPLES) -> None:
        copy = np.array(image)
        self._put(lambda run: run.picture(copy, step, key))

    def close(
        self, status: Status = "FINISHED", folder: Path | None = None, timeout: float = 10.0
    ) -> None:
        if self._closed:
            return
        self._closed = True
        self._put(lambda run: finish(run, folder, status, None))
        self._put(None)
        if not self._failed.is_set() and not self._done.wait(timeout):
            self._fail(TrackingError(f"MLflow at {self._place.shown} is too slow to wait for"))

    def _put(self, task: Callable[[Run], None] | None) -> None:
        if self._failed.is_set():
            return
        try:
            self._tasks.put_nowait(task)
        except Full:
            self._fail(TrackingError(f"MLflow at {self._place.shown} is too slow to follow"))

    def _work(self) -> None:
        try:
            store = open_store(self._root, self._experiment)
            run = store.training(self._record)
            self.run_id, self.parent_run_id = run.run_id, run.parent_id
            run.resume()
            store.end_abandoned()
            while not self._failed.is_set() and (task := self._tasks.get()) is not None:
                task(run)
        except Exception as error:
            self._fail(explained(self._place, error))
        finally:
            self._done.set()

    def _fail(self, error: TrackingError) -> None:
        with self._failing:
            if self._failed.is_set():
                return
            self._failed.set()
        self._forget()
        say(
            f"{error}; the training goes on and its numbers are in models/{self._record.model}; "
            "run `photochrom runs sync` later."
        )

    def _forget(self) -> None:
        """Drop what waits, and wake the thread if it is still able to end."""
        try:
            while True:
                self._tasks.get_nowait()
        except Empty:
            self._tasks.put_nowait(None)


def open_run(record: TrainingRecord, root: Path, experiment: str) -> Mirror:
    """Open a training's run in MLflow, or the one it had if it is being resumed.

    Returns at once. A store that is dead, slow, locked or damaged costs one line on the terminal.

    Parameters
    ----------
    record : the training.
    root : the project's root.
    experiment : the name under which MLflow files the runs.
    """
    if not tracking_possible():
        return Mirror(record, experiment)
    prepare()
    return _LiveMirror(record, root, experiment)


def shown_metrics(row: Mapping[str, float]) -> dict[str, float]:
    """Return the numbers of a row of history.csv that MLflow shows."""
    return {name: value for name, value in row.items() if "/" in name or name == "lr"}


def finish(run: Run, folder: Path | None, status: Status, end: int | None) -> None:
    """Copy a training's small files, and end its run."""
    for path in [] if folder is None else [folder / name for name in FILES]:
        run.file(path)
    run.finish(status, end)
