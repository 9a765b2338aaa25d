"""The autoencoder of study 002: convolutions, a linear bottleneck, deconvolutions.

All that the decoder knows of a photograph are the numbers of the bottleneck: no skip carries
edges past it.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.networks.base import ColorNetwork
from photochrom.params.models import AutoencoderParams

LEVELS = 4


class AutoencoderColorizer(ColorNetwork):
    """Four halvings, a bottleneck, four doublings.

    The linear layers fit a map of ``grid`` x ``grid`` alone. A map of another size is averaged to
    it, and what comes out is stretched back; at the native side of 16 ``grid`` pixels both do
    nothing.
    """

    stride = 2**LEVELS

    def __init__(self, params: AutoencoderParams, out_channels: int) -> None:
        super().__init__()
        widths = [params.width * 2**level for level in range(LEVELS)]
        self.encoder = nn.Sequential(
            *(layer for pair in pairwise([1, *widths]) for layer in _halving(*pair))
        )
        self.grid = (widths[-1], params.grid, params.grid)
        inside = widths[-1] * params.grid**2
        self.squeeze = nn.Linear(inside, params.latent)
        self.expand = nn.Linear(params.latent, inside)
        rising = [widths[-1], *reversed(widths[1:])]
        self.decoder = nn.Sequential(
            *(layer for pair in pairwise(rising) for layer in (_doubling(*pair), nn.ReLU())),
            _doubling(rising[-1], out_channels),
            nn.Tanh() if params.output == "tanh" else nn.Identity(),
        )

    def forward(self, lightness: Tensor) -> Tensor:
        """Return raw output at full resolution."""
        encoded: Tensor = self.encoder(lightness)
        raw: Tensor = self.decoder(self._through_the_bottleneck(encoded))
        return raw

    def _through_the_bottleneck(self, encoded: Tensor) -> Tensor:
        size = encoded.shape[-2:]
        fixed = F.adaptive_avg_pool2d(encoded, self.grid[1:])
        latent = self.squeeze(fixed.flatten(1))
        grown: Tensor = self.expand(latent).unflatten(1, self.grid)
        if size == grown.shape[-2:]:
            return grown
        return F.interpolate(grown, size, mode="bilinear", align_corners=False)


def build(params: AutoencoderParams, out_channels: int) -> AutoencoderColorizer:
    """Make the network."""
    return AutoencoderColorizer(params, out_channels)


def _halving(inside: int, outside: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inside, outside, 3, stride=2, padding=1), nn.ReLU()


def _doubling(inside: int, outside: int) -> nn.Module:
    return nn.ConvTranspose2d(inside, outside, 3, stride=2, padding=1, output_padding=1)
