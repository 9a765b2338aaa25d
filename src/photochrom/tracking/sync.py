"""Bringing MLflow up to what stands in ``models/`` and ``results/``."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from photochrom.environment import tracking_wanted
from photochrom.params import Params
from photochrom.progress import say
from photochrom.tracking import prose
from photochrom.tracking.champion import EVALUATE, Registration, champion, measured
from photochrom.tracking.logged import TrainedModel
from photochrom.tracking.provenance import is_current
from photochrom.tracking.registry import ALIAS, Registry
from photochrom.tracking.replay import (
    REPORT,
    STUDY,
    replay_evaluation,
    replay_report,
    replay_study,
    replay_training,
    replay_verdict,
)
from photochrom.tracking.runs import Run, Store
from photochrom.tracking.store import (
    TrackingError,
    address,
    explained,
    open_store,
    prepare,
    tracking_possible,
)

T = TypeVar("T")
COUNTS = ("runs", "metrics", "pictures", "files", "models", "versions")
LINE_SECONDS = 10.0
BASELINES = ("gray",)


@dataclass(frozen=True)
class Summary:
    """What :func:`sync` put into MLflow.

    Attributes
    ----------
    runs, metrics, pictures, files, models, versions : how many of each the store lacked.
    changes : a sentence for each thing that was put right.
    skipped : a sentence for each result that was left out.
    """

    runs: int = 0
    metrics: int = 0
    pictures: int = 0
    files: int = 0
    models: int = 0
    versions: int = 0
    changes: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = [getattr(self, name) for name in COUNTS]
        told = (
            "MLflow got {} runs, {} numbers, {} pictures, {} files, {} models and {} registered "
            "versions.".format(*counts)
        )
        lacked = any(counts) or self.changes
        first = told if any(counts) else "" if lacked else "MLflow lacked nothing."
        return "\n".join(filter(None, [first, *self.changes, *self.skipped]))


def record_evaluation(
    root: Path,
    experiment: str,
    name: str,
    tags: Mapping[str, str] | None = None,
    timeout: float = 20.0,
) -> None:
    """Show the evaluation in ``results/evaluate/NAME`` on the run of that model or baseline.

    The run is that of the training named in ``models/NAME/run.json``, made anew from its files
    where the store does not have it. A baseline gets a run beside the models'. Never raises.

    Parameters
    ----------
    root : the project's root.
    experiment : the name under which MLflow files the runs.
    name : a model or a baseline.
    tags : short facts about the evaluation, e.g. its decoding; ``photochrom.`` is put before each.
    timeout : the longest to wait for MLflow, in seconds.
    """
    place = f"{EVALUATE}/{name}"
    work = partial(replay_evaluation, root=root, name=name, tags=tags)
    _bounded(root, experiment, work, place, timeout)


def record_study(root: Path, experiment: str, timeout: float = 60.0) -> None:
    """Show ``results/study/study.json`` on the runs of the models. Never raises.

    Parameters
    ----------
    root : the project's root.
    experiment : the name under which MLflow files the runs.
    timeout : the longest to wait for MLflow, in seconds.
    """
    _bounded(root, experiment, partial(replay_study, root=root), STUDY, timeout)


def record_report(root: Path, params: Params, code: Path, timeout: float = 120.0) -> None:
    """Log and register the trained models, name the champion, show the report. Never raises.

    Parameters
    ----------
    root : the project's root.
    params : names the experiment, the registered model, the champion's measure and the models.
    code : the file with which MLflow serves a model, in the package that it needs.
    timeout : the longest to wait for MLflow, in seconds.
    """

    def work(store: Store) -> None:
        replay = _Replay(store, root, Registration.of(params, code))
        replay.report()
        replay.register(replay.trainings(params.models))
        for sentence in (*replay.changes, *replay.skipped):
            say(sentence)

    _bounded(root, params.tracking.experiment, work, REPORT, timeout)


def sync(root: Path, params: Params, code: Path) -> Summary:
    """Put into MLflow whatever it lacks of ``models/`` and ``results/``.

    A second call adds nothing. Results that dvc.lock knows to be older than the model or data
    they would be shown with are left out.

    Parameters
    ----------
    root, params, code : as for :func:`record_report`.

    Raises
    ------
    TrackingError
        If tracking is off or MLflow cannot be used.
    """
    if not tracking_wanted():
        raise TrackingError("PHOTOCHROM_TRACKING is off: unset it to show the runs in MLflow")
    if find_spec("mlflow") is None:
        raise TrackingError("MLflow is not installed: run `python -m pip install mlflow`")
    store = open_store(root, params.tracking.experiment)
    replay = _Replay(store, root, Registration.of(params, code))
    try:
        replay.all()
    except Exception as error:
        raise explained(address(root), error) from error
    counts = {name: store.added[name] for name in COUNTS}
    if (renewed := store.added["descriptions"]) and not any(counts.values()):
        replay.changes.append(f"Descriptions brought up to date: {renewed}.")
    return Summary(**counts, changes=tuple(replay.changes), skipped=tuple(replay.skipped))


class _Replay:
    """Brings a store up to the files.

    Attributes
    ----------
    changes : a sentence for each thing that was put right.
    skipped : a sentence for each result that was left out.
    """

    def __init__(self, store: Store, root: Path, registration: Registration) -> None:
        self.changes: list[str] = []
        self.skipped: list[str] = []
        self._store, self._root, self._registration = store, root, registration

    def all(self) -> None:
        """Put into the store whatever it lacks."""
        store, root = self._store, self._root
        runs = self.trainings(path.parent.name for path in sorted(root.glob("models/*/run.json")))
        for metrics in sorted(root.glob(f"{EVALUATE}/*/metrics.json")):
            work = partial(replay_evaluation, store, root, metrics.parent.name)
            self._try_current(work, metrics.parent)
        self.register(runs)
        self.report()
        if (root / STUDY).exists():
            self._try_current(partial(replay_study, store, root), root / STUDY)
        if ended := store.end_abandoned():
            self.changes.append(f"Runs that were cut off are marked as killed now: {ended}.")

    def trainings(self, names: Iterable[str]) -> dict[str, Run]:
        """Show the trained models of these names; return their runs."""
        runs = {}
        for name in names:
            folder = self._root / "models" / name
            run = self._try(partial(replay_training, self._store, folder), folder)
            if run is not None:
                runs[name] = run
        return runs

    def report(self) -> None:
        """Show the report, if there is one."""
        if (self._root / REPORT / "comparison.csv").exists():
            self._try_current(partial(replay_report, self._store, self._root), self._root / REPORT)

    def register(self, runs: Mapping[str, Run]) -> None:
        """Log and register the models of these runs, and point the alias to the best."""
        if not runs:
            return
        registry = Registry(self._store, self._registration)
        results = measured(self._root, (*runs, *BASELINES))
        versions = {}
        for name, run in runs.items():
            work = partial(self._add, registry, name, run, results.get(name))
            version = self._try(work, self._root / "models" / name)
            if version is not None:
                versions[name] = version
        self._crown(registry, results, versions)

    def _add(
        self, registry: Registry, name: str, run: Run, metrics: Mapping[str, object] | None
    ) -> str:
        trained = TrainedModel.of(self._root, name)
        return registry.add(
            run, trained, prose.of_training(trained.record, metrics, trained.colors)
        )

    def _crown(
        self,
        registry: Registry,
        results: Mapping[str, Mapping[str, float]],
        versions: Mapping[str, str],
    ) -> None:
        asked = self._registration
        competing = {name: results[name] for name in asked.models if name in results}
        values = {
            n: found[asked.measure] for n, found in competing.items() if asked.measure in found
        }
        best = champion(values, asked.better)
        if best is None or best not in versions:
            why = f"{best} is not registered" if best else f"no model has {asked.measure}"
            self.skipped.append(
                f"The alias {ALIAS} of {asked.name} stays where it is: {why} (tracking.champion in "
                "params.yaml)."
            )
            return
        if registry.crown(versions[best]):
            self.changes.append(
                f"The alias {ALIAS} of {asked.name} is on {best}, version {versions[best]}, now."
            )
        verdict = prose.verdict(asked, results, self._root / REPORT / "differences.csv")
        if verdict:
            replay_verdict(self._store, self._root, best, verdict)

    def _try_current(self, work: Callable[[], object], place: Path) -> None:
        path = place.relative_to(self._root).as_posix()
        if is_current(self._root, path):
            self._try(work, place)
        else:
            self.skipped.append(
                f"{path} is older than what it was made from: run `dvc repro`, then this again."
            )

    def _try(self, work: Callable[[], T], place: Path) -> T | None:
        try:
            return work()
        except (OSError, ValueError, KeyError, TypeError) as error:
            path = place.relative_to(self._root).as_posix()
            reason = f"{type(error).__name__}: {error}"
            self.skipped.append(
                f"{path} was left out ({reason}): `dvc checkout` brings back missing files."
            )
            return None


def _bounded(
    root: Path, experiment: str, work: Callable[[Store], None], place: str, timeout: float
) -> None:
    """Do ``work`` with the store, for ``timeout`` seconds at most; say what failed."""
    if not tracking_possible():
        return
    prepare()
    slow = TrackingError(f"MLflow at {address(root).shown} is too slow to wait for")
    failures: list[TrackingError] = [slow]

    def attempt() -> None:
        try:
            work(open_store(root, experiment))
            failures.clear()
        except Exception as error:
            failures[:] = [explained(address(root), error)]

    thread = threading.Thread(target=attempt, name="mlflow", daemon=True)
    thread.start()
    _wait(thread, timeout)
    for failure in failures:
        say(f"{failure}; the numbers are in {place}; run `photochrom runs sync` later.")


def _wait(thread: threading.Thread, timeout: float) -> None:
    """Wait for a thread, with a line every ten seconds."""
    started = time.monotonic()
    while (left := started + timeout - time.monotonic()) > 0:
        thread.join(min(LINE_SECONDS, left))
        if not thread.is_alive():
            return
        say(f"MLflow is being filled: {time.monotonic() - started:.0f} s of at most {timeout:.0f}.")
