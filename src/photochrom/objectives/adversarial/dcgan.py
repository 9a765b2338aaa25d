"""The discriminator of a DCGAN (Radford et al. 2016), conditional: is the whole picture real.

4 x 4 convolutions of stride 2 (``layers`` times), then one over 4 x 4 without a margin: a picture
of 2^(layers + 2) pixels gets a single verdict, a larger one a verdict per window of that side.
"""

from itertools import pairwise

from torch import Tensor, nn

from photochrom.networks.base import init_normal
from photochrom.params.models import DCGANParams


class DCGAN(nn.Module):
    """Judges L, a and b together."""

    def __init__(self, params: DCGANParams) -> None:
        super().__init__()
        widths = [params.width * min(2**level, 8) for level in range(params.layers)]
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 2, padding=1), nn.LeakyReLU(0.2)]
        for inside, outside in pairwise(widths):
            layers += [
                nn.Conv2d(inside, outside, 4, 2, padding=1, bias=False),
                nn.BatchNorm2d(outside),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4))
        if params.init == "normal":
            init_normal(self)

    def forward(self, lab: Tensor) -> Tensor:
        """Return logits (N, 1, h, w) of normalised L, a, b (N, 3, H, W) in -1..1."""
        logits: Tensor = self.layers(lab)
        return logits
