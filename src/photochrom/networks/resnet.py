"""ResNet colorizers of studies 000 to 002: the first six children of a ResNet, then a decoder.

The six children (stem convolution, norm, ReLU, pooling, layer1, layer2) end at 1/8 resolution
with 128 channels.
"""

from collections.abc import Iterator
from itertools import pairwise
from pickle import UnpicklingError

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, ResNet34_Weights, resnet18, resnet34

from photochrom.networks.base import ColorNetwork, WeightsError
from photochrom.params.models import ResNetParams

CHILDREN = 6
ENCODED = 128
DECONVOLVED = (ENCODED, 128, 64, 32)
# The table of study 002: output channels of each convolution, and whether it is then upsampled.
TABLE = ((128, True), (64, False), (64, False), (32, True))
_FAMILY = {
    18: (resnet18, ResNet18_Weights.IMAGENET1K_V1),
    34: (resnet34, ResNet34_Weights.IMAGENET1K_V1),
}


class ResNetColorizer(ColorNetwork):
    """A cut ResNet with a gray stem, and a decoder to full resolution."""

    stride = 8

    def __init__(self, params: ResNetParams, out_channels: int) -> None:
        super().__init__()
        self.encoder = _gray_encoder(params)
        decoder = {"deconvolution": _deconvolutions, "upsampling": _upsampling}[params.decoder]
        self.decoder = nn.Sequential(*decoder(out_channels, norm=params.norm))
        self.repeats = 2 if params.decoder == "upsampling" else 1

    def forward(self, lightness: Tensor, *, repeated: bool = True) -> Tensor:
        """Return raw output at full resolution, or before its numbers are repeated."""
        raw: Tensor = self.decoder(self.encoder(lightness))
        if self.repeats == 1 or not repeated:
            return raw
        return F.interpolate(raw, scale_factor=self.repeats)


def build(params: ResNetParams, out_channels: int) -> ResNetColorizer:
    """Make the network."""
    return ResNetColorizer(params, out_channels)


def _gray_encoder(params: ResNetParams) -> nn.Sequential:
    family, weights = _FAMILY[params.depth]
    whole = family()
    if params.pretrained:
        whole.load_state_dict(_pretrained(weights))
    stem = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    with torch.no_grad():
        # A gray photograph has R = G = B, so the sum over the RGB filters is the same filter.
        stem.weight.copy_(whole.conv1.weight.sum(1, keepdim=True))
    whole.conv1 = stem
    return nn.Sequential(*list(whole.children())[:CHILDREN])


def _pretrained(weights: ResNet18_Weights | ResNet34_Weights) -> dict[str, Tensor]:
    file = weights.url.rsplit("/", 1)[-1]
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        place = f"{torch.hub.get_dir()}/checkpoints/{file}"
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"The pretrained weights cannot be had ({reason}). Download {weights.url} to "
            f"{place}, or set network.pretrained to false."
        ) from None
    return state


def _deconvolutions(out_channels: int, *, norm: bool) -> Iterator[nn.Module]:
    """Yield 4 x 4 deconvolutions that each double the side, then a 3 x 3 convolution."""
    for inside, outside in pairwise(DECONVOLVED):
        yield nn.ConvTranspose2d(inside, outside, 4, stride=2, padding=1, bias=not norm)
        yield from _activated(outside, norm=norm)
    yield nn.Conv2d(DECONVOLVED[-1], out_channels, 3, padding=1)


def _upsampling(out_channels: int, *, norm: bool) -> Iterator[nn.Module]:
    """Yield 3 x 3 convolutions with upsampling between them; the last one is the network's."""
    before = ENCODED
    for channels, doubled in TABLE:
        yield nn.Conv2d(before, channels, 3, padding=1, bias=not norm)
        yield from _activated(channels, norm=norm)
        if doubled:
            yield nn.Upsample(scale_factor=2)
        before = channels
    yield nn.Conv2d(before, out_channels, 3, padding=1)


def _activated(channels: int, *, norm: bool) -> Iterator[nn.Module]:
    if norm:
        yield nn.BatchNorm2d(channels)
    yield nn.ReLU(inplace=True)
