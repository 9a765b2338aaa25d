"""From raw output to ab: scale, argmax, mean and the annealed mean."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from photochrom.color.bins import Bins, gamut313, grid256
from photochrom.color.decoding import AB_SCALE, annealed_mean, decode
from photochrom.params.models import (
    AnnealedMeanParams,
    ArgmaxParams,
    Decoding,
    DirectParams,
    LearnedParams,
    MeanParams,
)

DIRECT, ARGMAX, MEAN = (
    DirectParams(kind="direct"),
    ArgmaxParams(kind="argmax"),
    MeanParams(kind="mean"),
)
TWO = Bins("gamut313", torch.tensor([[0.0, 0.0], [100.0, 50.0]]))


def annealed(temperature: float) -> AnnealedMeanParams:
    return AnnealedMeanParams(kind="annealed_mean", temperature=temperature)


def learned(temperature: float) -> LearnedParams:
    return LearnedParams(kind="learned", temperature=temperature)


def random_logits(scale: float = 3.0) -> torch.Tensor:
    return scale * torch.randn(2, 313, 3, 4, generator=torch.Generator().manual_seed(0))


def test_direct_output_is_ab_by_110():
    raw = torch.tensor([1.0, -0.5])[None, :, None, None]
    assert decode(raw, DIRECT).flatten().tolist() == [AB_SCALE, -AB_SCALE / 2] == [110.0, -55.0]


def test_half_precision_output_is_decoded_in_single():
    raw = random_logits().to(torch.bfloat16)
    for decoding in (ARGMAX, MEAN, annealed(0.38)):
        assert decode(raw, decoding, gamut313()).dtype == torch.float32
    assert decode(raw[:, :2], DIRECT).dtype == torch.float32


def test_argmax_is_the_center_of_the_likeliest_bin():
    raw = random_logits()
    ab = decode(raw, ARGMAX, gamut313())
    likeliest = int(raw[1, :, 2, 3].argmax())
    assert ab.shape == (2, 2, 3, 4)
    assert ab[1, :, 2, 3].tolist() == gamut313().centers[likeliest].tolist()


def test_mean_is_the_expectation_over_all_bins():
    raw = random_logits()
    probabilities = raw[0, :, 1, 1].double().softmax(0)
    expected = (probabilities[:, None] * gamut313().centers.double()).sum(0)
    assert torch.allclose(decode(raw, MEAN, gamut313())[0, :, 1, 1].double(), expected, atol=1e-3)


def test_annealed_mean_at_temperature_1_is_the_mean():
    raw = random_logits()
    assert torch.equal(decode(raw, annealed(1.0), gamut313()), decode(raw, MEAN, gamut313()))


def test_annealed_mean_towards_temperature_0_is_the_mode():
    raw = random_logits(scale=30.0)
    found, mode = decode(raw, annealed(1e-3), gamut313()), decode(raw, ARGMAX, gamut313())
    assert torch.allclose(found, mode, atol=1e-3)


@given(st.floats(-8, 8), st.floats(0.05, 10))
def test_temperature_divides_logits(difference, temperature):
    """Two bins: the share of the second is a sigmoid of the difference over T.

    Dividing probabilities by T and normalising would change nothing at all.
    """
    raw = torch.tensor([0.0, difference])[None, :, None, None]
    share = torch.sigmoid(torch.tensor(difference / temperature, dtype=torch.float64))
    ab = decode(raw, annealed(temperature), TWO).flatten().tolist()
    assert ab == pytest.approx([100 * float(share), 50 * float(share)], abs=1e-2)


@pytest.mark.parametrize("size", [1e4, 1e30])
def test_large_logits_do_not_overflow(size):
    raw = torch.full((1, 313, 1, 1), -size)
    raw[:, 7] = size
    ab = annealed_mean(raw, gamut313(), 0.38)
    assert ab.flatten().tolist() == gamut313().centers[7].tolist()


def test_lower_temperatures_are_more_colorful():
    """What the temperature is for: the plain mean of many colors is a gray one."""
    raw = torch.zeros(1, 313, 1, 1)
    raw[:, int(gamut313().nearest(torch.tensor([80.0, 70.0])))] = 3.0
    chroma = [float(decode(raw, annealed(t), gamut313()).norm()) for t in (1.0, 0.7, 0.38, 0.1)]
    assert chroma == sorted(chroma)
    assert chroma[0] < 25 < 100 < chroma[-1]


@pytest.mark.parametrize("decoding", [ARGMAX, MEAN, annealed(0.38)])
@pytest.mark.parametrize("where", [None, grid256()])
def test_logits_over_other_bins_are_refused(decoding, where):
    with pytest.raises(ValueError, match="needs logits over bins, got 313"):
        decode(random_logits(), decoding, where)


def test_what_was_learned_is_shown() -> None:
    shown = torch.rand(2, 2, 3, 4, generator=torch.Generator().manual_seed(1))
    raw = torch.cat((random_logits(), shown), dim=1)
    assert torch.equal(decode(raw, learned(1.0), gamut313()), shown * AB_SCALE)


@pytest.mark.parametrize("temperature", [0.3, 2.0])
def test_a_temperature_moves_what_was_learned_as_it_moves_the_mean(temperature: float) -> None:
    logits, shown = random_logits(), torch.full((2, 2, 3, 4), 0.25)
    raw = torch.cat((logits, shown), dim=1)
    moved = decode(logits, annealed(temperature), gamut313()) - decode(logits, MEAN, gamut313())
    found = decode(raw, learned(temperature), gamut313())
    assert torch.allclose(found, shown * AB_SCALE + moved, atol=1e-5)


@pytest.mark.parametrize("decoding", [ARGMAX, MEAN, annealed(0.38)])
def test_other_decodings_do_not_look_at_what_was_learned(decoding: Decoding) -> None:
    logits = random_logits()
    raw = torch.cat((logits, torch.full((2, 2, 3, 4), 50.0)), dim=1)
    assert torch.equal(decode(raw, decoding, gamut313()), decode(logits, decoding, gamut313()))


def test_what_nothing_has_learned_is_refused() -> None:
    with pytest.raises(ValueError, match="learned needs what a decoder has learned"):
        decode(random_logits(), learned(1.0), gamut313())
