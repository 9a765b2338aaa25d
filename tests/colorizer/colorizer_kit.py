"""Small networks, made photographs, and models written as the stage train writes them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from photochrom.color.bins import bins, gamut313
from photochrom.colorizer.colorizer import Colorizer
from photochrom.colorizer.prediction import Predictor
from photochrom.networks import build_network
from photochrom.params import load_params
from photochrom.params.models import (
    ArgmaxParams,
    ClassificationParams,
    Decoding,
    DirectParams,
    LearnedParams,
    MeanParams,
    ModelParams,
)

CPU = torch.device("cpu")
MODELS = load_params(Path(__file__).resolve().parents[2] / "params.yaml").models
FIRST = next(iter(MODELS.values()))
DIRECT = DirectParams(kind="direct")
ARGMAX = ArgmaxParams(kind="argmax")
LEARNED = LearnedParams(kind="learned", temperature=1.0)
SIZES = [(1, 1), (1, 50), (50, 1), (16, 16), (17, 31), (33, 20), (64, 64), (100, 70), (7, 300)]
LUMINANCE = np.array([0.212671, 0.715160, 0.072169])


class Probe(nn.Module):
    """Gives a color that follows the lightness, and remembers what it saw."""

    def __init__(self, factor: int = 1, strength: float = 0.05) -> None:
        super().__init__()
        self.seen: list[Tensor] = []
        self._factor, self._strength = factor, strength

    def forward(self, lightness: Tensor) -> Tensor:
        self.seen.append(lightness.clone())
        small = nn.functional.avg_pool2d(lightness, self._factor)
        return torch.cat((small, -small), dim=1) * self._strength


class Logits(nn.Module):
    """Gives logits over the 313 bins at a quarter of the resolution; lightness chooses the bin."""

    def __init__(self, sharpness: float = 1.0) -> None:
        super().__init__()
        self._sharpness = sharpness

    def forward(self, lightness: Tensor) -> Tensor:
        small = nn.functional.avg_pool2d(lightness, 4)
        places = torch.linspace(-1.0, 1.0, 313)[None, :, None, None]
        return -self._sharpness * 50.0 * (small - places).square()


class Learned(Logits):
    """Logits, and behind them a color that follows the lightness."""

    def forward(self, lightness: Tensor) -> Tensor:
        small = nn.functional.avg_pool2d(lightness, 4)
        return torch.cat((super().forward(lightness), 0.2 * small, -0.3 * small), dim=1)


def predictor_of(
    network: nn.Module, size: int = 32, stride: int = 8, decoding: Decoding = DIRECT
) -> Predictor:
    where = None if decoding.kind == "direct" else gamut313()
    return Predictor(network, stride, decoding, where, size, CPU)


def colorizer_of(
    network: nn.Module, size: int = 32, stride: int = 8, decoding: Decoding = DIRECT
) -> Colorizer:
    return Colorizer("probe", predictor_of(network, size, stride, decoding))


def picture(height: int, width: int, seed: int = 0) -> Image.Image:
    """A smooth gray picture with some contrast."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(60, 200, (3, 4), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BILINEAR)


def write_model(
    model: ModelParams, folder: Path, decoding: Decoding | None = None, size: int = 32
) -> nn.Module:
    """Write a model as the stage train does, with the decoding ``mean`` unless told."""
    network_params, objective = model.network, model.objective
    if "pretrained" in type(network_params).model_fields:
        network_params = network_params.model_copy(update={"pretrained": False})
    classifies = isinstance(objective, ClassificationParams)
    decoder = objective.decoder if isinstance(objective, ClassificationParams) else None
    torch.manual_seed(0)
    channels = len(bins(objective.bins)) if classifies else 2
    network = build_network(network_params, channels, decoder.width if decoder else None)
    folder.mkdir(parents=True)
    save_file(dict(network.state_dict()), folder / "weights.safetensors")
    usual = MeanParams(kind="mean") if classifies else DIRECT
    config = {
        "format": 2,
        "model": "test",
        "study": "test",
        "network": network_params.model_dump(),
        "objective": objective.model_dump(),
        "decoding": (decoding or usual).model_dump(),
        "image_size": size,
        "parameters": 1,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return network.eval()


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change a model's config.json."""
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


def gray_level(pixels: np.ndarray) -> np.ndarray:
    """Return the gray level of the same luminance, unrounded (float64), of gray or of color."""
    top = np.iinfo(pixels.dtype).max
    values = pixels / top
    linear = np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)
    light = linear if pixels.ndim == 2 else linear @ LUMINANCE
    return top * np.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
