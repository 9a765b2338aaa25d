"""Reads the distributions of a trained network in several ways, and measures each.

Run it in the project's root, with a trained classification, as `photochrom`:

    python benchmarks/decoders.py photochrom

Decoders are trained anew on what the network, which stays as it is, says of the photographs to
train on. All are measured on those of validation. docs/flagship.md says what came out.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from photochrom.color.bins import gamut313
from photochrom.color.colorfulness import lab_colorfulness
from photochrom.color.decoding import AB_SCALE, annealed_mean
from photochrom.color.lab import decode_lab
from photochrom.colorizer.prediction import Predictor, resized
from photochrom.data.loader import to_batch
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet
from photochrom.evaluation.indicators import stray_color
from photochrom.evaluation.metrics import (
    Comparison,
    auc,
    auc_rebalanced,
    auc_weighted,
    bin_weights,
    ciede2000,
    colorfulness_delta,
)
from photochrom.networks.decoded import SHARES, Decoded
from photochrom.objectives import build_task
from photochrom.objectives.classification.decoded import (
    PRICE_RATE,
    SMOOTH,
    DecodedClassification,
    vividness,
)
from photochrom.objectives.targets import at_resolution
from photochrom.params import load_params
from photochrom.params.models import ModelParams
from photochrom.progress import track

BATCH, RATE, MEASURED = 32, 1e-3, 128
HEADINGS = "reading", "rebalanced", "weighted", "AuC", "dCF", "CIEDE2000", "stray %", "cyan %"


@dataclass(frozen=True)
class Seen:
    """Photographs (uint8 (N, 3, S, S)) and the features (N, F, h, w) of their distributions."""

    stored: Tensor
    features: Tensor

    @cached_property
    def lab(self) -> Tensor:
        """float32 (N, 3, S, S)."""
        return decode_lab(self.stored)


@dataclass(frozen=True)
class Way:
    """A way for a decoder to learn; the first of WAYS is photochrom's.

    Parameters
    ----------
    rarity, price : of the params.
    photograph : whether it sees the mean of the whole photograph.
    reach : side of the square of pixels whose distributions it sees at once.
    paid : for the colorfulness of ab of regions or of pixels, or for that of RGB of pixels.
    """

    name: str
    rarity: float = 0.25
    price: float | None = 0.3
    photograph: bool = True
    reach: int = 1
    paid: Literal["regions", "pixels", "rgb"] = "regions"


WAYS = (
    Way("learned, rarity 0.25"),
    Way("rarity 0", rarity=0.0),
    Way("rarity 0.5", rarity=0.5),
    Way("rarity 1", rarity=1.0),
    Way("without price", price=None),
    Way("blind to the photograph", photograph=False),
    Way("paid for pixels", paid="pixels"),
    Way("paid for RGB", paid="rgb"),
    Way("blind, paid for RGB", photograph=False, paid="rgb"),
    Way("sees 3 x 3 pixels", reach=3),
)


class Reader(nn.Module):
    """A decoder behind the last layer of a network; its input is set before each call."""

    def __init__(self, head: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder
        self._head = [head]
        self.features = torch.empty(0)
        self.lightness = torch.empty(0)

    def forward(self, lightness: Tensor) -> Tensor:
        """Return logits and ab / 110 for the features that were set."""
        self.lightness = lightness
        with torch.no_grad():
            logits = self._head[0](self.features.float())
        return torch.cat((logits, self.decoder(logits.softmax(1) * SHARES)), dim=1)


def main() -> None:
    """Measure every way of reading."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("model", help="An entry of params.yaml that is trained and has a decoder.")
    parser.add_argument("--steps", type=int, default=700, help="Steps of each decoder.")
    parser.add_argument("--part", type=int, default=3, help="Learn from every so manieth square.")
    options = parser.parse_args()
    model = load_params().models[options.model]
    network = Predictor.load(Path("models") / options.model).network
    assert isinstance(network, Decoded)
    head = network.network.head
    seen = _seen(network, "train", options.part)
    shown = _seen(network, "validation", 1)
    prior = Prior.load(Path("data/prior"))
    print(*HEADINGS, sep="\t")
    for name, ab in _read(model, head, seen, shown, options.steps, prior):
        print(name, *(f"{value:.2f}" for value in measured(ab, shown, prior)), sep="\t", flush=True)


_Raw = argparse.RawDescriptionHelpFormatter


def _read(
    model: ModelParams, head: nn.Module, seen: Seen, shown: Seen, steps: int, prior: Prior
) -> Iterator[tuple[str, Tensor]]:
    """Yield the name and the ab (N, 2, h, w) of every reading."""
    mean = means(head, shown, 1.0)
    yield "mean", mean
    yield "annealed mean, T 0.38", means(head, shown, 0.38)
    yield "mean, as colorful as the truth", as_colorful(mean, shown)
    for way in WAYS:
        task = decoder_task(model, way, prior)
        task.network = Reader(head, task.network.decoder)
        train(task, seen, steps)
        yield way.name, answers(task.network, shown)


