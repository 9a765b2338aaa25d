"""The public face: a trained network and its decoding; L in, ab out, at any size."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from pydantic import BaseModel, PositiveInt
from safetensors.torch import load_file
from torch import Tensor, nn

from photochrom import hardware
from photochrom.color.batch import normalised, photographs_at_once
from photochrom.color.bins import Bins, BinsName, bins
from photochrom.color.decoding import decode
from photochrom.color.lab import lab_to_rgb8, rgb_to_lab
from photochrom.files import read_json
from photochrom.networks import ColorNetwork, build_network
from photochrom.params.models import Decoding, Network
from photochrom.pictures import to_rgb, upright

FORMAT = 2
LONGEST = 8
"""Photographs are enlarged to at most so many times the working size on their longer side."""


class Config(BaseModel):
    """What config.json says of a trained model."""

    network: Network
    objective: dict[str, Any]
    decoding: Decoding
    image_size: PositiveInt


class ColorizerError(Exception):
    """A folder that holds no usable colorizer; the message says why."""


@dataclass(frozen=True)
class Colorizer:
    """Gives colors to gray photographs.

    Attributes
    ----------
    network : takes L / 50 - 1, gives raw output.
    stride : its input's sides must be multiples of this.
    decoding : how raw output becomes ab.
    bins : the bins of its logits; None where it gives ab.
    size : the shorter side in pixels at which it works, rounded to a multiple of the stride.
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
        where = device or hardware.device()
        chosen: BinsName | None = config.objective.get("bins")
        network = _network(config, folder / "weights.safetensors").to(where).eval()
        return cls(
            network=network,
            stride=network.stride,
            decoding=decoding or config.decoding,
            bins=bins(chosen) if chosen else None,
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
        observe : called with the raw output (n, C, h, w) of each piece of the photographs that the
            network takes at once, in their order; what it keeps of that is its own affair.

        Returns
        -------
        float32 tensor (N, 2, H, W) of ab, on the same device as ``lightness``. Photographs whose
        shorter side is not the working size are scaled to it (narrow strips as far as memory
        goes), and ab is scaled back (bicubic).
        """
        height, width = lightness.shape[-2:]
        working = self._to_working_size(normalised(lightness.to(self.device).float()))
        padded = _padded(working, self.stride)
        channels = 2 if self.bins is None else len(self.bins)
        pieces = padded.split(photographs_at_once(channels, padded))
        ab = torch.cat([self._decoded(piece, observe) for piece in pieces])
        ab = _resized(ab, padded.shape[-2:])[..., : working.shape[-2], : working.shape[-1]]
        return _resized(ab, (height, width)).to(lightness.device)

    def _decoded(self, piece: Tensor, observe: Callable[[Tensor], None] | None) -> Tensor:
        raw = self.network(piece)
        if observe is not None:
            observe(raw)
        return decode(raw, self.decoding, self.bins)

    def __call__(self, photograph: Image.Image) -> Image.Image:
        """Color a photograph of any size and mode, turned upright; its own luminance is kept."""
        pixels = torch.from_numpy(np.array(to_rgb(upright(photograph)))).movedim(-1, 0)[None]
        lightness = rgb_to_lab(pixels.float() / 255.0)[:, :1]
        lab = torch.cat((lightness, self.predict_ab(lightness)), dim=1)
        return Image.fromarray(lab_to_rgb8(lab)[0].movedim(0, -1).numpy())

    def _to_working_size(self, gray: Tensor) -> Tensor:
        height, width = gray.shape[-2:]
        # Of a whole multiple of the stride nothing need be padded on the shorter side.
        size = max(1, round(self.size / self.stride)) * self.stride
        # A strip of few pixels is not enlarged to a picture that no memory holds.
        longest = max(1.0, LONGEST * size / max(height, width))
        scale = min(size / min(height, width), longest)
        if scale == 1.0:
            return gray
        target = (max(1, round(height * scale)), max(1, round(width * scale)))
        if scale > 1.0:
            return F.interpolate(gray, target, mode="bicubic", align_corners=False)
        return F.interpolate(gray, target, mode="bilinear", antialias=True, align_corners=False)


def read_config(folder: Path) -> Config:
    """Read a trained model's config.json.

    Raises
    ------
    ColorizerError
        If it is missing, damaged or of another format.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise ColorizerError(f"{folder} holds no trained model: run `dvc repro` to train it.")
    try:
        values: dict[str, Any] = dict(read_json(path))
        found = values.get("format")
        if found != FORMAT:
            raise ColorizerError(f"{path} is of format {found}, not {FORMAT}: train it again.")
        return Config.model_validate(values)
    except (TypeError, ValueError) as error:
        raise ColorizerError(f"{path} cannot be used: {_one_line(error)}") from None


def _network(config: Config, weights: Path) -> ColorNetwork:
    params, chosen = config.network, config.objective.get("bins")
    if "pretrained" in type(params).model_fields:
        # The weights come from the file; what they started from plays no part any more.
        params = params.model_copy(update={"pretrained": False})
    network = build_network(params, len(bins(chosen)) if chosen else 2)
    try:
        network.load_state_dict(load_file(weights))
    except Exception as error:
        raise ColorizerError(f"{weights} cannot be loaded: {_one_line(error)}") from None
    return network.to(memory_format=torch.channels_last)


def _one_line(error: Exception) -> str:
    return shorten(str(error), 200)


def _padded(gray: Tensor, stride: int) -> Tensor:
    height, width = gray.shape[-2:]
    extra = (-height % stride, -width % stride)
    if extra == (0, 0):
        return gray
    return F.pad(gray, (0, extra[1], 0, extra[0]), mode="replicate")


def _resized(ab: Tensor, size: tuple[int, ...]) -> Tensor:
    if ab.shape[-2:] == size:
        return ab
    return F.interpolate(ab, size, mode="bicubic", align_corners=False)
