"""The network of Zhang, Isola and Efros (Colorful Image Colorization, 2016).

VGG-style blocks of 3 x 3 convolutions with ReLU, each block ended by one BatchNorm; two blocks
dilated instead of strided; one deconvolution; output at 1/4 resolution. With width 1 and 313
bins it has 32.2 M parameters.
"""

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor, nn

from photochrom.networks.base import ColorNetwork
from photochrom.params.models import VGGParams

# Output channels of each convolution of a block, the stride of its last, its dilation.
BLOCKS: tuple[tuple[tuple[int, ...], int, int], ...] = (
    ((64, 64), 2, 1),
    ((128, 128), 2, 1),
    ((256, 256, 256), 2, 1),
    ((512, 512, 512), 1, 1),
    ((512, 512, 512), 1, 2),
    ((512, 512, 512), 1, 2),
    ((512, 512, 512), 1, 1),
)
HEAD = 256


class VGGColorizer(ColorNetwork):
    """Zhang et al. 2016 with every channel count multiplied by ``width``."""

    stride = 8

    def __init__(self, params: VGGParams, out_channels: int) -> None:
        super().__init__()
        head = _scaled(HEAD, params.width)
        last = _scaled(BLOCKS[-1][0][-1], params.width)
        self.body = nn.Sequential(*_body(params.width))
        self.head = nn.Sequential(
            nn.ConvTranspose2d(last, head, 4, stride=2, padding=1),
            nn.ReLU(inplace=True),
            *_convolution(head, head),
            *_convolution(head, head),
            nn.Conv2d(head, out_channels, 1),
        )

    def forward(self, lightness: Tensor) -> Tensor:
        """Return raw output at 1/4 resolution."""
        raw: Tensor = self.head(self.body(lightness))
        return raw


def build(params: VGGParams, out_channels: int) -> VGGColorizer:
    """Make the network."""
    return VGGColorizer(params, out_channels)


def _body(width: float) -> Iterator[nn.Module]:
    before = 1
    for channels, stride, dilation in BLOCKS:
        chain = [before, *(_scaled(count, width) for count in channels)]
        for place, (inside, outside) in enumerate(pairwise(chain), start=1):
            yield from _convolution(
                inside, outside, stride if place == len(channels) else 1, dilation
            )
        before = chain[-1]
        yield nn.BatchNorm2d(before)


def _convolution(inside: int, outside: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(inside, outside, 3, stride, padding=dilation, dilation=dilation)
    return [layer, nn.ReLU(inplace=True)]


def _scaled(channels: int, width: float) -> int:
    return max(8, round(channels * width / 8) * 8)
