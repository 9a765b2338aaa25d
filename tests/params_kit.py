"""Good parameters for the tests of params.yaml, and ways to spoil them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from photochrom.params import ParamsError, check_params, parse_yaml

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")

# The models of these tests; the project's own are retuned and renamed as it grows.
OPTIMIZER = {
    "kind": "adamw",
    "lr": 1e-3,
    "betas": [0.9, 0.99],
    "weight_decay": 0.01,
    "schedule": "cosine",
    "warmup": 0.05,
    "clip": 1.0,
}
SHARED = {
    "study": "000",
    "optimizer": OPTIMIZER,
    "epochs": 2,
    "batch_size": 8,
    "image": {"size": None, "crop": None, "scale": None, "flip": True},
    "ema": None,
    "keep": "best",
}
UNET = {
    "kind": "unet",
    "levels": 6,
    "width": 8,
    "dropout": 0.5,
    "output": "tanh",
    "init": "normal",
}
RESIDUAL = {**UNET, "kind": "residual", "levels": 5, "blocks": 1}
AUTOENCODER = {"kind": "autoencoder", "width": 8, "grid": 4, "latent": 16, "output": "tanh"}
DCGAN = {"kind": "dcgan", "width": 8, "layers": 4, "init": "normal"}
COUNTS = {"kind": "counts", "power": 0.5, "offset": 1e5}
MODELS: dict[str, Any] = {
    "regression": SHARED
    | {
        "network": {
            "kind": "resnet",
            "depth": 18,
            "pretrained": False,
            "decoder": "deconvolution",
            "norm": True,
        },
        "objective": {"kind": "regression", "loss": "l2"},
        "decoding": {"kind": "direct"},
    },
    "bins": SHARED
    | {
        "network": {"kind": "vgg", "width": 0.25},
        "objective": {
            "kind": "classification",
            "bins": "gamut313",
            "neighbours": 5,
            "sigma": 5,
            "rebalance": {"kind": "prior"},
            "decoder": None,
        },
        "decoding": {"kind": "annealed_mean", "temperature": 0.38},
    },
    "gan": SHARED
    | {
        "network": UNET,
        "objective": {
            "kind": "adversarial",
            "loss": "bce",
            "pixel_loss": "l1",
            "pixel_weight": 100,
            "pretraining_epochs": 0,
            "discriminator": {"kind": "patchgan", "width": 8, "layers": 3, "init": "normal"},
            "discriminator_optimizer": OPTIMIZER,
        },
        "decoding": {"kind": "direct"},
    },
}
# Through JSON, so that no two models share a section.
VALUES: dict[str, Any] = json.loads(
    json.dumps(parse_yaml(TEXT, "params.yaml") | {"models": MODELS})
)
VALUES["lab"]["size"] = 64


def changed(key: str, value: Any) -> dict[str, Any]:
    """Return good values but for one dotted key."""
    values = copy.deepcopy(VALUES)
    *path, last = key.split(".")
    section = values
    for part in path:
        section = section[part]
    section[last] = value
    return values


def without(key: str) -> dict[str, Any]:
    """Return good values but for one dotted key, which is not there."""
    values = changed(key, None)
    *path, last = key.split(".")
    section = values
    for part in path:
        section = section[part]
    del section[last]
    return values


def as_text(values: Any, folder: Path) -> str:
    """Write values as YAML and read the text back, as a person's file would come."""
    file = folder / "params.yaml"
    YAML().dump(values, file)
    return file.read_text(encoding="utf-8")


def refusal(text: str) -> str:
    """Return the one line that refuses a text."""
    with pytest.raises(ParamsError) as caught:
        check_params(text)
    message = str(caught.value)
    assert message.startswith("params.yaml")
    assert "\n" not in message
    assert len(message) < 500
    return message
