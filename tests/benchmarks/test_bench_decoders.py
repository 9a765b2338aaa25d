"""Ways of reading distributions: what is measured of them, and what a trained reader learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import decoders
from decoders import WAYS
from photochrom.color.bins import gamut313
from photochrom.color.lab import encode_rgb8
from photochrom.data.prior import Prior
from photochrom.networks import build_network
from photochrom.params import load_params

PARAMS = load_params(Path(__file__).parents[2] / "params.yaml")
MODEL = PARAMS.models["photochrom"]
SIDE, FEATURES = 16, 8


def colorful(count: int) -> Tensor:
    """Squares whose left and right halves have colors of their own (uint8 (N, 3, S, S))."""
    generator = np.random.default_rng(0)
    halves = generator.integers(60, 200, (count, 1, 2, 3))
    rgb = halves.repeat(SIDE, 1).repeat(SIDE // 2, 2).astype(np.uint8)
    return torch.from_numpy(encode_rgb8(rgb))


@pytest.fixture(scope="module")
def seen() -> decoders.Seen:
    stored = colorful(48)
    features = nn.functional.adaptive_avg_pool2d(stored.float() / 128 - 1, SIDE // 2)
    return decoders.Seen(stored, features.repeat(1, 3, 1, 1)[:, :FEATURES])


@pytest.fixture(scope="module")
def prior(seen: decoders.Seen) -> Prior:
    histogram = np.zeros((256, 256), dtype=np.int64)
    np.add.at(histogram, tuple(seen.stored[:, 1:].movedim(1, 0).reshape(2, -1).numpy()), 1)
    return Prior.from_histogram(histogram, len(seen.stored), PARAMS.prior)


def test_the_truth_is_read_without_fault(seen: decoders.Seen, prior: Prior) -> None:
    found = decoders.measured(seen.lab[:, 1:], seen, prior)
    assert found == pytest.approx([100.0, 100.0, 100.0, 0.0, 0.0, 0.0, 0.0], abs=1e-3)


def test_each_photograph_is_seen_once(seen: decoders.Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    class Photographs:
        take = staticmethod(lambda rows: seen.stored[rows].numpy())
        __len__ = staticmethod(lambda: len(seen.stored))

    monkeypatch.setattr(decoders.LabSet, "open", lambda *_: Photographs())
    plain = MODEL.network.model_copy(update={"pretrained": False, "width": 0.25, "mirrored": True})
    network = build_network(plain, len(gamut313()), 8).eval()
    found = decoders._seen(network, "train", 3)
    assert len(found.features) == len(found.stored) == 16
    assert torch.equal(found.stored, seen.stored[::3])


def test_cyan_is_counted(seen: decoders.Seen, prior: Prior) -> None:
    ab = torch.zeros_like(seen.lab[:, 1:])
    ab[::4] = torch.tensor([-30.0, -10.0])[:, None, None]
    *_, cyan = decoders.measured(ab, seen, prior)
    assert cyan == pytest.approx(25.0)


def test_a_factor_makes_it_as_colorful_as_the_truth(seen: decoders.Seen, prior: Prior) -> None:
    pale = 0.4 * seen.lab[:, 1:]
    *_, before, _, _, _ = decoders.measured(pale, seen, prior)
    *_, after, _, _, _ = decoders.measured(decoders.as_colorful(pale, seen), seen, prior)
    assert before < -10
    assert abs(after) < 0.5


def test_the_first_way_is_that_of_photochrom() -> None:
    usual = MODEL.objective.decoder
    assert (WAYS[0].rarity, WAYS[0].price) == (usual.rarity, usual.price)
    assert (WAYS[0].photograph, WAYS[0].reach, WAYS[0].paid) == (True, 1, "regions")


def test_ways_differ_in_what_their_decoder_sees_and_is_paid_for(prior: Prior) -> None:
    tasks = {way.name: decoders.decoder_task(MODEL, way, prior) for way in WAYS}
    blind = tasks["blind to the photograph"].network.decoder.photograph.weight
    assert not blind.any()
    assert not blind.requires_grad
    assert tasks["without price"].price is None
    assert tasks["sees 3 x 3 pixels"].network.decoder.pixel.kernel_size == (3, 3)
    cyan = torch.zeros(1, 2, SIDE, SIDE)
    cyan[:, :, ::4, ::4] = torch.tensor([-40.0, -12.0])[:, None, None]
    paid = []
    for name in ("learned, rarity 0.25", "paid for pixels", "paid for RGB"):
        tasks[name].network = decoders.Reader(nn.Identity(), nn.Identity())
        tasks[name].network.lightness = torch.full((1, 1, SIDE, SIDE), 0.7)
        paid.append(tasks[name].gain(cyan).item())
    assert paid[0] < 0.5 * paid[1]
    assert paid[1] < 0.8 * paid[2]


@pytest.mark.parametrize("way", [WAYS[0], WAYS[-1]], ids=lambda way: way.name)
def test_a_reader_learns_and_the_distributions_stay(
    seen: decoders.Seen, prior: Prior, way: decoders.Way
) -> None:
    torch.manual_seed(0)
    head = nn.Conv2d(FEATURES, 313, 1).eval()
    with torch.no_grad():
        head.weight *= 5
    weights = [p.clone() for p in head.parameters()]
    task = decoders.decoder_task(MODEL, way, prior)
    task.network = decoders.Reader(head, task.network.decoder)
    errors = []
    for steps in (1, 30):
        decoders.train(task, seen, steps)
        ab = decoders.answers(task.network, seen)
        assert ab.shape == (48, 2, SIDE // 2, SIDE // 2)
        errors.append(decoders.measured(ab, seen, prior)[-3])
    assert errors[1] < 0.8 * errors[0]
    assert all(map(torch.equal, weights, head.parameters()))
