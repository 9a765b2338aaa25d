"""From trained models and the Lab shards to the file of a study that people can take part in."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from photochrom.colorizer.stored import ColorizerError, read_config
from photochrom.data.shards import LabSet
from photochrom.files import whole_file
from photochrom.params import Params
from photochrom.params.models import ModelParams
from photochrom.params.study import StudyParams
from photochrom.progress import track
from photochrom.study.photographs import Photograph, draw_colorful, draw_photographs
from photochrom.study.pictures import draw
from photochrom.study.schema import FORMAT, connect, write_study
from photochrom.study.store import StudyError, open_study
from photochrom.study.trials import KINDS, Kind, Photographs, needed, plan_sessions

SIDECARS = ("-wal", "-shm")
"""What SQLite may have beside a database."""
IN_USE = 500
"""Milliseconds after which a study that cannot be had alone counts as in use."""


@dataclass(frozen=True)
class Prepared:
    """What was prepared.

    Attributes
    ----------
    sessions, trials : how many sessions, each of how many trials, practice included.
    models, photographs, pictures : how many are shown.
    aside : where the study that was there before now is; None if it was not kept.
    """

    sessions: int
    trials: int
    models: int
    photographs: int
    pictures: int
    aside: Path | None


def prepare_study(params: Params, root: Path, out: Path, *, force: bool) -> Prepared:
    """Plan all sessions, draw what they show, and write the study, whole or not at all.

    Parameters
    ----------
    root : the project, with ``data/lab`` and ``models``.
    out : the file to write.
    force : move a study that has votes aside, under a dated name.

    Raises
    ------
    StudyError
        If there are too few photographs or models, or a study is there that has votes or is open.
    ShardError, ColorizerError
        If the photographs or the models are not ready.
    """
    _check_free(out, force)
    models = _judged_models(params)
    _check_trained(models, root / "models")
    photographs = _draw_photographs(params.study, root / "data/lab")
    sessions = plan_sessions(params.study, tuple(models), _ids(photographs))
    shown = {picture for session in sessions for trial in session for picture in trial.pictures}
    every = [photograph for drawn in photographs.values() for photograph in drawn]
    stored = {photograph.id: photograph.stored for photograph in every}
    groups = {photograph.id: photograph.group for photograph in every}
    pictures = track(draw(shown, stored, models, root / "models"), "Drawing", len(shown))
    with whole_file(out) as temporary:
        write_study(temporary, _about(params), groups, sessions, pictures)
        aside = _make_room(out, force)
    return Prepared(len(sessions), len(sessions[0]), len(models), len(every), len(shown), aside)


def _judged_models(params: Params) -> dict[str, ModelParams]:
    names = params.study.models or tuple(params.models)
    if params.study.trials.preference and len(set(names)) < 2:
        raise StudyError("study.trials.preference needs two models to compare; set it to 0.")
    return {name: params.models[name] for name in names}


def _check_trained(models: dict[str, ModelParams], folder: Path) -> None:
    """Refuse, before any work, models that are not trained or not as params.yaml now says."""
    for name, model in models.items():
        config = read_config(folder / name)
        objective = model.objective.model_dump(mode="json")
        if config.network != model.network or config.objective != objective:
            fault = f"{folder / name} was trained with other parameters than params.yaml has now"
            raise ColorizerError(f"{fault}: run `dvc repro` to train it.")


def _draw_photographs(params: StudyParams, lab: Path) -> dict[Kind, list[Photograph]]:
    """Draw what each kind of trial shows; refuse when there is too little of it."""
    wanted: dict[Kind, int] = {kind: needed(params, kind) for kind in KINDS}
    test = draw_photographs(LabSet.open(lab, "test"), wanted["trial"], params.seed)
    held = draw_colorful(lab, wanted["gold"] + wanted["practice"], params.seed)
    if len(test) < wanted["trial"]:
        raise StudyError(
            f"study.trials asks for {wanted['trial']} trials, each with another test photograph, "
            f"and there are {len(test)}: ask for fewer, or use a larger set."
        )
    if len(held) < wanted["gold"] + wanted["practice"]:
        raise StudyError(
            f"study.gold and study.practice need {wanted['gold'] + wanted['practice']} photographs "
            f"for validation or training, and there are {len(held)}: set them lower."
        )
    return {"trial": test, "gold": held[: wanted["gold"]], "practice": held[wanted["gold"] :]}


def _ids(photographs: dict[Kind, list[Photograph]]) -> Photographs:
    names = {kind: tuple(p.id for p in drawn) for kind, drawn in photographs.items()}
    return Photographs(names["trial"], names["gold"], names["practice"])


def _about(params: Params) -> dict[str, str]:
    about = {"format": FORMAT, "side": params.lab.size, "exposure": params.study.exposure}
    return {key: str(value) for key, value in about.items()}


def _check_free(out: Path, force: bool) -> bool:
    """Return whether there is something to keep at ``out``; refuse unless it may be moved."""
    if not out.exists():
        return False
    try:
        with closing(open_study(out)) as database:
            (votes,) = database.execute("SELECT count(*) FROM votes").fetchone()
    except StudyError as error:
        if not force:
            raise StudyError(f"{error} --force moves it aside and makes a new one.") from None
        return True
    if votes and not force:
        raise StudyError(
            f"{out} holds {votes} votes, practice included: `photochrom study export` keeps them "
            "as a table; then add --force, which moves the file aside."
        )
    return bool(votes)


def _make_room(out: Path, force: bool) -> Path | None:
    """Move a study that is to be kept aside; return where it is now."""
    kept = _check_free(out, force)
    _fold(out)
    if not kept:
        return None
    aside = out.with_stem(f"{out.stem}-{datetime.now(UTC):%Y-%m-%dT%H%M%S}")
    for suffix in ("", *SIDECARS):
        if (part := out.with_name(out.name + suffix)).exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _fold(out: Path) -> None:
    """Fold SQLite's log into the file: left beside another file, it would be taken for its log.

    Raises
    ------
    StudyError
        If the study is open somewhere.
    """
    if not out.exists():
        return
    try:
        with closing(connect(out)) as database:
            database.execute(f"PRAGMA busy_timeout = {IN_USE}")
            database.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        # What is no database has no log either.
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            fault = f"{out} is in use: stop `photochrom study serve`, then try again."
            raise StudyError(fault) from None
