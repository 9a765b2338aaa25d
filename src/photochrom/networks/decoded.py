"""A network of distributions with a small one behind it that has learned to read them.

Zhang et al. 2016 read a distribution by one temperature for all. Which color is best shown depends
on the distribution: a sky that can only be blue may be as blue as skies are, what may be anything
had better stay pale. The decoder sees one pixel's distribution at a time and the mean of what it
has seen of the whole photograph, but never where a pixel lies nor what lies beside it, so that it
cannot put colors where the distribution has no reason for them.
"""

import torch
from torch import Tensor, nn

from photochrom.networks.base import ColorNetwork

SHARES = 40.0
"""Probabilities are multiplied by this: of 313 bins even the likeliest seldom has more than 0.1."""


class Decoder(nn.Module):
    """Reads each pixel's distribution in the light of all of the photograph's.

    Parameters
    ----------
    bins : how many.
    width : channels of its two hidden layers.
    """

    def __init__(self, bins: int, width: int) -> None:
        super().__init__()
        self.pixel = nn.Conv2d(bins, width, 1)
        self.photograph = nn.Conv2d(width, width, 1, bias=False)
        self.joined = nn.Conv2d(width, width, 1)
        self.color = nn.Conv2d(width, 2, 1)

    def forward(self, shares: Tensor) -> Tensor:
        """Return the ab / 110 to show (N, 2, h, w) for probabilities times SHARES (N, Q, h, w)."""
        seen = self.pixel(shares).relu()
        photograph = self.photograph(seen.mean((2, 3), keepdim=True))
        color: Tensor = self.color((self.joined(seen) + photograph).relu())
        return color


class Decoded(ColorNetwork):
    """A network and its decoder.

    Parameters
    ----------
    network : gives logits over the bins.
    bins : how many.
    width : channels of the decoder's two hidden layers.
    """

    def __init__(self, network: ColorNetwork, bins: int, width: int) -> None:
        super().__init__()
        self.stride = network.stride
        self.network = network
        self.decoder = Decoder(bins, width)

    def forward(self, lightness: Tensor) -> Tensor:
        """Return the logits, and behind them the ab / 110 to show (N, Q + 2, h, w).

        The decoder learns to read the distribution; no gradient goes from it to the network.
        """
        logits = self.network(lightness)
        shares = logits.detach().float().softmax(1) * SHARES
        return torch.cat((logits, self.decoder(shares).to(logits.dtype)), dim=1)

    def lr_scales(self) -> dict[str, float]:
        """Return those of the network."""
        return {f"network.{prefix}": scale for prefix, scale in self.network.lr_scales().items()}
