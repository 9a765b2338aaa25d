import json
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from photochrom.params import Params, load_params
from photochrom.params.pipeline import ChampionParams
from photochrom.tracking import Dataset, Provenance, TrainingRecord

ROOT = Path(__file__).parents[2]
CODE = ROOT / "src/photochrom/served.py"
EXPERIMENT, REGISTERED = "photochrom", "colorizers"
HISTORY = """epoch,step,images_seen,seconds,train/loss,validation/loss,lr
1,4,64,1.5,0.9,0.8,0.001
2,8,128,3.0,0.7,,0.0005
3,12,192,4.5,0.5,0.6,0.0001
"""


@cache
def project_params() -> Params:
    return load_params(ROOT / "params.yaml")


def params_of(*models: str, measure: str = "auc", direction: str = "higher") -> Params:
    """The project's parameters with these models and this rule for the champion."""
    params = project_params()
    rule = ChampionParams.model_validate({"measure": measure, "direction": direction})
    told = {"experiment": EXPERIMENT, "registered": REGISTERED, "champion": rule}
    entry = next(iter(params.models.values()))
    return params.model_copy(
        update={
            "models": dict.fromkeys(models, entry),
            "tracking": params.tracking.model_copy(update=told),
        }
    )


def make_record(model: str = "unet6_gan", **changes: Any) -> TrainingRecord:
    values: dict[str, Any] = {
        "model": model,
        "key": uuid.uuid4().hex,
        "params": {"network.kind": "unet", "epochs": 3},
        "tags": {"study": "001", "objective": "adversarial"},
        "description": "A U-Net against a discriminator.",
        "dataset": Dataset("samples 64 px", "0123456789abcdef", {"path": "data/lab"}),
        "provenance": Provenance(commit="c0ffee", dirty=False, lab_md5="1.dir", prior_md5="2.dir"),
    }
    return TrainingRecord(**{**values, **changes})


def write_model(root: Path, record: TrainingRecord, **run: Any) -> Path:
    folder = root / "models" / record.model
    (folder / "samples").mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"w" * 1000)
    config = {"model": record.model, "study": "001", "decoding": {"kind": "direct"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "history.csv").write_text(HISTORY)
    for epoch in (1, 2, 3):
        sheet = np.full((16, 24, 3), 50 * epoch, np.uint8)
        Image.fromarray(sheet).save(folder / "samples" / f"epoch-{epoch:03d}.jpg")
    told = {
        "key": record.key,
        "run_id": None,
        "parent_run_id": None,
        "experiment": EXPERIMENT,
        "record": record.to_json(),
        "seconds": 5.0,
        "started": "2025-01-02T03:04:05+00:00",
        **run,
    }
    (folder / "run.json").write_text(json.dumps(told))
    return folder


def write_evaluation(root: Path, name: str, level: int = 100, **metrics: float) -> Path:
    folder = root / "results" / "evaluate" / name
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    values = {"photographs": 2, "auc": 60.5, "ciede2000": 9.25, **metrics}
    (folder / "metrics.json").write_text(json.dumps(values))
    for stem in ("000", "001"):
        picture = np.full((8, 8, 3), level, np.uint8)
        Image.fromarray(picture).save(folder / "pictures" / f"{stem}.png")
    return folder


def write_report(root: Path, auc: float = 60.5) -> Path:
    folder = root / "results" / "report"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comparison.csv").write_text(f"model,auc,note\nunet6_gan,{auc},\ngray,55.0,none\n")
    (folder / "index.html").write_text(f"<!doctype html><p>{auc}</p>")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "sheet.jpg")
    return folder


def write_details(root: Path, name: str) -> Path:
    """Write what only the evaluation of a trained classifier leaves."""
    folder = root / "results" / "evaluate" / name
    failures = folder / "details" / "failures"
    failures.mkdir(parents=True)
    (folder / "per_image.parquet").write_bytes(b"p" * 100)
    (folder / "details" / "calibration.csv").write_text("low,high,pixels,confidence,accuracy\n")
    for stem in ("auc-worst", "auc-best", "gray_collapse-worst"):
        Image.fromarray(np.zeros((9, 16, 3), np.uint8)).save(failures / f"{stem}.jpg")
    return folder


def write_study(root: Path, *, votes: bool = True) -> Path:
    path = root / "results" / "study" / "study.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    protocols = {
        "real_or_fake": {
            "models": {
                "unet6_gan": {
                    "votes": 40,
                    "rate": 31.5,
                    "wilson": [20.0, 45.0],
                    "interval": [18.5, 46.5],
                }
            }
        },
        "naturalness": {
            "models": {
                "truth": {"votes": 9, "rate": 90.0, "interval": None, "score": 4.5},
                "unet6_gan": {
                    "votes": 8,
                    "rate": 50.0,
                    "interval": [25.0, 75.0],
                    "score": 3.25,
                    "score_interval": [2.5, 4.0],
                },
            }
        },
        "preference": {
            "models": {
                "unet6_gan": {
                    "votes": 12,
                    "rate": 60.0,
                    "interval": [40.0, 80.0],
                    "strength": 0.25,
                    "strength_interval": [-0.5, 1.0],
                },
                "gone": {"votes": 12, "rate": 40.0, "interval": None, "strength": None},
            }
        },
    }
    told = {"people": 5 * votes, "votes": 69 * votes, "protocols": protocols if votes else {}}
    path.write_text(json.dumps(told))
    return path
