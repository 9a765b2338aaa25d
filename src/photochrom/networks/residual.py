"""The generator of study 003: a U-Net of residual blocks whose skips are added.

Every level halves the side with a 4 x 4 convolution; residual blocks of two 3 x 3 convolutions
stand between the convolutions that halve and those that double.
"""

from torch import Tensor, nn

from photochrom.networks.base import ColorNetwork, drops, init_normal
from photochrom.params.models import ResidualParams

SLOPE = 0.2


class ResidualBlock(nn.Module):
    """Two convolution blocks and a residual connection; the shape stays."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_convolution(channels), *_convolution(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Return features (N, C, H, W) with what the block adds to them."""
        added: Tensor = self.body(features)
        return features + added


class ResidualColorizer(ColorNetwork):
    """A residual U-Net for one gray channel."""

    def __init__(self, params: ResidualParams, out_channels: int) -> None:
        super().__init__()
        self.stride = 2**params.levels
        widths = [params.width * min(2**level, 8) for level in range(params.levels)]
        inputs, outputs = [1, *widths[:-1]], [out_channels, *widths[:-1]]
        self.down = nn.ModuleList(
            nn.Sequential(*_halving(inputs[i], widths[i], norm=i > 0), *_blocks(widths[i], params))
            for i in range(params.levels)
        )
        self.up = nn.ModuleList(
            nn.Sequential(*_blocks(widths[i], params), *_doubling(widths[i], outputs[i], i, params))
            for i in range(params.levels)
        )
        self.output = nn.Tanh() if params.output == "tanh" else nn.Identity()
        if params.init == "normal":
            init_normal(self)

    def forward(self, lightness: Tensor) -> Tensor:
        """Return raw output at full resolution."""
        features, skips = lightness, []
        for down in self.down:
            features = down(features)
            skips.append(features)
        features = skips.pop()
        for level in range(len(self.up) - 1, 0, -1):
            features = self.up[level](features) + skips.pop()
        raw: Tensor = self.output(self.up[0](features))
        return raw


def build(params: ResidualParams, out_channels: int) -> ResidualColorizer:
    """Make the network."""
    return ResidualColorizer(params, out_channels)


def _blocks(channels: int, params: ResidualParams) -> list[nn.Module]:
    return [ResidualBlock(channels) for _ in range(params.blocks)]


def _convolution(channels: int) -> list[nn.Module]:
    layer = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    return [layer, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


def _halving(inside: int, outside: int, *, norm: bool) -> list[nn.Module]:
    layer = nn.Conv2d(inside, outside, 4, stride=2, padding=1, bias=not norm)
    norms: list[nn.Module] = [nn.BatchNorm2d(outside)] if norm else []
    return [layer, *norms, nn.LeakyReLU(SLOPE)]


def _doubling(inside: int, outside: int, level: int, params: ResidualParams) -> list[nn.Module]:
    if level == 0:
        return [nn.ConvTranspose2d(inside, outside, 4, stride=2, padding=1)]
    layers: list[nn.Module] = [
        nn.ConvTranspose2d(inside, outside, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    ]
    if params.dropout and drops(level, params.levels):
        layers.append(nn.Dropout(params.dropout))
    return layers
