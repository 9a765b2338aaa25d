"""The details and the votes of the small project: what the evaluation and the study would write."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

GROUPS = list("aabbcc")
HUES = {"gray": 96, "red": 96, "blue": 64}
"""Pixels of each photograph by true hue; blue occurs in the first two groups only."""
LOST = {"regressor": 20.0, "classifier": 10.0, "gray": 30.0}
"""Percent of AuC that each loses on red."""
FAILURES = ("auc", "ciede2000")
LABELS = ["n01", "n02", "n01", "n02", "n01", "n02"]


def make_details(folder: Path, name: str, classifier: bool, failures: bool) -> None:
    """Write details/ of a colorizer measured on six photographs of three groups."""
    details = folder / "details"
    details.mkdir(parents=True)
    histogram = np.zeros((256, 256), np.int64)
    histogram[128, 128], histogram[178, 148] = 1000, 10
    bins = np.zeros((6, 313), np.uint32)
    # Half of the pixels in the bins of the truth, or as many less as the name is longer.
    bins[:, 0], bins[:, 1] = 128 + len(name), 128 - len(name)
    np.savez_compressed(details / "distribution.npz", bins=bins, histogram=histogram)
    _hues(name).to_parquet(details / "hues.parquet")
    if classifier:
        table = "low,high,pixels,confidence,accuracy\n0,50,300,30,40\n50,100,0,,\n"
        (details / "calibration.csv").write_text(table)
    if failures:
        _failures(details, name)


def make_study(root: Path, values: dict[str, Any] | None = None) -> None:
    """Write study.json: no votes, or these values."""
    nobody = {
        "people": 0,
        "excluded": {"gold": 0, "fastest": 0, "finished": 0},
        "votes": 0,
        "photographs": 0,
        "protocols": {},
    }
    folder = root / "results" / "study"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.json").write_text(json.dumps(values or nobody))


def votes() -> dict[str, Any]:
    """Return a study in which the classifier fools more people than the regressor."""
    real = {
        "votes": 400,
        "people": 38,
        "photographs": 60,
        "chance": 50.0,
        "models": {"regressor": judged(200, 12.5), "classifier": judged(200, 31.0)},
        "agreement": {"alpha": 0.234, "interval": [0.1, 0.4], "pairs": 90},
        "comparisons": [_compared("regressor", "classifier", -18.5, 0.0004)],
    }
    truth = judged(100, 90.0, score=4.5, score_interval=[4.2, 4.8])
    scored = judged(100, 40.0, score=2.5, score_interval=[2.2, 2.8])
    natural = {
        **real,
        "chance": None,
        "models": {"truth": truth, "regressor": scored, "classifier": scored},
        "agreement": {"alpha": None, "interval": None, "pairs": 0},
        "comparisons": [_compared("regressor", "classifier", 0.0, 1.0)],
    }
    strong = judged(100, 60.0, strength=0.7, strength_interval=[0.2, 1.2])
    weak = judged(100, 40.0, strength=-0.7, strength_interval=[-1.2, -0.2])
    preference = {
        **real,
        "connected": True,
        "models": {"regressor": weak, "classifier": strong},
        "comparisons": [_compared("regressor", "classifier", -1.4, 0.01)],
    }
    return {
        "people": 38,
        "excluded": {"gold": 1, "fastest": 0, "finished": 2},
        "votes": 1900,
        "photographs": 60,
        "protocols": {"preference": preference, "real_or_fake": real, "naturalness": natural},
    }


def judged(votes: int, rate: float, **more: Any) -> dict[str, Any]:
    """Return how one colorizer was judged, with plausible intervals."""
    ends = {"wilson": [rate - 4, rate + 5], "interval": [rate - 8, rate + 9]}
    return {"votes": votes, "rate": rate, **ends, **more}


def _compared(a: str, b: str, difference: float, p: float) -> dict[str, Any]:
    ends = {"low": difference - 1, "high": difference + 2}
    return {"a": a, "b": b, "difference": difference, **ends, "p": p / 2, "p_holm": p}


def _hues(name: str) -> pd.DataFrame:
    rows = []
    for photograph, group in enumerate(GROUPS):
        for hue, pixels in HUES.items():
            if hue == "blue" and group == "c":
                continue
            lost = LOST.get(name, 0.0) if hue == "red" else 5.0
            # Scenes differ, and colorizers differ within each by the same.
            auc = pixels * (100.0 - lost - photograph // 2)
            chroma = 0.0 if name == "gray" else 0.5 * pixels * 40.0
            rows.append(
                {
                    "id": f"set/{photograph}.jpg",
                    "group": group,
                    "hue": hue,
                    "pixels": pixels,
                    "auc": auc,
                    "chroma": chroma,
                    "true_chroma": pixels * 40.0,
                }
            )
    return pd.DataFrame(rows)


def _failures(details: Path, name: str) -> None:
    (details / "failures").mkdir()
    rng = np.random.default_rng(len(name))
    entries = []
    for measure in FAILURES:
        for place, end in enumerate(("worst", "best")):
            sheet = f"failures/{measure}-{end}.jpg"
            pixels = rng.integers(0, 256, (90, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(details / sheet)
            photographs = [
                {
                    "id": f"set/{row}.jpg",
                    "group": GROUPS[row],
                    "label": None if row else "n01",
                    "row": row,
                    "value": 50.0 + row,
                }
                for row in (place, place + 2)
            ]
            about = {"measure": measure, "end": end, "sheet": sheet}
            entries.append({**about, "photographs": photographs})
    (details / "failures.json").write_text(json.dumps(entries))
