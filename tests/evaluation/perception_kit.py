"""Photographs of known classes, and stand-ins for the published weights."""

import hashlib
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from photochrom.color.lab import decode_lab
from photochrom.data.shards import LabSet, shard_name
from photochrom.evaluation.metrics import Comparison
from photochrom.evaluation.perception.published import Weights
from photochrom.files import write_json

CLASSES = ("n01440764", "n01443537", "n01484850")
SIDE = 32


def smooth_squares(count: int, seed: int = 0) -> np.ndarray:
    """Return stored Lab squares (count, 3, 32, 32) whose colors pass smoothly into each other."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(60, 200, (count, 3, 4, 4)))
    fine = nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear")
    return fine.round().byte().numpy()


def write_set(folder: Path, labels: list[str | None], groups: list[str] | None = None) -> LabSet:
    """Write a test split with these labels, each photograph its own group unless told."""
    folder.mkdir(parents=True)
    count = len(labels)
    names = [f"test/{n}.png" for n in range(count)]
    np.save(folder / shard_name("test", 0), smooth_squares(count))
    columns = {"id": names, "group": groups or names, "label": labels, "split": "test"}
    index = pd.DataFrame(columns).assign(shard=0, row=range(count))
    index.to_parquet(folder / "index.parquet", index=False)
    write_json(folder / "lab.json", {"size": SIDE, "fit": "resize", "sha256": "0"})
    return LabSet.open(folder, "test")


def compare(test: LabSet, rows: np.ndarray, keep: float) -> Comparison:
    """Return some photographs, and the same with so large a share of their chroma."""
    lab = decode_lab(torch.from_numpy(test.take(rows)))
    return Comparison(lab[:, :1], lab[:, 1:], keep * lab[:, 1:])


def pictures(count: int, side: int, seed: int = 0) -> Tensor:
    """Return noise, uint8 (count, 3, side, side)."""
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, side, side), generator=random, dtype=torch.uint8)


def write_alexnet(path: Path) -> Path:
    """Write random weights of AlexNet's convolutions under torchvision's names."""
    from torchvision.models import alexnet

    with torch.device("meta"):
        shapes = alexnet(weights=None).features.state_dict()
    random = torch.Generator().manual_seed(0)
    tensors = {
        f"features.{name}": torch.randn(shape.shape, generator=random) * 0.05
        for name, shape in shapes.items()
    }
    torch.save(tensors, path)
    return path


def write_inception(path: Path) -> Path:
    """Write random weights of torch-fidelity's Inception-v3."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    torch.save({}, path)
    torch.manual_seed(0)
    with mock.patch.object(FeatureExtractorInceptionV3, "load_state_dict"):
        network = FeatureExtractorInceptionV3("made", ["2048"], str(path))
    torch.save(network.state_dict(), path)
    return path


def renamed(weights: Weights, path: Path) -> Weights:
    """Return weights whose published file is the one at ``path``."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return replace(weights, url=f"https://weights.test/{path.name}", sha256=digest)
