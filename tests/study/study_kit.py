"""What tests of the study share: small studies, with and without trained models behind them."""

import copy
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from ruamel.yaml import YAML
from safetensors.torch import save_file

from params_kit import SHARED, UNET, VALUES
from photochrom.data.shards import shard_name
from photochrom.files import write_json
from photochrom.networks import build_network
from photochrom.params import ModelParams
from photochrom.params.study import StudyParams
from photochrom.study.pictures import png
from photochrom.study.schema import FORMAT, write_study
from photochrom.study.trials import KINDS, Names, Photographs, Picture, needed, plan_sessions

MODELS = ("calm", "vivid")
EACH = {"real_or_fake": 2, "naturalness": 2, "pick_real": 1, "preference": 2}
SIDE = 16
LAB = {"train": 8, "validation": 3, "test": 9}
"""Photographs of each split of the project, two tiles of each."""
SMALL_UNET = {**UNET, "levels": 3, "width": 2}


def study_params(trials: Mapping[str, int] = EACH, **changes: Any) -> StudyParams:
    """Return the parameters of a small study; protocols that are not named have no trials."""
    values = copy.deepcopy(VALUES["study"]) | {"practice": 1, "gold": 1, "sessions": 6} | changes
    return StudyParams.model_validate(values | {"trials": dict.fromkeys(EACH, 0) | dict(trials)})


def photographs(params: StudyParams, more: int = 0) -> Photographs:
    """Name as many photographs as a session needs, and some more for its trials."""
    counts = {kind: needed(params, kind) + (more if kind == "trial" else 0) for kind in KINDS}
    ids = {kind: tuple(f"{kind}/{n}.png" for n in range(count)) for kind, count in counts.items()}
    return Photographs(**ids)


def write_small_study(path: Path, models: Names = MODELS, **changes: Any) -> Path:
    """Write a study of plain squares, without Lab shards or models; return its path."""
    params = study_params(**changes)
    ids = photographs(params)
    sessions = plan_sessions(params, models, ids)
    shown = sorted({p for session in sessions for trial in session for p in trial.pictures})
    groups = {name: f"scene of {name}" for name in ids.trial + ids.gold + ids.practice}
    about = {"format": FORMAT, "side": str(SIDE), "exposure": str(params.exposure)}
    pictures = [(picture, png(square(picture, n))) for n, picture in enumerate(shown)]
    write_study(path, about, groups, sessions, pictures)
    return path


def square(picture: Picture, number: int) -> np.ndarray:
    """Return a plain square (uint8 (S, S, 3)); no two numbers have the same color."""
    return np.full((SIDE, SIDE, 3), (number % 256, number // 256, picture.turn % 256), np.uint8)


def names_shown(study: Path, token: str, number: int) -> list[str]:
    """Return what a trial really shows, in order, which only the file tells."""
    with closing(sqlite3.connect(study)) as database:
        rows = database.execute(
            "SELECT name FROM people JOIN keys USING (person) JOIN pictures USING (picture)"
            " WHERE token = ? AND number = ? ORDER BY place",
            (token, number),
        )
        return [name for (name,) in rows]


def sessions_begun(study: Path) -> list[int]:
    """Return the prepared session of each person, in the order in which they began."""
    with closing(sqlite3.connect(study)) as database:
        rows = database.execute("SELECT session FROM people ORDER BY person").fetchall()
    return [session for (session,) in rows]


def votes_of(study: Path) -> list[tuple[str, int, int]]:
    """Return token, number and answer of every vote."""
    with closing(sqlite3.connect(study)) as database:
        return database.execute(
            "SELECT token, number, answer FROM votes JOIN people USING (person)"
            " ORDER BY person, number"
        ).fetchall()


def write_project(root: Path, **study: Any) -> Path:
    """Write params.yaml, Lab shards and two untrained but usable models; return the root."""
    values = copy.deepcopy(VALUES)
    regression = {"objective": {"kind": "regression", "loss": "l2"}, "decoding": {"kind": "direct"}}
    model = json.loads(json.dumps(SHARED | regression | {"network": SMALL_UNET}))
    values["models"] = {name: copy.deepcopy(model) for name in MODELS}
    values["lab"]["size"] = SIDE
    values["study"] = study_params(**study).model_dump(mode="json")
    YAML().dump(values, root / "params.yaml")
    write_lab(root / "data/lab")
    for seed, name in enumerate(MODELS):
        write_model(root / "models" / name, ModelParams.model_validate(model), seed)
    return root


def write_lab(folder: Path, counts: Mapping[str, int] = LAB, chroma: int = 60) -> Path:
    """Write two tiles of each photograph, the second the larger one, of one color each."""
    folder.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    for seed, (split, count) in enumerate(counts.items()):
        np.save(folder / shard_name(split, 0), _tiles(2 * count, seed, chroma))
        rows += [
            {"id": f"{split}/{n // 2}.png", "group": f"{split}{n // 4}", "label": None}
            | {"split": split, "shard": 0, "row": n, "left": 0.0, "top": 0.0}
            | {"right": 10.0 * (1 + n % 2), "bottom": 10.0 * (1 + n % 2)}
            for n in range(2 * count)
        ]
    pd.DataFrame(rows).to_parquet(folder / "index.parquet", index=False)
    write_json(folder / "lab.json", {"size": SIDE, "fit": "tiles", "sha256": "0", **counts})
    return folder


def _tiles(count: int, seed: int, chroma: int) -> np.ndarray:
    """Draw lightness at random in every pixel, and one hue of the given chroma in each tile."""
    rng = np.random.default_rng(seed)
    lightness = rng.integers(90, 190, (count, 1, SIDE, SIDE))
    hue = rng.uniform(0, 2 * np.pi, count)
    ab = 128 + chroma * np.stack((np.cos(hue), np.sin(hue)), axis=1)[..., None, None]
    return np.concatenate((lightness, np.broadcast_to(ab, (count, 2, SIDE, SIDE))), 1).astype(
        np.uint8
    )


def write_model(folder: Path, model: ModelParams, seed: int) -> None:
    """Write a model with random weights as the stage train writes a trained one."""
    torch.manual_seed(seed)
    folder.mkdir(parents=True)
    save_file(dict(build_network(model.network, 2).state_dict()), folder / "weights.safetensors")
    config = {"format": 2, "image_size": SIDE} | model.model_dump(
        mode="json", include={"network", "objective", "decoding"}
    )
    write_json(folder / "config.json", config)
