import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from photochrom.tracking import Dataset, Provenance, TrainingRecord

EXPERIMENT = "photochrom"
HISTORY = """epoch,step,images_seen,seconds,train/loss,validation/loss,lr
1,4,64,1.5,0.9,0.8,0.001
2,8,128,3.0,0.7,,0.0005
3,12,192,4.5,0.5,0.6,0.0001
"""


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
    (folder / "config.json").write_text(json.dumps({"model": record.model, "study": "001"}))
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
