"""The U-Net of pix2pix (Isola et al., Image-to-Image Translation, 2017) with any depth.

Level i halves the side with a 4 x 4 convolution; the decoder doubles it back and joins the
encoder's output of the same size. Dropout in the innermost decoder levels, as published.
"""

import torch
from torch import Tensor, nn

from photochrom.networks.base import ColorNetwork, drops, init_normal
from photochrom.params.models import UNetParams


class UNetColorizer(ColorNetwork):
    """A U-Net for one gray channel."""

    def __init__(self, params: UNetParams, out_channels: int) -> None:
        super().__init__()
        self.stride = 2**params.levels
        widths = [params.width * min(2**level, 8) for level in range(params.levels)]
        inputs = [1, *widths[:-1]]
        outer = [out_channels, *widths[:-1]]
        deepest = params.levels - 1
        self.down = nn.ModuleList(
            _down(inputs[i], widths[i], norm=0 < i < deepest, activate=i > 0)
            for i in range(params.levels)
        )
        # Every level but the deepest receives its skip beside what comes from below.
        self.up = nn.ModuleList(
            _up(
                widths[i] * (1 if i == deepest else 2),
                outer[i],
                norm=i > 0,
                dropout=params.dropout if drops(i, params.levels) else 0.0,
            )
            for i in range(params.levels)
        )
        self.output = nn.Tanh() if params.output == "tanh" else nn.Identity()
        if params.init == "normal":
            init_normal(self)

    def forward(self, lightness: Tensor) -> Tensor:
        """Return raw output at full resolution."""
        skips = [lightness]
        for down in self.down:
            skips.append(down(skips[-1]))
        inner = skips.pop()
        for level in range(len(self.up) - 1, -1, -1):
            inner = self.up[level](inner)
            if level:
                inner = torch.cat((inner, skips.pop()), dim=1)
        raw: Tensor = self.output(inner)
        return raw


def build(params: UNetParams, out_channels: int) -> UNetColorizer:
    """Make the network."""
    return UNetColorizer(params, out_channels)


def _down(inside: int, outside: int, *, norm: bool, activate: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.LeakyReLU(0.2)] if activate else []
    layers.append(nn.Conv2d(inside, outside, 4, stride=2, padding=1, bias=not norm))
    if norm:
        layers.append(nn.BatchNorm2d(outside))
    return nn.Sequential(*layers)


def _up(inside: int, outside: int, *, norm: bool, dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.ReLU(),
        nn.ConvTranspose2d(inside, outside, 4, stride=2, padding=1, bias=not norm),
    ]
    if norm:
        layers.append(nn.BatchNorm2d(outside))
    if dropout:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)
