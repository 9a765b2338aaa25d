"""Parameters and pictures for the tests of the networks."""

from typing import Any

import torch
from torch import Tensor

from photochrom.networks import ColorNetwork, build_network
from photochrom.params.models import (
    AutoencoderParams,
    EfficientNetParams,
    ResidualParams,
    ResNetParams,
    UNetParams,
    VGGParams,
)


def vgg(width: float) -> VGGParams:
    return VGGParams(kind="vgg", width=width)


def unet(levels: int, width: int = 4, output: str = "linear", **other: Any) -> UNetParams:
    values = {"dropout": 0.5, "init": "normal", **other}
    return UNetParams.model_validate(
        {"kind": "unet", "levels": levels, "width": width, "output": output, **values}
    )


def residual(levels: int, width: int = 4, blocks: int = 1, **other: Any) -> ResidualParams:
    values = {"dropout": 0.5, "init": "normal", "output": "tanh", **other}
    return ResidualParams.model_validate(
        {"kind": "residual", "levels": levels, "width": width, "blocks": blocks, **values}
    )


def autoencoder(
    width: int = 4, grid: int = 2, latent: int = 6, output: str = "tanh"
) -> AutoencoderParams:
    values = {"width": width, "grid": grid, "latent": latent, "output": output}
    return AutoencoderParams.model_validate({"kind": "autoencoder", **values})


def efficientnet(
    width: float = 0.25, enlarge: int = 1, *, pretrained: bool = False, mirrored: bool = False
) -> EfficientNetParams:
    values = {"pretrained": pretrained, "enlarge": enlarge, "width": width}
    values |= {"encoder_lr_scale": 0.25, "mirrored": mirrored}
    return EfficientNetParams.model_validate({"kind": "efficientnet", **values})


def resnet_of(
    depth: int = 18,
    decoder: str = "deconvolution",
    *,
    norm: bool = True,
    pretrained: bool = False,
) -> ResNetParams:
    values = {"depth": depth, "pretrained": pretrained, "decoder": decoder, "norm": norm}
    return ResNetParams.model_validate({"kind": "resnet", **values})


def gray(count: int, height: int, width: int) -> Tensor:
    return torch.rand(count, 1, height, width) * 2 - 1


def shape_of(params: Any, channels: int) -> ColorNetwork:
    """Return a network without its numbers, which take time to draw."""
    with torch.device("meta"):
        return build_network(params, channels)
