"""A trained model in its folder: config.json and weights.safetensors."""

from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from pydantic import BaseModel, PositiveInt, ValidationError
from safetensors.torch import load_file
from torch import Tensor

from photochrom.color.bins import Bins, BinsName, bins, output_channels
from photochrom.files import file_digest, read_json
from photochrom.networks import ColorNetwork, build_network
from photochrom.params.models import Decoding, Network

FORMAT = 2
CONFIG, WEIGHTS = "config.json", "weights.safetensors"


class ColorizerError(Exception):
    """A folder that holds no usable model; the message says why."""


class Config(BaseModel):
    """What config.json says of a trained model."""

    network: Network
    objective: dict[str, Any]
    decoding: Decoding
    image_size: PositiveInt
    model: str = ""
    study: str = ""
    parameters: int | None = None
    sha256: str | None = None
    """Of weights.safetensors, where the model was packed for others; checked on loading."""

    @property
    def bins(self) -> Bins | None:
        """The bins of the network's logits; None where it gives ab."""
        chosen: BinsName | None = self.objective.get("bins")
        return bins(chosen) if chosen else None


def read_config(folder: Path) -> Config:
    """Read a trained model's config.json.

    Raises
    ------
    ColorizerError
        If it is missing, damaged or of another format.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise ColorizerError(f"{folder} holds no trained model: run `dvc repro` to train it.")
    try:
        values: dict[str, Any] = dict(read_json(path))
        found = values.get("format")
        if found != FORMAT:
            raise ColorizerError(f"{path} is of format {found}, not {FORMAT}: train it again.")
        return Config.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        why = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}; train it again, or get it anew"
        raise ColorizerError(f"{path} cannot be used: {why}.") from None
    except (TypeError, ValueError) as error:
        raise ColorizerError(f"{path} cannot be used: {_one_line(error)}") from None


def load_network(folder: Path, config: Config) -> ColorNetwork:
    """Build a network and load its weights; those in float16 become float32.

    Raises
    ------
    ColorizerError
        If the weights are missing, damaged, of another network, or not those that were packed.
    """
    params, path = config.network, folder / WEIGHTS
    if "pretrained" in type(params).model_fields:
        # The weights come from the file; what they started from plays no part any more.
        params = params.model_copy(update={"pretrained": False})
    decoder = config.objective.get("decoder")
    width = decoder["width"] if decoder else None
    network = build_network(params, output_channels(config.bins), width)
    try:
        _check(path, config.sha256)
        _fill(network, load_file(path))
    except Exception as error:
        raise ColorizerError(f"{path} cannot be loaded: {_one_line(error)}") from None
    return network.to(memory_format=torch.channels_last).eval()


def _check(path: Path, sha256: str | None) -> None:
    if sha256 is None:
        return
    found = file_digest(path)
    if found != sha256:
        raise ValueError(
            f"its SHA-256 is {found[:12]}.., not {sha256[:12]}..; it is damaged, get it again"
        )


def _fill(network: ColorNetwork, tensors: dict[str, Tensor]) -> None:
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        difference = shorten(str(error).split(":", 1)[-1], 80)
        raise ValueError(
            "its layers are not those that this version builds for its config.json: train it "
            f"again, or get it anew ({difference})"
        ) from None


def _one_line(error: Exception) -> str:
    return shorten(str(error), 200)
