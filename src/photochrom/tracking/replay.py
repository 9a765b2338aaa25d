"""What each result in ``models/`` and ``results/`` puts into MLflow, once however often told."""

import csv
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from photochrom.files import read_json
from photochrom.measures import BOUNDED
from photochrom.tracking import prose
from photochrom.tracking.champion import EVALUATE
from photochrom.tracking.logged import TrainedModel
from photochrom.tracking.mirror import SAMPLES, finish, shown_metrics
from photochrom.tracking.provenance import dataset_of, provenance
from photochrom.tracking.record import TrainingRecord
from photochrom.tracking.runs import STATE_NOTE, Run, Store

REPORT, STUDY = "results/report", "results/study/study.json"
PICTURES_TAG, EVALUATION_TAG = "photochrom.test_pictures", "photochrom.evaluation"
REPORT_TAG, STUDY_TAG, CHAMPION_TAG = "photochrom.report", "photochrom.votes", "photochrom.champion"
REPORT_FILES = ("index.html", "comparison.csv", "sheet.jpg", "learning_curves.png")
EVALUATION_FILES = ("metrics.json", "per_image.parquet", "details/calibration.csv")
EVALUATION_FOLDER = "evaluation"
SHEETS = "worst and best"
"""MLflow draws a section for each prefix, by the alphabet: the sheets come after the numbers."""
RATES = {
    "real_or_fake": "fool_rate",
    "naturalness": "naturalness",
    "pick_real": "pick_real",
}
"""What the rate of each protocol of the human study is called."""
STUDY_NUMBERS = (
    ("score", "naturalness_score", "score_interval"),
    ("strength", "strength", "strength_interval"),
)
"""Its other numbers: in study.json, in MLflow, and the interval."""
STUDY_SHOWN = "study/"
"""What the names of all of them begin with in MLflow."""
OUTDATED_TAG = "photochrom.outdated"
STUDY_COLUMNS = ("protocol", "model", "votes", "number", "value", "low", "high")


def replay_training(store: Store, folder: Path) -> Run:
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


def replay_evaluation(
    store: Store, root: Path, name: str, tags: Mapping[str, str] | None = None
) -> None:
    """Show the evaluation of a model or baseline on its run, which is made where it is not."""
    folder, metrics = root / EVALUATE / name, read_json(root / EVALUATE / name / "metrics.json")
    if (root / "models" / name / "run.json").exists():
        run, trained = replay_training(store, root / "models" / name), TrainedModel.of(root, name)
        text = prose.of_training(trained.record, metrics, trained.colors)
        run.describe(text, trained.record.description)
    else:
        run = store.baseline(name, provenance(root).state, dataset_of(root))
        run.describe(prose.of_baseline(name, metrics))
    run.results(_shown_results(metrics))
    run.tags({f"photochrom.{key}": value for key, value in (tags or {}).items()})
    _show_pictures(run, folder)
    _keep_files(run, folder)


def replay_report(store: Store, root: Path) -> None:
    """Show the report on the run that gathers the models of the same data."""
    run = store.parent(provenance(root).state, dataset_of(root))
    files = [path for name in REPORT_FILES if (path := root / REPORT / name).exists()]
    fingerprint = _fingerprint(files)
    if run.tag(REPORT_TAG) == fingerprint:
        return
    columns, rows = _table(root / REPORT / "comparison.csv")
    run.table(columns, rows, "leaderboard.json")
    for path in files:
        run.file(path, again=True)
    if (sheet := root / REPORT / "sheet.jpg").exists():
        run.picture(_image(sheet), 0, "sheet", again=True)
    run.tags({REPORT_TAG: fingerprint})


def replay_verdict(store: Store, root: Path, name: str, verdict: str) -> None:
    """Name the champion on the run that gathers the models, and say why it is one."""
    run = store.parent(provenance(root).state, dataset_of(root))
    run.describe(f"{verdict}\n\n{STATE_NOTE}", STATE_NOTE)
    if run.tag(CHAMPION_TAG) != name:
        run.tags({CHAMPION_TAG: name})


