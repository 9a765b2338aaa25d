"""LPIPS: the learned perceptual distance of Zhang et al. (2018), on AlexNet.

torchmetrics holds the metric with its five learned layers; AlexNet's weights are torchvision's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from photochrom import hardware
from photochrom.evaluation.perception.published import ALEXNET, EXTRA
from photochrom.evaluation.perception.refusal import PerceptionError, importing

SMALLEST = 31
"""AlexNet's second pooling leaves nothing of a smaller side."""
AT_ONCE = 16


@dataclass(frozen=True)
class Lpips:
    """LPIPS in float32.

    Attributes
    ----------
    network : torchmetrics', in evaluation mode.
    device : where it computes.
    """

    network: Any
    device: torch.device

    @classmethod
    def open(cls, path: Path) -> Self:
        """Load AlexNet's weights.

        Raises
        ------
        PerceptionError
            If torchmetrics is missing, or the file does not hold AlexNet's weights.
        """
        with importing("torchmetrics", EXTRA):
            from torchmetrics.functional.image.lpips import _LPIPS
        network = _LPIPS(pretrained=True, net="alex", pnet_rand=True)
        _load_alexnet(network.net, path)
        where = hardware.device()
        return cls(network.to(where).eval(), where)

    @torch.inference_mode()
    def __call__(self, truth: Tensor, shown: Tensor) -> Tensor:
        """Return the distance of each pair (float32 (n,), 0 for the same).

        Parameters
        ----------
        truth, shown : uint8 (n, 3, H, W) of at least 31 pixels a side, at their own size.
        """
        pairs = zip(truth.split(AT_ONCE), shown.split(AT_ONCE), strict=True)
        return torch.cat([self._compare(*pair) for pair in pairs]).cpu()

    def _compare(self, truth: Tensor, shown: Tensor) -> Tensor:
        # The network takes -1..1.
        first, second = (part.to(self.device).float() / 127.5 - 1.0 for part in (truth, shown))
        distances: Tensor = self.network(first, second)
        return distances.flatten()


def _load_alexnet(network: nn.Module, path: Path) -> None:
    """Load AlexNet's convolutions; torchmetrics cuts them into slices but keeps their numbers."""
    published = ALEXNET.load(path)
    own = network.state_dict()
    try:
        tensors = {name: published[f"features.{name.split('.', 1)[1]}"] for name in own}
        network.load_state_dict(tensors)
    except (KeyError, RuntimeError) as error:
        reason = f"AlexNet's weights do not fit: {str(error).splitlines()[0]}"
        raise PerceptionError(ALEXNET.damage(path, reason)) from None
