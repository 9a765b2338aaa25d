"""Inception-v3 of 2015, whose features KID and FID are published on.

torch-fidelity holds the network as it was in TensorFlow, its enlarging to 299 pixels included.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from photochrom import hardware
from photochrom.evaluation.perception.published import EXTRA, INCEPTION
from photochrom.evaluation.perception.refusal import PerceptionError, importing

WIDTH = 2048
AT_ONCE = 16


@dataclass(frozen=True)
class Inception:
    """Inception-v3 in float32, for numbers that compare with published ones.

    Attributes
    ----------
    network : torch-fidelity's, in evaluation mode.
    device : where it computes.
    """

    network: Any
    device: torch.device

    @classmethod
    def open(cls, path: Path) -> Self:
        """Load the weights.

        Raises
        ------
        PerceptionError
            If torch-fidelity is missing, or the file does not hold the network's weights.
        """
        with importing("torch-fidelity", EXTRA):
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        # torch-fidelity would run code that a file holds; this refuses such a file before.
        INCEPTION.load(path)
        try:
            network = FeatureExtractorInceptionV3("inception", [str(WIDTH)], str(path))
        except (RuntimeError, TypeError) as error:
            reason = f"Inception's weights do not fit: {str(error).splitlines()[0]}"
            raise PerceptionError(INCEPTION.damage(path, reason)) from None
        where = hardware.device()
        return cls(network.to(where), where)

    @torch.inference_mode()
    def __call__(self, rgb: Tensor) -> Tensor:
        """Return the features of the last pooling, float32 (n, 2048), of uint8 (n, 3, H, W)."""
        parts = (part.to(self.device) for part in rgb.split(AT_ONCE))
        return torch.cat([self.network(part)[0] for part in parts]).cpu()
