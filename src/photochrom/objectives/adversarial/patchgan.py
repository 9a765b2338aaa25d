"""The patch discriminator of pix2pix (Isola et al. 2017): is each patch's color real.

4 x 4 convolutions with strides 2 (``layers`` times), 1 and 1; 3 layers see patches of 70 x 70.
"""

from itertools import pairwise

from torch import Tensor, nn

from photochrom.networks.base import init_normal
from photochrom.params.models import PatchGANParams


class PatchGAN(nn.Module):
    """Judges L, a and b together."""

    def __init__(self, params: PatchGANParams) -> None:
        super().__init__()
        widths = [params.width * min(2**level, 8) for level in range(params.layers + 1)]
        layers: list[nn.Module] = [_convolution(3, widths[0], stride=2), nn.LeakyReLU(0.2)]
        for level, (inside, outside) in enumerate(pairwise(widths), start=1):
            stride = 2 if level < params.layers else 1
            layers += [
                _convolution(inside, outside, stride, bias=False),
                nn.BatchNorm2d(outside),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, _convolution(widths[-1], 1, stride=1))
        if params.init == "normal":
            init_normal(self)

    def forward(self, lab: Tensor) -> Tensor:
        """Return one logit per patch (N, 1, h, w) of normalised L, a, b (N, 3, H, W) in -1..1."""
        logits: Tensor = self.layers(lab)
        return logits


def _convolution(inside: int, outside: int, stride: int, *, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 4, stride, padding=1, bias=bias)
