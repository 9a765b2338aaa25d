"""Where a model comes from, as the files beside it tell: photographs, recipe, machine."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from ruamel.yaml import YAML

from photochrom.colorizer.catalog import Entry
from photochrom.files import read_json
from photochrom.params import Params, ParamsError, load_params
from photochrom.params.models import Decoding
from photochrom.tracking.record import TrainingRecord

Rows = list[tuple[str, str]]
RUN, LAB, SUMMARY = "run.json", "data/lab/lab.json", "data/filtered/summary.json"
SHARED = "train."
"""How the parameters begin that all trainings of a run share."""


@dataclass(frozen=True)
class Origin:
    """Where a model comes from.

    Attributes
    ----------
    data : what the photographs are.
    training : how it was trained, on what.
    recipe : its entry of params.yaml, as YAML.
    commands : the shell's lines that train and measure it anew.
    """

    data: Rows
    training: Rows
    recipe: str
    commands: list[str]


def origin(entry: Entry, decoding: Decoding, root: Path | None) -> Origin | None:
    """Tell where a model comes from.

    Parameters
    ----------
    entry : the model.
    decoding : how the project's params.yaml turns its output into color.
    root : the project that it was trained in, whose data/ tells of the photographs; None where
        that is not here.

    Returns
    -------
    None where no run.json lies beside its weights.
    """
    try:
        record = TrainingRecord.from_folder(entry.folder)
        run = dict(read_json(entry.folder / RUN))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Origin(
        data=_squares(record) + (_photographs(root, record) if root else []),
        training=_training(record, run),
        recipe=_recipe(record, entry.config.study, decoding),
        commands=_commands(record),
    )


def _squares(record: TrainingRecord) -> Rows:
    source = record.dataset.source
    rows = [("Source", f"`{source.get('photographs', record.dataset.name)}`")]
    if "train" in source:
        rows += [
            ("Squares", f"{source['size']} px, each photograph {_fitted(source.get('fit', ''))}"),
            ("To train on", f"{source['train']:,}"),
            ("To watch the training", f"{source['validation']:,}"),
            ("To measure on", f"{source['test']:,}"),
            ("SHA-256 of the squares", f"`{source['sha256']}`"),
        ]
    return rows


def _fitted(fit: str) -> str:
    words = {
        "resize": "squashed to one square",
        "crop": "cut to its central square",
        "tiles": "cut into several squares",
    }
    return words.get(fit, fit)


def _photographs(root: Path, record: TrainingRecord) -> Rows:
    """Tell what was kept of which photographs, where the project still holds those."""
    try:
        if read_json(root / LAB)["sha256"] != record.dataset.source.get("sha256"):
            return [("Photographs", "no longer those that data/ holds: nothing is known of them")]
        summary = dict(read_json(root / SUMMARY))
        params = load_params(root / "params.yaml")
    except (OSError, ValueError, KeyError, TypeError, ParamsError):
        return []
    return _archive(params) + _kept(summary, params)


def _archive(params: Params) -> Rows:
    data = params.data
    rows = []
    if data.url:
        rows.append(("Archive", f"`{PurePosixPath(unquote(urlsplit(data.url).path)).name}`"))
    if data.sha256:
        rows.append(("SHA-256 of the archive", f"`{data.sha256}`"))
    if data.limit:
        rows.append(("Drawn at random", f"{data.limit:,}, seed {data.seed}"))
    return rows


def _kept(summary: Mapping[str, Any], params: Params) -> Rows:
    rejected = {
        name.removeprefix("rejected_").replace("_", " "): number
        for name, number in summary.items()
        if name.startswith("rejected_") and number
    }
    left = ", ".join(f"{number:,} {why}" for why, number in rejected.items()) or "none"
    chosen = params.filter
    least = "any" if chosen.min_colorfulness is None else f"{chosen.min_colorfulness:g} or more"
    return [
        ("Photographs", f"{summary['photographs']:,}, of which {summary['kept']:,} were kept"),
        ("Left out", left),
        ("Colorfulness", f"{least} (Hasler and Suesstrunk 2003)"),
        ("Shorter side", f"{chosen.min_side} px or more"),
    ]


def _training(record: TrainingRecord, run: Mapping[str, Any]) -> Rows:
    made = record.provenance
    rows = [
        ("Begun", run.get("started")),
        ("Machine", run.get("device")),
        ("Precision", run.get("precision")),
        ("PyTorch", run.get("torch")),
        ("Time", _time(run.get("seconds"))),
        ("Photographs a second", run.get("images_per_second")),
        ("Epochs", _epochs(run)),
        ("Seed", record.params.get(f"{SHARED}seed")),
        ("Code", _code(made.commit, made.dirty)),
    ]
    return [(key, str(value)) for key, value in rows if value is not None]


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    minutes = seconds / 60
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes:,.0f} min"


def _epochs(run: Mapping[str, Any]) -> str | None:
    if "epochs" not in run:
        return None
    return f"{run['epochs']}, of which number {run.get('kept_epoch', run['epochs'])} is kept"


def _code(commit: str | None, dirty: bool | None) -> str | None:
    if commit is None:
        return None
    return f"commit `{commit[:12]}`{' with changes that were not committed' if dirty else ''}"


def _recipe(record: TrainingRecord, study: str, decoding: Decoding) -> str:
    yaml = YAML(typ="safe", pure=True)
    nested: dict[str, Any] = {"study": study}
    for name, value in record.params.items():
        if name.startswith(SHARED):
            continue
        *sections, key = name.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        # MLflow's parameters are text, lists too.
        place[key] = yaml.load(value) if str(value).startswith("[") else value
    nested["decoding"] = decoding.model_dump()
    return _yaml({record.model: nested})


def _yaml(values: Any) -> str:
    writer = YAML()
    writer.representer.add_representer(
        list, lambda to, items: to.represent_sequence("tag:yaml.org,2002:seq", items, True)
    )
    text = io.StringIO()
    writer.dump(values, text)
    return text.getvalue().rstrip()


def _commands(record: TrainingRecord) -> list[str]:
    commit = record.provenance.commit
    begin = [f"git checkout {commit[:12]}"] if commit else []
    return [*begin, f"dvc repro evaluate@{record.model}"]
