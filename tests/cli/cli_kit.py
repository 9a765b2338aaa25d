"""Small untrained models, photographs, and the command line run in this process."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from photochrom import cli
from photochrom.color.bins import gamut313
from photochrom.networks import build_network
from photochrom.params.models import UNetParams

NETWORK = UNetParams(kind="unet", levels=3, width=4, dropout=0.0, output="linear", init="default")
REGRESSION = {"kind": "regression", "loss": "l2"}
CLASSIFICATION = {
    "kind": "classification",
    "bins": "gamut313",
    "neighbours": 5,
    "sigma": 5.0,
    "rebalance": None,
    "decoder": None,
}
DIRECT, VIVID = {"kind": "direct"}, {"kind": "annealed_mean", "temperature": 0.38}


class Ended(NamedTuple):
    """What a command left behind."""

    status: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


def write_model(folder: Path, *, classifies: bool = False, seed: int = 0, **changes: Any) -> Path:
    """Write a real model with random weights, as the stage train does."""
    torch.manual_seed(seed)
    channels = len(gamut313()) if classifies else 2
    network = build_network(NETWORK, channels)
    with torch.no_grad():
        # Untrained, it would leave photographs almost gray.
        bias = torch.randn(channels) * 2.0 if classifies else torch.tensor([0.3, -0.3])
        next(one for one in network.parameters() if one.shape == (channels,)).copy_(bias)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(network.state_dict()), folder / "weights.safetensors")
    config = {
        "format": 2,
        "model": folder.name,
        "study": "test",
        "network": NETWORK.model_dump(),
        "objective": CLASSIFICATION if classifies else REGRESSION,
        "decoding": VIVID if classifies else DIRECT,
        "image_size": 32,
        "parameters": sum(weight.numel() for weight in network.parameters()),
        **changes,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def write_photograph(path: Path, size: tuple[int, int] = (40, 28), **options: Any) -> Path:
    """Write a gray photograph in the format of its name's ending."""
    width, height = size
    values = np.linspace(20, 230, width * height).reshape(height, width)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        kind = Image.registered_extensions().get(path.suffix.lower(), "PNG")
        Image.fromarray(values.astype(np.uint8)).save(file, kind, **options)
    return path


def is_colored(path: Path) -> bool:
    """Tell whether a file is a picture that has color."""
    with Image.open(path) as image:
        return bool(np.ptp(np.asarray(image.convert("RGB")).astype(int), axis=2).max() > 5)


def files(folder: Path) -> list[str]:
    """Return all files below a folder, hidden ones too, but for the models."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return sorted(str(path) for path in found if path.parts[0] != "models")


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[bytes]) -> Run:
    """Return what runs ``photochrom ...`` in this process."""

    def run(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["photochrom", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        status = ended.value.code
        return Ended(int(status or 0), said.out, said.err.decode())

    return run