def decoder_task(model: ModelParams, way: Way, prior: Prior) -> DecodedClassification:
    """Make the objective with a decoder of another kind."""
    decoder = model.objective.decoder.model_copy(update={"rarity": way.rarity, "price": way.price})
    objective = model.objective.model_copy(update={"decoder": decoder})
    plain = model.network.model_copy(update={"pretrained": False})
    entry = model.model_copy(update={"objective": objective, "network": plain})
    torch.manual_seed(0)
    task = build_task(entry, prior.rebalancing_weights(objective))
    assert isinstance(task, DecodedClassification)
    own = task.network.decoder
    own.pixel = nn.Conv2d(len(task.bins), decoder.width, way.reach, padding=way.reach // 2)
    if not way.photograph:
        own.photograph.requires_grad_(False).weight.zero_()
    if way.paid != "regions":
        task.gain = partial({"pixels": _of_pixels, "rgb": _of_rgb}[way.paid], task)
    return task


def _of_pixels(_: DecodedClassification, shown: Tensor) -> Tensor:
    return lab_colorfulness(shown, SMOOTH).mean()


def _of_rgb(task: DecodedClassification, shown: Tensor) -> Tensor:
    """Return the colorfulness that is measured, halved to be about as large as that of ab."""
    return vividness(at_resolution(task.network.lightness, shown), shown) / 2


def train(task: DecodedClassification, seen: Seen, steps: int) -> None:
    """Train a decoder, and its price as the engine does."""
    optimizer = torch.optim.AdamW(task.network.decoder.parameters(), RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in track(range(steps), "Training a decoder", steps):
        rows = torch.randint(len(seen.stored), (BATCH,))
        task.network.features = seen.features[rows]
        for turn in task.turns(to_batch(seen.stored[rows])):
            task.zero_grad(set_to_none=True)
            turn.loss.backward()
            if turn.player == "price":
                task.price.value.data -= PRICE_RATE * task.price.value.grad
            else:
                optimizer.step()
        schedule.step()


@torch.inference_mode()
def answers(reader: Reader, shown: Seen) -> Tensor:
    """Return the learned ab (N, 2, h, w)."""
    parts = []
    for features in shown.features.split(MEASURED):
        reader.features = features
        parts.append(reader(torch.empty(0))[:, -2:] * AB_SCALE)
    return torch.cat(parts)


@torch.inference_mode()
def means(head: nn.Module, shown: Seen, temperature: float) -> Tensor:
    """Return the annealed mean (N, 2, h, w)."""
    parts = shown.features.split(MEASURED)
    return torch.cat([annealed_mean(head(p.float()), gamut313(), temperature) for p in parts])


def as_colorful(ab: Tensor, shown: Seen) -> Tensor:
    """Multiply ab by the factor that makes it as colorful as the truth on average."""
    low, high = 0.5, 8.0
    for _ in range(10):
        middle = (low + high) / 2
        pale = _delta(middle * ab, shown) < 0
        low, high = (middle, high) if pale else (low, middle)
    return ab * low


def _delta(ab: Tensor, shown: Seen) -> float:
    found = [colorfulness_delta(pair) for pair in _pairs(ab, shown)]
    return float(torch.cat(found).mean())


def measured(ab: Tensor, shown: Seen, prior: Prior) -> list[float]:
    """Return both weighted AuCs, AuC, the difference in colorfulness, CIEDE2000, stray and cyan."""
    weights, pairs = bin_weights(prior), list(_pairs(ab, shown))
    rare = _weighted([auc_rebalanced(pair, weights["auc_rebalanced"]) for pair in pairs])
    even = _weighted([auc_weighted(pair, weights["auc_weighted"]) for pair in pairs])
    plain = [
        float(torch.cat([measure(pair) for pair in pairs]).mean())
        for measure in (auc, colorfulness_delta, ciede2000, stray_color, _cyan)
    ]
    return [rare, even, *plain]


def _cyan(pair: Comparison) -> Tensor:
    """Return how many percent of the predicted pixels are cyan; of true ones 0.2 % are."""
    a, b = pair.predicted.unbind(1)
    return ((a < -18) & (b < -8)).float().mean((1, 2)) * 100


def _weighted(parts: list[tuple[Tensor, Tensor]]) -> float:
    values, weights = (torch.cat(one).double() for one in zip(*parts, strict=True))
    return float((values * weights).sum() / weights.sum())


def _pairs(ab: Tensor, shown: Seen) -> Iterator[Comparison]:
    """Yield truth and prediction at full resolution, some photographs at a time."""
    for lab, part in zip(shown.lab.split(MEASURED), ab.split(MEASURED), strict=True):
        yield Comparison(lab[:, :1], lab[:, 1:], resized(part, lab.shape[-2:]))


@torch.inference_mode()
def _seen(network: Decoded, split: str, part: int) -> Seen:
    photographs = LabSet.open(Path("data/lab"), split)
    rows = torch.arange(0, len(photographs), part)
    stored = torch.from_numpy(photographs.take(rows.numpy()))
    caught: list[Tensor] = []
    # As in training, where the decoder sees one look at a photograph.
    network.network.mirrored = False
    hook = network.network.head.register_forward_pre_hook(
        lambda _, given: caught.append(given[0].bfloat16())
    )
    pieces = stored.split(MEASURED)
    for piece in track(pieces, f"Features of {split}", len(pieces)):
        network(to_batch(piece).lightness)
    hook.remove()
    return Seen(stored, torch.cat(caught).clone())


if __name__ == "__main__":
    main()
