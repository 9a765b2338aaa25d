"""Ways of reading distributions: what is measured of them, and what a trained reader learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import decoders
from photochrom.color.lab import encode_rgb8
from photochrom.data.prior import Prior
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
    assert found == pytest.approx([100.0, 100.0, 100.0, 0.0, 0.0], abs=1e-3)


def test_a_factor_makes_it_as_colorful_as_the_truth(seen: decoders.Seen, prior: Prior) -> None:
    pale = 0.4 * seen.lab[:, 1:]
    *_, before, _ = decoders.measured(pale, seen, prior)
    *_, after, _ = decoders.measured(decoders.as_colorful(pale, seen), seen, prior)
    assert before < -10
    assert abs(after) < 0.5


@pytest.mark.parametrize("reach", [1, 3])
def test_a_reader_learns_and_the_distributions_stay(
    seen: decoders.Seen, prior: Prior, reach: int
) -> None:
    torch.manual_seed(0)
    head = nn.Conv2d(FEATURES, 313, 1).eval()
    with torch.no_grad():
        head.weight *= 5
    weights = [p.clone() for p in head.parameters()]
    task = decoders.decoder_task(MODEL, 0.5, 0.1, reach, prior)
    task.network = decoders.Reader(head, task.network.decoder)
    errors = []
    for steps in (1, 60):
        decoders.train(task, seen, steps)
        ab = decoders.answers(task.network, seen)
        assert ab.shape == (48, 2, SIDE // 2, SIDE // 2)
        errors.append(decoders.measured(ab, seen, prior)[-1])
    assert errors[1] < 0.8 * errors[0]
    assert all(map(torch.equal, weights, head.parameters()))
