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
    probe,
    reason,
    tracking_possible,
)

T = TypeVar("T")
COUNTS = ("runs", "metrics", "pictures", "files", "models", "versions")
LINE_SECONDS = 10.0
BASELINES = ("gray",)
FILE_ERRORS = (OSError, ValueError, KeyError, TypeError)
"""What reading a missing or damaged file raises."""
CHECKOUT = "`dvc checkout` brings back missing files"
AGAIN = "`photochrom runs sync` tries again"


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

    def work(store: Store) -> None:
        replay = _Replay(store, root)
        replay.study()
        replay.tell()

    _bounded(root, experiment, work, STUDY, timeout)


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
        replay = _Replay(store, root)
        replay.report()
        replay.register(replay.trainings(params.models), Registration.of(params, code))
        replay.tell()

    _bounded(root, params.tracking.experiment, work, REPORT, timeout)


def sync(root: Path, params: Params, code: Path) -> Summary:
    """Put into MLflow whatever it lacks of ``models/`` and ``results/``.

    A second call adds nothing. Results that dvc.lock knows to be older than the model or data
    they would be shown with are left out, and so is what cannot be read or stored.

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
    replay = _Replay(store, root)
    try:
        replay.all(Registration.of(params, code))
    except Exception as error:
        raise explained(address(root), error) from error
    counts = {name: store.added[name] for name in COUNTS}
    if (renewed := store.added["descriptions"]) and not any(counts.values()):
        replay.changes.append(f"Descriptions brought up to date: {renewed}.")
    return Summary(**counts, changes=tuple(replay.changes), skipped=tuple(replay.skipped))


class _Replay:
    """Brings a store up to the files; what fails is left out, unless the store itself fails.

    Attributes
    ----------
    changes : a sentence for each thing that was put right.
    skipped : a sentence for each result that was left out.
    """

    def __init__(self, store: Store, root: Path) -> None:
        self.changes: list[str] = []
        self.skipped: list[str] = []
        self._store, self._root = store, root

    def all(self, registration: Registration) -> None:
        """Put into the store whatever it lacks."""
        store, root = self._store, self._root
        runs = self.trainings(path.parent.name for path in sorted(root.glob("models/*/run.json")))
        for metrics in sorted(root.glob(f"{EVALUATE}/*/metrics.json")):
            place = f"{EVALUATE}/{metrics.parent.name}"
            if self._is_current(place):
                work = partial(replay_evaluation, store, root, metrics.parent.name)
                self._try(work, place)
        self.register(runs, registration)
        if self._is_current(REPORT):
            self.report()
        if self._is_current(STUDY):
            self.study()
        if ended := store.end_abandoned():
            self.changes.append(f"Runs that were cut off are marked as killed now: {ended}.")

    def trainings(self, names: Iterable[str]) -> dict[str, Run]:
        """Show the trained models of these names; return their runs."""
        runs = {}
        for name in names:
            work = partial(replay_training, self._store, self._root / "models" / name)
            run = self._try(work, f"models/{name}")
            if run is not None:
                runs[name] = run
        return runs

    def report(self) -> None:
        """Show the report, if there is one."""
        if (self._root / REPORT / "comparison.csv").exists():
            self._try(partial(replay_report, self._store, self._root), REPORT)

    def study(self) -> None:
        """Show how people judged, if that is known."""
        if (self._root / STUDY).exists():
            self._try(partial(replay_study, self._store, self._root, self._try), STUDY)

    def register(self, runs: Mapping[str, Run], asked: Registration) -> None:
        """Log and register the models of these runs, and point the alias to the best."""
        if not runs:
            return
        make = partial(Registry, self._store, asked)
        registry = self._try(make, f"The registered model {asked.name}")
        if registry is None:
            return
        results = measured(self._root, (*asked.models, *runs, *BASELINES))
        versions = {}
        for name, run in runs.items():
            work = partial(self._add, registry, name, run, results.get(name))
            version = self._try(work, f"models/{name}")
            if version is not None:
                versions[name] = version
        crown = partial(self._crown, registry, results, versions)
        self._try(crown, f"The alias {ALIAS} of {asked.name}")

    def tell(self) -> None:
        """Say what was put right and what was left out."""
        for sentence in (*self.changes, *self.skipped):
            say(sentence)

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
        asked = registry.registration
        best = self._best(asked, results, versions)
        if best is None:
            return
        if registry.crown(versions[best]):
            self.changes.append(
                f"The alias {ALIAS} of {asked.name} is on {best}, version {versions[best]}, now."
            )
        verdict = prose.verdict(asked, results, self._root / REPORT / "differences.csv")
        if verdict:
            replay_verdict(self._store, self._root, best, verdict)

    def _best(
        self,
        asked: Registration,
        results: Mapping[str, Mapping[str, float]],
        versions: Mapping[str, str],
    ) -> str | None:
        """Return whom the alias belongs to; say why it stays where that cannot be known."""
        unknown = [name for name in asked.models if name not in results]
        values = {
            name: results[name][asked.measure]
            for name in asked.models
            if asked.measure in results.get(name, {})
        }
        best = champion(values, asked.better)
        if unknown:
            stages = " ".join(f"evaluate@{name}" for name in unknown)
            why = f"run `dvc repro {stages}`, of which there are no current results"
        elif best is None:
            why = f"no model has {asked.measure} (tracking.champion in params.yaml)"
        elif best not in versions:
            why = f"{best} is not registered ({CHECKOUT})"
        else:
            return best
        self._skip(f"The alias {ALIAS} of {asked.name} stays where it is: {why}.")
        return None

    def _is_current(self, place: str) -> bool:
        current = is_current(self._root, place)
        if not current and (self._root / place).exists():
            self._skip(
                f"{place} is older than what it was made from: run `dvc repro`, then this again."
            )
        return current

    def _try(self, work: Callable[[], T], place: str) -> T | None:
        try:
            return work()
        except Exception as error:
            probe(address(self._root))  # Of a dead store every place would say the same, slowly.
            advice = CHECKOUT if isinstance(error, FILE_ERRORS) else AGAIN
            told = f"{type(error).__name__}: {reason(error)}"
            self._skip(f"{place} was left out ({told}): {advice}.")
            return None

    def _skip(self, sentence: str) -> None:
        if sentence not in self.skipped:
            self.skipped.append(sentence)


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
