"""A small project whose stages have all run, with numbers that are easy to check."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_details import LABELS, make_details, make_study, votes
from PIL import Image
from ruamel.yaml import YAML

from photochrom.params import Params, load_params
from photochrom.report import build_report
from photochrom.report.collect import Results, collect
from photochrom.uncertainty import WEIGHTS

Edit = Callable[[Path, Callable[[Any], None]], None]

OPTIMIZER = {
    "kind": "adamw",
    "lr": 0.003,
    "betas": [0.9, 0.99],
    "weight_decay": 0.01,
    "schedule": "cosine",
    "warmup": 0.1,
    "clip": None,
}
SHARED = {
    "study": "000",
    "optimizer": OPTIMIZER,
    "epochs": 3,
    "batch_size": 4,
    "image": {"size": None, "crop": None, "scale": None, "flip": True},
    "ema": 0.99,
    "keep": "best",
}
MODELS: dict[str, Any] = {
    "regressor": {
        **SHARED,
        "network": {"kind": "vgg", "width": 0.25},
        "objective": {"kind": "regression", "loss": "l2"},
        "decoding": {"kind": "direct"},
    },
    "classifier": {
        **SHARED,
        "network": {"kind": "vgg", "width": 0.25},
        "objective": {
            "kind": "classification",
            "bins": "gamut313",
            "neighbours": 5,
            "sigma": 5.0,
            "rebalance": {"kind": "prior"},
            "decoder": None,
        },
        "decoding": {"kind": "annealed_mean", "temperature": 0.38},
    },
}
PARAMS: dict[str, Any] = {
    "data": {
        "source": "samples",
        "path": None,
        "url": None,
        "sha256": None,
        "limit": None,
        "seed": 0,
    },
    "filter": {
        "min_colorfulness": 15.0,
        "min_side": 16,
        "max_megapixels": 50.0,
        "near_duplicate_bits": 2,
        "split": {"own": False, "validation": 0.1, "test": 0.2, "seed": 0},
    },
    "lab": {
        "size": 16,
        "fit": "tiles",
        "tiles": {"train": 4, "held_out": 2, "min_scale": 0.5},
        "seed": 0,
    },
    "prior": {
        "neighbours": 5,
        "sigma": 5.0,
        "smoothing": 5.0,
        "pseudo_photographs": 1.0,
        "mix": 0.5,
    },
    "train": {"seed": 0, "preview": 4},
    "models": MODELS,
    "evaluate": {
        "accuracy_threshold": 0.05,
        "pictures": 3,
        "failures": 2,
        "resamples": 100,
        "seed": 0,
    },
    "study": {
        "trials": {"real_or_fake": 1, "naturalness": 1, "pick_real": 0, "preference": 1},
        "practice": 0,
        "gold": 1,
        "sessions": 2,
        "exposure": 1000,
        "models": None,
        "exclude": {"gold": 0.7, "fastest": 300, "finished": 0.5},
        "resamples": 100,
        "seed": 0,
    },
    "report": {"title": "Colorizers compared", "pictures": 2},
    "tracking": {
        "experiment": "test",
        "registered": "test",
        "champion": {"measure": "auc_rebalanced", "direction": "higher"},
    },
}
OF_MODELS = ("milliseconds", "parameters")
"""The measures that are no means over photographs."""
HARDNESS = np.array([2.0, 2.0, -2.0, -2.0, 0.0, 0.0])
"""How far each photograph lies from the mean, much the same for all: scenes differ, models less."""
# Regressor best at ciede2000, psnr and milliseconds; classifier at the rest; ssim a tie in print.
METRICS: dict[str, dict[str, float]] = {
    "regressor": {
        "auc_rebalanced": 62.46,
        "auc": 90.06,
        "colorfulness": 30.0,
        "colorfulness_delta": -20.0,
        "ciede2000": 8.1,
        "ab_mae": 7.5,
        "accuracy": 35.0,
        "psnr": 25.5,
        "ssim": 0.92101,
        "gray_collapse": 40.0,
        "milliseconds": 1.5,
        "parameters": 1234567,
    },
    "classifier": {
        "auc_rebalanced": 64.123456789,
        "auc": 91.0,
        "colorfulness": 52.0,
        "colorfulness_delta": 2.0,
        "ciede2000": 9.25,
        "ab_mae": 7.25,
        "accuracy": 36.0,
        "psnr": 22.0,
        "ssim": 0.92099,
        "gray_collapse": 10.0,
        "milliseconds": 4.0,
        "parameters": 7654321,
    },
    "gray": {
        "auc_rebalanced": 58.1,
        "auc": 89.1,
        "colorfulness": 0.0,
        "colorfulness_delta": -50.0,
        "ciede2000": 9.0,
        "ab_mae": 9.0,
        "accuracy": 30.0,
        "psnr": 24.6,
        "ssim": 0.93,
    },
    "mean_color": {"auc_rebalanced": 57.0, "colorfulness": 9.0, "colorfulness_delta": -41.0},
    "random_photograph": {
        "auc_rebalanced": 51.0,
        "colorfulness": 49.96,
        "colorfulness_delta": -0.04,
    },
    "truth": {
        "auc_rebalanced": 100.0,
        "auc": 100.0,
        "colorfulness": 50.0,
        "colorfulness_delta": 0.0,
        "ciede2000": 0.0,
        "ab_mae": 0.0,
        "accuracy": 100.0,
        "psnr": 60.0,
        "ssim": 1.0,
    },
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with params.yaml and the outputs of every stage before the report."""
    return _project(tmp_path / "project")


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the report on such a project, with votes; tests only read it."""
    root = _project(tmp_path_factory.mktemp("report"))
    make_study(root, votes())
    build_report(load_params(root / "params.yaml"), root, root / "results" / "report")
    return root / "results" / "report"


@pytest.fixture
def params(project: Path) -> Params:
    return load_params(project / "params.yaml")


@pytest.fixture
def metrics() -> dict[str, dict[str, float]]:
    """Return the measures of every row of the project."""
    return METRICS


@pytest.fixture
def results(params: Params, project: Path) -> Results:
    return collect(params, project)


@pytest.fixture
def edit() -> Edit:
    """Return a function that changes the object in a JSON file."""

    def change(path: Path, how: Callable[[Any], None]) -> None:
        value = json.loads(path.read_text())
        how(value)
        path.write_text(json.dumps(value))

    return change


def _project(root: Path) -> Path:
    for name, metrics in METRICS.items():
        _evaluated(root / "results" / "evaluate" / name, metrics)
    make_study(root)
    for name in MODELS:
        _trained(root / "models" / name, name)
    _data(root / "data")
    YAML().dump(PARAMS, root / "params.yaml")
    return root


def _evaluated(folder: Path, metrics: dict[str, float]) -> None:
    rng = np.random.default_rng(len(folder.name))
    (folder / "pictures").mkdir(parents=True)
    means = {key: value for key, value in metrics.items() if key not in OF_MODELS}
    width = 0.0 if folder.name == "truth" else 1.0
    interval = {key: [value - width, value + width] for key, value in means.items()}
    numbers = {"photographs": 6, **metrics, "interval": interval}
    (folder / "metrics.json").write_text(json.dumps(numbers))
    stems = ["001", None, "000", None, "002", None]
    rows = {"id": [f"set/{i}.jpg" for i in range(6)], "group": list("aabbcc"), "picture": stems}
    table = pd.DataFrame(rows).assign(label=LABELS, **dict.fromkeys(WEIGHTS.values(), 1.0))
    for key, mean in means.items():
        table[key] = mean + HARDNESS * (1.0 + 0.01 * len(folder.name))
    table.to_parquet(folder / "per_image.parquet")
    for stem in filter(None, stems):
        _noise(rng, 16, 16).save(folder / "pictures" / f"{stem}.png")
    trained = folder.name in MODELS
    make_details(folder, folder.name, classifier=folder.name == "classifier", failures=trained)


def _trained(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    config = {"format": 2, "model": name, "image_size": 16, "parameters": 1234567}
    (folder / "config.json").write_text(json.dumps(config))
    run = {
        "device": "cpu",
        "precision": "float32",
        "torch": "2.15.0",
        "seconds": 61.4,
        "images_per_second": 100.0,
        "epochs": 3,
        "kept_epoch": 2,
        "remarks": ["the discriminator wins"] if name == "classifier" else [],
    }
    (folder / "run.json").write_text(json.dumps(run))
    history = {
        "epoch": [1, 2, 3],
        "train/loss": [3.0, 2.0, 1.5],
        "validation/loss": [3.1, 2.2, 2.3],
    }
    pd.DataFrame(history).to_csv(folder / "history.csv", index=False)


def _data(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for part in ("filtered", "lab", "prior"):
        (folder / part).mkdir(parents=True)
    summary = {
        "photographs": 1086,
        "kept": 1071,
        "rejected_gray": 4,
        "rejected_near_duplicate": 11,
        "rejected_corrupt": 0,
        "train": 900,
        "validation": 80,
        "test": 91,
    }
    (folder / "filtered" / "summary.json").write_text(json.dumps(summary))
    lab = {"size": 16, "fit": "tiles", "train": 3600, "validation": 160, "test": 182}
    (folder / "lab" / "lab.json").write_text(json.dumps(lab))
    _noise(rng, 40, 30).save(folder / "filtered" / "histogram.png")
    _noise(rng, 40, 30).save(folder / "filtered" / "sheet.jpg")
    _noise(rng, 30, 30).save(folder / "prior" / "prior.png")


def _noise(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
