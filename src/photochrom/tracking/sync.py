"""Bringing MLflow up to what stands in ``models/`` and ``results/``."""

import csv
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from photochrom.environment import tracking_wanted
from photochrom.files import read_json
from photochrom.measures import BOUNDED
from photochrom.progress import say
from photochrom.tracking.mirror import SAMPLES, finish, shown_metrics
from photochrom.tracking.provenance import dataset_of, is_current, provenance
from photochrom.tracking.record import TrainingRecord
from photochrom.tracking.runs import Run, Store
from photochrom.tracking.store import (
    TrackingError,
    address,
    explained,
    open_store,
    prepare,
    tracking_possible,
)

EVALUATE, REPORT = "results/evaluate", "results/report"
TEST_PICTURES, REPORT_TAG = "photochrom.test_pictures", "photochrom.report"
REPORT_FILES = ("index.html", "comparison.csv", "sheet.jpg", "learning_curves.png")


@dataclass(frozen=True)
class Summary:
    """What :func:`sync` put into MLflow.

    Attributes
    ----------
    runs, metrics, pictures, files : how many of each the store lacked.
    skipped : a sentence for each result that was left out.
    """

    runs: int = 0
    metrics: int = 0
    pictures: int = 0
    files: int = 0
    skipped: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = (self.runs, self.metrics, self.pictures, self.files)
        told = "MLflow got {} runs, {} numbers, {} pictures and {} files.".format(*counts)
        return "\n".join([told if any(counts) else "MLflow lacked nothing.", *self.skipped])


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
    work = partial(_evaluation, root=root, name=name, tags=tags)
    _bounded(root, experiment, work, place, timeout)


def record_report(root: Path, experiment: str, timeout: float = 20.0) -> None:
    """Show ``results/report`` on the run that gathers the models. Never raises.

    Parameters
    ----------
    root : the project's root.
    experiment : the name under which MLflow files the runs.
    timeout : the longest to wait for MLflow, in seconds.
    """
    _bounded(root, experiment, partial(_report, root=root), REPORT, timeout)


def sync(root: Path, experiment: str) -> Summary:
    """Put into MLflow whatever it lacks of ``models/`` and ``results/``.

    A second call adds nothing. Results that dvc.lock knows to be older than the model or data
    they would be shown with are left out.

    Parameters
    ----------
    root : the project's root.
    experiment : the name under which MLflow files the runs.

    Raises
    ------
    TrackingError
        If tracking is off or MLflow cannot be used.
    """
    if not tracking_wanted():
        raise TrackingError("PHOTOCHROM_TRACKING is off: unset it to show the runs in MLflow")
    if find_spec("mlflow") is None:
        raise TrackingError("MLflow is not installed: run `python -m pip install mlflow`")
    store = open_store(root, experiment)
    try:
        skipped = tuple(_replay(store, root))
    except Exception as error:
        raise explained(address(root), error) from error
    return Summary(**{name: store.added[name] for name in _COUNTS}, skipped=skipped)


_COUNTS = ("runs", "metrics", "pictures", "files")


def _replay(store: Store, root: Path) -> Iterator[str]:
    """Bring the store up to the files; yield a sentence for whatever cannot be."""
    for run in sorted(root.glob("models/*/run.json")):
        yield from _tried(partial(_training, store, run.parent), root, run.parent)
    for metrics in sorted(root.glob(f"{EVALUATE}/*/metrics.json")):
        work = partial(_evaluation, store, root, metrics.parent.name)
        yield from _checked(work, root, metrics.parent)
    if (root / REPORT / "comparison.csv").exists():
        yield from _checked(partial(_report, store, root), root, root / REPORT)


def _checked(work: Callable[[], object], root: Path, folder: Path) -> Iterator[str]:
    path = folder.relative_to(root).as_posix()
    if is_current(root, path):
        yield from _tried(work, root, folder)
    else:
        yield f"{path} is older than what it was made from: run `dvc repro`, then this again."


def _tried(work: Callable[[], object], root: Path, folder: Path) -> Iterator[str]:
    try:
        work()
    except (OSError, ValueError, KeyError, TypeError) as error:
        path = folder.relative_to(root).as_posix()
        reason = f"{type(error).__name__}: {error}"
        yield f"{path} was left out ({reason}): `dvc checkout` brings back missing files."


def _training(store: Store, folder: Path) -> Run:
    """Return the run of the trained model in ``folder``, holding all that its files hold."""
    told, record = read_json(folder / "run.json"), TrainingRecord.from_folder(folder)
    history = _history(folder / "history.csv")
    start = int(datetime.fromisoformat(told["started"]).timestamp() * 1000)
    run = store.training(record, start, restored=True)
    for row in history:
        time = start + int(row["seconds"] * 1000)
        run.metrics(shown_metrics(row), int(row["images_seen"]), time)
    for row in history:
        sheet = folder / "samples" / f"epoch-{int(row['epoch']):03d}.jpg"
        if sheet.exists():
            run.picture(_image(sheet), int(row["images_seen"]), SAMPLES)
    finish(run, folder, "FINISHED", start + int(told["seconds"] * 1000))
    return run


def _evaluation(store: Store, root: Path, name: str, tags: Mapping[str, str] | None = None) -> None:
    folder, model = root / EVALUATE / name, root / "models" / name
    metrics = read_json(folder / "metrics.json")
    if (model / "run.json").exists():
        run = _training(store, model)
    else:
        run = store.baseline(name, provenance(root).state, dataset_of(root))
    run.results(_shown_results(metrics))
    run.tags({f"photochrom.{key}": value for key, value in (tags or {}).items()})
    _test_pictures(run, sorted((folder / "pictures").glob("*.png")))


def _shown_results(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of metrics.json that MLflow shows: all means, the intervals of a few.

    MLflow draws a section for each prefix, so that the intervals do not stand between the means.
    """
    plain = {f"test/{key}": float(value) for key, value in metrics.items() if key != "interval"}
    known = metrics.get("interval", {})
    ends = {
        f"test interval/{key} {end}": float(value)
        for key in BOUNDED
        if key in known
        for end, value in zip(("low", "high"), known[key], strict=True)
    }
    return plain | ends


def _test_pictures(run: Run, pictures: list[Path]) -> None:
    fingerprint = _fingerprint(pictures)
    if run.tag(TEST_PICTURES) != fingerprint:
        for path in pictures:
            run.picture(_image(path), 0, f"test/{path.stem}", again=True)
        run.tags({TEST_PICTURES: fingerprint})


def _report(store: Store, root: Path) -> None:
    files = [path for name in REPORT_FILES if (path := root / REPORT / name).exists()]
    run = store.parent(provenance(root).state, dataset_of(root))
    fingerprint = _fingerprint(files)
    if run.tag(REPORT_TAG) == fingerprint:
        return
    columns, rows = _table(root / REPORT / "comparison.csv")
    run.table(columns, rows, "leaderboard.json")
    for path in files:
        run.file(path, again=True)
    run.tags({REPORT_TAG: fingerprint})


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
    thread.join(timeout)
    for failure in failures:
        say(f"{failure}; the numbers are in {place}; run `photochrom runs sync` later.")


def _history(path: Path) -> list[dict[str, float]]:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [{name: float(text) for name, text in row.items() if text} for row in rows]


def _table(path: Path) -> tuple[list[str], list[list[Any]]]:
    with path.open(encoding="utf-8", newline="") as lines:
        columns, *rows = csv.reader(lines)
    return columns, [[_number(text) for text in row] for row in rows]


def _number(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _image(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def _fingerprint(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
