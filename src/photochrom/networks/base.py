"""What all colorizing networks have in common."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

INIT_STD = 0.02
DROPPED_LEVELS = 3


class WeightsError(Exception):
    """Pretrained weights cannot be had; the message says where to get and put them."""


class ColorNetwork(nn.Module, ABC):
    """Gray in, raw output out.

    Attributes
    ----------
    stride : height and width of the input must be multiples of this.
    repeats : how often each number of the raw output is repeated in both directions at the end.
        Where that is more than 1, ``forward(lightness, repeated=False)`` leaves the repetition
        out: what compares raw output with the truth need not see every number several times.
    """

    stride: int
    repeats: int = 1

    @abstractmethod
    def forward(self, lightness: Tensor) -> Tensor:
        """Compute the raw output.

        Parameters
        ----------
        lightness : tensor (N, 1, H, W), L / 50 - 1, in -1..1.

        Returns
        -------
        Tensor (N, C, h, w), h = H or an integer fraction of it: ab / 110 or logits over bins.
        """

    def lr_scales(self) -> dict[str, float]:
        """Return, by the beginning of their parameters' names, which parts learn slower.

        The values are shares of the optimizer's learning rate.
        """
        return {}


def count_parameters(module: nn.Module) -> int:
    """Return how many numbers a module trains."""
    return sum(parameter.numel() for parameter in module.parameters())


def drops(level: int, levels: int) -> bool:
    """Return whether a U-Net's decoder level has dropout: the innermost three but the deepest.

    Isola et al. 2017; level 0 is the outermost and never drops.
    """
    deepest = levels - 1
    return 0 < level < deepest and level >= deepest - DROPPED_LEVELS


def init_normal(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02), norms from N(1, 0.02), zero biases (Isola et al. 2017)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, INIT_STD)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, INIT_STD)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
