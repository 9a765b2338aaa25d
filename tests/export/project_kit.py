"""A project with a trained model, its measures and its photographs, as the stages leave them."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from export_kit import PARAMS, ROOT, SIDE, entry, write_model
from ruamel.yaml import YAML

from photochrom.params.models import ModelParams
from photochrom.tracking import Dataset, Provenance, TrainingRecord
from photochrom.tracking.record import flatten

NAME, SMALL = "vgg313_classification", "unet6_gan"
COUNTS = {"train": 5, "validation": 2, "test": 3}


def write_project(root: Path) -> Path:
    """Write a project of two trained models; returns the folder of the first."""
    sha256 = write_lab(root / "data/lab")
    write_params(root)
    summary = {"photographs": 1200, "kept": 1000, "rejected_gray": 150, "rejected_too_small": 50}
    (root / "data/filtered").mkdir(parents=True)
    (root / "data/filtered/summary.json").write_text(json.dumps(summary))
    folder = write_model(root / "models" / NAME, entry(NAME))
    write_run(folder, entry(NAME), sha256)
    write_model(root / "models" / SMALL, entry(SMALL))
    return folder


def write_lab(folder: Path) -> str:
    folder.mkdir(parents=True)
    drawn = np.random.default_rng(0)
    squares = drawn.integers(0, 256, (COUNTS["test"], 3, SIDE, SIDE), np.uint8)
    np.save(folder / "test-00000.npy", squares)
    index = pd.DataFrame(
        {
            "split": "test",
            "shard": 0,
            "row": range(len(squares)),
            "group": [str(row) for row in range(len(squares))],
        }
    )
    index.to_parquet(folder / "index.parquet")
    sha256 = hashlib.sha256(squares.tobytes()).hexdigest()
    about = {"size": SIDE, "fit": "crop", "sha256": sha256, **COUNTS}
    (folder / "lab.json").write_text(json.dumps(about))
    return sha256


def write_params(root: Path, **data: Any) -> None:
    """Copy params.yaml, with an archive whose address tells of this machine."""
    yaml = YAML()
    values = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["data"] |= {"source": "archive", "url": "file:///home/somebody/old%20photos.zip"}
    values["filter"]["min_colorfulness"] = 15
    with (root / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)


def write_run(folder: Path, model: ModelParams, sha256: str) -> None:
    told = model.model_dump(exclude={"study", "decoding"})
    source = {"photographs": "archive", "size": SIDE, "fit": "crop", "sha256": sha256, **COUNTS}
    record = TrainingRecord(
        folder.name,
        "0" * 32,
        params={**flatten(told), **flatten(PARAMS.train.model_dump(), "train.")},
        dataset=Dataset("archive 64 px", "0", source),
        provenance=Provenance(commit="c0ffee" * 6 + "beef", dirty=False),
    )
    run = {
        "key": record.key,
        "record": record.to_json(),
        "started": "2025-01-02T03:04:05+00:00",
        "device": "CPU, 2 threads",
        "precision": "bfloat16",
        "torch": "2.9.0",
        "seconds": 754.0,
        "images_per_second": 88.5,
        "epochs": 8,
        "kept_epoch": 6,
    }
    (folder / "run.json").write_text(json.dumps(run))


def write_metrics(root: Path, name: str, photographs: int = 30, **values: Any) -> None:
    folder = root / "results/evaluate" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"photographs": photographs, **values}))
