"""A trained network and its decoding: L in, ab out, at any size."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photochrom import hardware
from photochrom.color.batch import AT_ONCE, normalised, photographs_at_once
from photochrom.color.bins import Bins, output_channels
from photochrom.color.decoding import decode
from photochrom.colorizer.stored import load_network, read_config
from photochrom.params.models import Decoding

ROUNDED_UP = 0.45
"""From this part of a stride on, sides become the next multiple. At half lie many prints (5 : 4 at
96 px in steps of 16), whose colors would then hang on a pixel more or less."""

LONGEST = 8
"""The longer side is at most so many times the working size: no strip becomes a giant picture."""


@dataclass(frozen=True)
class Predictor:
    """Predicts the colors of gray photographs.

    Attributes
    ----------
    network : takes L / 50 - 1, gives raw output.
    stride : its input's sides must be multiples of this.
    decoding : how raw output becomes ab.
    bins : the bins of its logits; None where it gives ab.
    size : the shorter side in pixels at which it works, but for the stride.
    device : where it computes.
    """

    network: nn.Module
    stride: int
    decoding: Decoding
    bins: Bins | None
    size: int
    device: torch.device

    @classmethod
    def load(
        cls, folder: Path, decoding: Decoding | None = None, device: torch.device | None = None
    ) -> Self:
        """Load a trained model.

        Parameters
        ----------
        folder : holds config.json and weights.safetensors, as the stage ``train`` writes them.
        decoding : instead of the one it was trained with.
        device : where to compute; None chooses.

        Raises
        ------
        ColorizerError
            If files are missing, of another format, or do not fit together.
        """
        config = read_config(folder)
        network = load_network(folder, config)
        where = device or hardware.device()
        return cls(
            network=network.to(where),
            stride=network.stride,
            decoding=decoding or config.decoding,
            bins=config.bins,
            size=config.image_size,
            device=where,
        )

    @torch.inference_mode()
    def predict_ab(
        self, lightness: Tensor, observe: Callable[[Tensor], None] | None = None
    ) -> Tensor:
        """Predict the colors of gray photographs.

        Parameters
        ----------
        lightness : float tensor (N, 1, H, W), L in 0..100; any height and width.
        observe : called with the logits (n, Q, h, w), or ab / 110, of each piece of the photographs
            that the network takes at once, in their order; what it keeps of them is its own affair.

        Returns
        -------
        float32 tensor (N, 2, H, W) of ab, on the same device as ``lightness``. Photographs that
        are not as :meth:`scaled` wants them are scaled, and ab is scaled back (bicubic).
        """
        working = self.scaled(lightness.to(self.device))
        pieces = working.split(photographs_at_once(output_channels(self.bins), working))
        ab = torch.cat([self._predicted(piece, observe) for piece in pieces])
        return resized(ab, lightness.shape[-2:]).to(lightness.device)

    def _predicted(self, piece: Tensor, observe: Callable[[Tensor], None] | None) -> Tensor:
        raw = self.raw(piece)
        if observe is not None:
            observe(raw if self.bins is None else self.bins.logits(raw))
        return self.ab(raw, piece.shape[-2:])

    def scaled(self, lightness: Tensor, size: int | None = None) -> Tensor:
        """Scale L (N, 1, H, W) so that its shorter side has about the working size.

        Both sides become multiples of the stride, so that photographs are stretched a little: by 8
        percent at most at 96 px in steps of 16, by up to 45 where the stride is the working size.
        To pad them instead would show the network, and what looks at the whole photograph, a border
        that is none of it.

        Parameters
        ----------
        size : instead of the model's own. A long strip is scaled to :data:`LONGEST` times as much
            on its longer side.
        """
        side = self._multiple(size or self.size)
        height, width = lightness.shape[-2:]
        scale = min(side / min(height, width), LONGEST * side / max(height, width))
        target = self._multiple(height * scale), self._multiple(width * scale)
        if target == (height, width):
            return lightness.float()
        # As the stage lab scales what networks learn from: a smoother filter gave bolder colors.
        return F.interpolate(
            lightness.float(), target, mode="bicubic", antialias=True, align_corners=False
        ).clamp(0.0, 100.0)

    def _multiple(self, side: float) -> int:
        """Return the multiple of the stride that a side in pixels becomes."""
        return max(1, math.floor(side / self.stride + 1 - ROUNDED_UP)) * self.stride

    @torch.inference_mode()
    def raw(self, lightness: Tensor) -> Tensor:
        """Return the network's raw output (N, C, h, w) for L (N, 1, H, W) as :meth:`scaled`."""
        raw: Tensor = self.network(normalised(lightness.float()))
        return raw

    @torch.inference_mode()
    def ab(self, raw: Tensor, size: tuple[int, ...], decoding: Decoding | None = None) -> Tensor:
        """Decode raw output and bring it to the size (H, W) of the lightness that it came from.

        Parameters
        ----------
        raw : as :meth:`raw` gives it.
        decoding : instead of the model's own.

        Returns
        -------
        float32 tensor (N, 2, H, W).
        """
        return resized(self.decoded(raw, decoding), size)

    @torch.inference_mode()
    def decoded(self, raw: Tensor, decoding: Decoding | None = None) -> Tensor:
        """Decode raw output (N, C, h, w) to float32 ab (N, 2, h, w), as :meth:`ab` does."""
        # A softmax over all bins needs the memory of raw output twice more: some rows at a time.
        rows = max(1, AT_ONCE // raw[:, :, :1].numel())
        parts = [decode(part, decoding or self.decoding, self.bins) for part in raw.split(rows, 2)]
        return torch.cat(parts, 2)


def resized(ab: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return ab (N, 2, h, w) at a size (H, W), bicubic."""
    if ab.shape[-2:] == torch.Size(size):
        return ab
    return F.interpolate(ab, size, mode="bicubic", align_corners=False)