def replay_study(
    store: Store, root: Path, attempt: Callable[[Callable[[], object], str], object]
) -> None:
    """Show how people judged: on each model's run, and whole on the run that gathers them.

    MLflow deletes no number: those that no votes stand behind any more are named in a tag.

    Parameters
    ----------
    store, root : the store and the project.
    attempt : does what is to be done for one model, which it is told the place of, and may leave
        out what fails.
    """
    study = read_json(root / STUDY)
    state = provenance(root).state
    for name, numbers in study_numbers(study).items():
        attempt(partial(_show_votes, store, root, name, numbers), f"{STUDY} for {name}")
    if study["protocols"]:
        _show_study(store.parent(state, dataset_of(root)), root, study)
    elif (parent := store.known_parent(state)) is not None and parent.tag(STUDY_TAG) is not None:
        for run in store.children(parent):
            _mark_outdated(run, {})
        _show_study(parent, root, study)


def _show_votes(store: Store, root: Path, name: str, numbers: Mapping[str, float]) -> None:
    if (run := _run_of(store, root, name)) is not None:
        run.results(numbers)
        _mark_outdated(run, numbers)


def _mark_outdated(run: Run, numbers: Mapping[str, float]) -> None:
    """Name in a tag what the run shows of the study beside the ``numbers`` of today."""
    old = sorted(key for key in run.numbers() - set(numbers) if key.startswith(STUDY_SHOWN))
    text = f"{', '.join(old)}: no votes stand behind them any more" if old else None
    if text is not None and run.tag(OUTDATED_TAG) != text:
        run.tags({OUTDATED_TAG: text})
    elif text is None and run.tag(OUTDATED_TAG) is not None:
        run.untag(OUTDATED_TAG)


def _show_study(parent: Run, root: Path, study: Mapping[str, Any]) -> None:
    fingerprint = _fingerprint([root / STUDY])
    if parent.tag(STUDY_TAG) != fingerprint:
        parent.table(list(STUDY_COLUMNS), _study_rows(study), "human_study.json")
        parent.file(root / STUDY, again=True)
        parent.tags({STUDY_TAG: fingerprint})


def study_numbers(study: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the numbers of study.json that MLflow shows, by the name of the model."""
    found: dict[str, dict[str, float]] = {}
    for _, model, _, number, value, low, high in _study_rows(study):
        ends = {} if low is None else {f"{number} low": low, f"{number} high": high}
        numbers = found.setdefault(model, {})
        numbers[f"{STUDY_SHOWN}{number}"] = value
        numbers |= {f"study interval/{name}": end for name, end in ends.items()}
    return found


def _study_rows(study: Mapping[str, Any]) -> list[list[Any]]:
    """Return a row of STUDY_COLUMNS for each number of each model; an interval may be None."""
    rows = []
    for protocol, told in study["protocols"].items():
        rate = [("rate", RATES[protocol], "interval")] if protocol in RATES else []
        for model, numbers in told["models"].items():
            for key, number, interval in (*rate, *STUDY_NUMBERS):
                if numbers.get(key) is not None:
                    ends = numbers.get(interval) or (None, None)
                    rows.append([protocol, model, numbers["votes"], number, numbers[key], *ends])
    return rows


def _run_of(store: Store, root: Path, name: str) -> Run | None:
    """Return the run of a model or baseline, or None for one whose files are gone."""
    if (root / "models" / name / "run.json").exists():
        return replay_training(store, root / "models" / name)
    if (root / EVALUATE / name / "metrics.json").exists():
        return store.baseline(name, provenance(root).state, dataset_of(root))
    return None


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


def _show_pictures(run: Run, folder: Path) -> None:
    """Show the fixed photographs and the sheets of failures, each under its own slider."""
    pictures = sorted((folder / "pictures").glob("*.png"))
    sheets = sorted((folder / "details/failures").glob("*.jpg"))
    fingerprint = _fingerprint([*pictures, *sheets])
    if run.tag(PICTURES_TAG) == fingerprint:
        return
    for path in pictures:
        run.picture(_image(path), 0, f"test/{path.stem}", again=True)
    for path in sheets:
        key, _, end = path.stem.rpartition("-")
        run.picture(_image(path), 0, f"{SHEETS}/{key} {end}", again=True)
    run.tags({PICTURES_TAG: fingerprint})


def _keep_files(run: Run, folder: Path) -> None:
    files = [path for name in EVALUATION_FILES if (path := folder / name).exists()]
    fingerprint = _fingerprint(files)
    if run.tag(EVALUATION_TAG) != fingerprint:
        for path in files:
            run.file(path, EVALUATION_FOLDER, again=True)
        run.tags({EVALUATION_TAG: fingerprint})


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
