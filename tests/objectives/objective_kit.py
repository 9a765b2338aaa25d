"""Models and pictures for the tests of the objectives."""

from typing import Any

import numpy as np
import skimage.data
import torch
from PIL import Image

from photochrom.color.batch import Batch, normalised
from photochrom.color.lab import rgb_to_lab
from photochrom.params.models import ModelParams

SGD = {
    "kind": "sgd",
    "lr": 0.01,
    "betas": [0.0, 0.0],
    "weight_decay": 0.0,
    "schedule": "constant",
    "warmup": 0.0,
    "clip": None,
}
VGG = {"kind": "vgg", "width": 0.05}
UNET = {
    "kind": "unet",
    "levels": 3,
    "width": 4,
    "dropout": 0.0,
    "output": "tanh",
    "init": "default",
}
DIRECT = {"kind": "direct"}


def model_of(
    objective: dict[str, Any], network: dict[str, Any], decoding: dict[str, Any]
) -> ModelParams:
    return ModelParams.model_validate(
        {
            "study": "test",
            "network": network,
            "objective": objective,
            "decoding": decoding,
            "optimizer": SGD,
            "epochs": 5,
            "batch_size": 4,
            "image": {"size": None, "crop": None, "scale": None, "flip": False},
            "ema": None,
            "keep": "last",
        }
    )


def random_batch(count: int = 2, side: int = 16, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    lightness = torch.rand(count, 1, side, side, generator=generator) * 2 - 1
    return Batch(lightness, torch.randn(count, 2, side, side, generator=generator) * 30)


def four_photographs(side: int = 64) -> Batch:
    names = ("astronaut", "chelsea", "coffee", "rocket")
    pictures = [Image.fromarray(getattr(skimage.data, name)()) for name in names]
    pixels = np.stack([np.asarray(picture.resize((side, side))) for picture in pictures])
    lab = rgb_to_lab(torch.from_numpy(pixels).movedim(-1, 1).float() / 255.0)
    return Batch(normalised(lab[:, :1]), lab[:, 1:])
