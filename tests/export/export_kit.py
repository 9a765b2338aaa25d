"""The models of params.yaml with small networks of drawn weights."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from photochrom.color.bins import bins, output_channels
from photochrom.colorizer.prediction import Predictor
from photochrom.colorizer.stored import FORMAT
from photochrom.networks import ColorNetwork, build_network
from photochrom.networks.base import count_parameters
from photochrom.params import ModelParams, load_params

ROOT = Path(__file__).resolve().parents[2]
PARAMS = load_params(ROOT / "params.yaml")
SIDE = 64
LEAST = {
    "levels": 3,
    "blocks": 1,
    "depth": 18,
    "pretrained": False,
    "dropout": 0.0,
    "init": "default",
}
"""Of a network: the exporter's time goes with its layers, and neither dropout nor how it was
initialized is in what is exported."""


def narrow(params: Any) -> Any:
    """Make a network narrow and shallow, with every kind of layer that it has."""
    values = params.model_dump()
    if "width" in values:
        values["width"] = {"vgg": 0.05, "efficientnet": 0.25}.get(values["kind"], 4)
    values |= {key: least for key, least in LEAST.items() if key in values}
    if "grid" in values:
        values["grid"] = SIDE // 16
    return type(params).model_validate(values)


def entry(name: str) -> ModelParams:
    model = PARAMS.models[name]
    return model.model_copy(update={"network": narrow(model.network)})


def models() -> dict[str, ModelParams]:
    """The different models there are, under the names of all that are alike but for training."""
    found: dict[str, tuple[list[str], ModelParams]] = {}
    for name in PARAMS.models:
        model = entry(name)
        objective = model.objective
        bins_and_decoder = [getattr(objective, key, None) for key in ("bins", "decoder")]
        likeness = repr((model.network, bins_and_decoder, model.decoding))
        found.setdefault(likeness, ([], model))[0].append(name)
    return {"+".join(names): model for names, model in found.values()}


def drawn(model: ModelParams, seed: int = 0) -> ColorNetwork:
    """A network whose output is as spread as that of a trained one."""
    torch.manual_seed(seed)
    chosen = getattr(model.objective, "bins", None)
    channels = output_channels(bins(chosen) if chosen else None)
    decoder = getattr(model.objective, "decoder", None)
    network = build_network(model.network, channels, decoder.width if decoder else None)
    *_, last = (m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))
    with torch.no_grad():
        last.weight *= 20.0 if chosen else 2.0
    return network.eval()


def predictor_of(model: ModelParams) -> Predictor:
    network, chosen = drawn(model), getattr(model.objective, "bins", None)
    return Predictor(
        network=network,
        stride=network.stride,
        decoding=model.decoding,
        bins=bins(chosen) if chosen else None,
        size=SIDE,
        device=torch.device("cpu"),
    )


def write_model(folder: Path, model: ModelParams, **changes: Any) -> Path:
    """Write config.json and weights.safetensors as the stage ``train`` does."""
    folder.mkdir(parents=True)
    network = drawn(model)
    save_file(dict(network.state_dict()), folder / "weights.safetensors")
    config = {
        "format": FORMAT,
        "model": folder.name,
        "study": model.study,
        "network": model.network.model_dump(),
        "objective": model.objective.model_dump(),
        "decoding": model.decoding.model_dump(),
        "image_size": SIDE,
        "parameters": count_parameters(network),
        **changes,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder
