"""What was learned from and measured on, and what made the numbers."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from photochrom import __version__
from photochrom.report.collect import SPLITS, Results, Training

FITS: Mapping[str, str] = {
    "resize": "each the whole photograph, squashed to a square",
    "crop": "each the central square of a photograph",
    "tiles": "random squares, several of each photograph",
}
MINUTE, HOUR = 60, 3600


def data(results: Results) -> dict[str, Any]:
    """Return what the section on the data shows."""
    kept, params, summary = results.data, results.params, results.data.summary
    return {
        "source": params.data.source,
        "photographs": summary["photographs"],
        "kept": summary["kept"],
        "rejected": _rejected(results),
        "splits": [(split, summary.get(split), kept.lab[split]) for split in SPLITS],
        "own_split": params.filter.split.own,
        "lab": kept.lab,
        "fit": FITS.get(kept.lab["fit"], kept.lab["fit"]),
        "minimum": params.filter.min_colorfulness,
        "histogram": kept.histogram,
        "sheet": kept.sheet,
        "prior": kept.prior,
    }


def provenance(results: Results) -> list[tuple[str, str]]:
    """Return what made the numbers, as pairs of a word and what it says."""
    made, params = results.provenance, results.params
    commit = f"commit {made.commit}{', with uncommitted changes' if made.dirty else ''}"
    runs = [training.run for training in results.trainings]
    hardware = dict.fromkeys(f"{run['device']}, {run['precision']}" for run in runs)
    return [
        ("Code", commit if made.commit else "not under git"),
        ("Parameters", f"sha256 {made.params_sha256}"),
        ("Data", f"md5 {made.lab_md5}" if made.lab_md5 else "not under DVC"),
        ("Prior", f"md5 {made.prior_md5}" if made.prior_md5 else "not under DVC"),
        ("Source of photographs", f"{params.data.source}, seed {params.data.seed}"),
        ("Seed of training", str(params.train.seed)),
        ("Hardware of training", "; ".join(hardware)),
        ("Versions", f"photochrom {__version__}, torch {version('torch')}"),
    ]


def durations(results: Results) -> list[tuple[str, str, str]]:
    """Return name, epochs and time of each training, then those of all together."""
    trainings = sorted(results.trainings, key=_seconds, reverse=True)
    total = sum(map(_seconds, trainings))
    each = [(one.name, f"{one.run['epochs']:,}", _clock(_seconds(one))) for one in trainings]
    epochs = sum(int(one.run["epochs"]) for one in trainings)
    return [*each, ("all models", f"{epochs:,}", _clock(total))]


def _seconds(training: Training) -> float:
    return float(training.run["seconds"])


def _clock(seconds: float) -> str:
    """Return a duration as people say it: 41 s, 12 min 5 s, 3 h 20 min."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR:,} h {whole % HOUR // MINUTE} min"


def _rejected(results: Results) -> list[tuple[str, float]]:
    prefix = "rejected_"
    counts = [
        (key.removeprefix(prefix).replace("_", " "), count)
        for key, count in results.data.summary.items()
        if key.startswith(prefix) and count
    ]
    return sorted(counts, key=lambda pair: (-pair[1], pair[0]))
