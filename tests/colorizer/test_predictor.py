"""The predictor: ab for L of every size, scaled and taken in pieces."""

import pytest
import torch
from colorizer_kit import ARGMAX, SIZES, Logits, Probe, predictor_of
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from photochrom.color.batch import normalised
from photochrom.color.bins import gamut313
from photochrom.colorizer.prediction import LONGEST
from photochrom.params.models import AnnealedMeanParams


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("stride", "factor"), [(8, 1), (8, 4), (64, 1)])
def test_colors_come_at_the_size_of_the_photograph(
    size: tuple[int, int], stride: int, factor: int
) -> None:
    network = Probe(factor)
    ab = predictor_of(network, stride=stride).predict_ab(torch.full((2, 1, *size), 70.0))
    assert ab.shape == (2, 2, *size)
    assert ab.dtype == torch.float32
    assert all(side % stride == 0 for side in network.seen[0].shape[-2:])
    # An even gray has an even color, whatever was scaled: 0.4 * 0.05 * 110.
    torch.testing.assert_close(ab[:, 0], torch.full((2, *size), 2.2), atol=1e-3, rtol=0)
    torch.testing.assert_close(ab[:, 1], torch.full((2, *size), -2.2), atol=1e-3, rtol=0)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([8, 32]), st.sampled_from([16, 32]))
def test_any_size_works(height: int, width: int, stride: int, size: int) -> None:
    ab = predictor_of(Probe(), size, stride).predict_ab(torch.rand(1, 1, height, width) * 100)
    assert ab.shape == (1, 2, height, width)
    assert ab.isfinite().all()


@pytest.mark.parametrize("size", [(32, 32), (32, 40), (56, 32)])
def test_gray_of_the_working_size_is_not_resampled(size: tuple[int, int]) -> None:
    network, lightness = Probe(), torch.rand(1, 1, *size) * 100
    ab = predictor_of(network).predict_ab(lightness)
    assert torch.equal(network.seen[0], normalised(lightness))
    expected = normalised(lightness) * 0.05 * 110.0
    torch.testing.assert_close(ab, torch.cat((expected, -expected), dim=1))


@pytest.mark.parametrize(("width", "expected"), [(35, 32), (41, 48), (63, 64)])
def test_the_longer_side_is_scaled_to_a_multiple_of_the_stride(width: int, expected: int) -> None:
    network, left_dark = Probe(), torch.linspace(0, 100, width).expand(1, 1, 32, width)
    ab = predictor_of(network, stride=16).predict_ab(left_dark)
    [seen] = network.seen
    assert seen.shape[-2:] == (32, expected)
    # The photograph alone is seen, from edge to edge: no border was added to it.
    torch.testing.assert_close(seen.mean(), torch.tensor(0.0), atol=1e-3, rtol=0)
    torch.testing.assert_close(ab[:, :1], normalised(left_dark) * 0.05 * 110.0, atol=0.2, rtol=0)


@pytest.mark.parametrize(("size", "stride"), [(96, 16), (64, 64), (64, 32)])
@pytest.mark.parametrize("ratio", [1.25, 1.5, 4 / 3, 16 / 9])
def test_scans_of_one_print_are_seen_alike(size: int, stride: int, ratio: float) -> None:
    """Prints of 5 : 4 are 7.5 strides of 16 long at 96 px: a pixel more or less must not count."""
    predictor, shapes = predictor_of(Probe(), size, stride), set()
    for height in range(4 * size, 5 * size, 7):
        for width in (int(height * ratio), int(height * ratio) + 1):
            shapes.add(predictor.scaled(torch.zeros(1, 1, height, width)).shape)
    assert len(shapes) == 1


@pytest.mark.parametrize(
    ("size", "expected"), [((64, 96), (32, 48)), ((16, 24), (32, 48)), ((96, 64), (48, 32))]
)
def test_the_shorter_side_becomes_the_working_size(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    network = Probe()
    predictor_of(network).predict_ab(torch.rand(1, 1, *size) * 100)
    assert network.seen[0].shape[-2:] == expected


def test_a_large_photograph_is_averaged_not_picked() -> None:
    stripes = ((torch.arange(128) % 4 == 0) * 100.0).expand(1, 1, 128, 128)
    network = Probe()
    predictor_of(network).predict_ab(stripes)
    torch.testing.assert_close(network.seen[0], torch.full((1, 1, 32, 32), -0.5), atol=0.2, rtol=0)


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (3, 2000)])
def test_a_strip_is_not_enlarged_beyond_memory(size: tuple[int, int]) -> None:
    network = Probe()
    ab = predictor_of(network).predict_ab(torch.full((1, 1, *size), 50.0))
    assert ab.shape[-2:] == size
    assert network.seen[0].numel() <= max(8 * max(size), LONGEST * 32 * 32)


def test_photographs_of_a_batch_are_colored_one_by_one() -> None:
    lightness, predictor = torch.rand(3, 1, 20, 30) * 100, predictor_of(Probe())
    alone = torch.cat([predictor.predict_ab(one[None]) for one in lightness])
    torch.testing.assert_close(predictor.predict_ab(lightness), alone)


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_raw_output_is_shown_piece_by_piece(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "photochrom.colorizer.prediction.photographs_at_once"
    monkeypatch.setattr(module, lambda channels, gray: at_once)
    lightness, seen = torch.rand(5, 1, 32, 32) * 100, list[Tensor]()
    predictor = predictor_of(Probe(4))
    ab = predictor.predict_ab(lightness, seen.append)
    assert [len(raw) for raw in seen] == [at_once] * (5 // at_once) + [5 % at_once] * (at_once == 2)
    assert torch.cat(seen).shape == (5, 2, 8, 8)
    enlarged = nn.functional.interpolate(torch.cat(seen) * 110.0, (32, 32), mode="bicubic")
    torch.testing.assert_close(ab, enlarged)
    assert torch.equal(ab, predictor.predict_ab(lightness))


def test_no_gradient_is_kept() -> None:
    lightness = torch.full((1, 1, 8, 8), 50.0, requires_grad=True)
    assert not predictor_of(nn.Conv2d(1, 2, 1)).predict_ab(lightness).requires_grad


def test_logits_are_decoded_at_their_own_resolution_and_then_enlarged() -> None:
    class OneBin(nn.Module):
        def forward(self, lightness: Tensor) -> Tensor:
            raw = torch.zeros(len(lightness), 313, *(side // 4 for side in lightness.shape[-2:]))
            raw[:, 100] = 50.0
            return raw

    predictor = predictor_of(OneBin(), decoding=ARGMAX)
    ab = predictor.predict_ab(torch.rand(1, 1, 32, 32) * 100)
    expected = gamut313().centers[100][None, :, None, None].expand(1, 2, 32, 32)
    torch.testing.assert_close(ab, expected)


@pytest.mark.parametrize("rows", [1, 3, 8])
def test_rows_that_are_decoded_by_themselves_join(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = predictor_of(
        Logits(), decoding=AnnealedMeanParams(kind="annealed_mean", temperature=0.38)
    )
    lightness = torch.rand(1, 1, 32, 48) * 100
    whole = predictor.predict_ab(lightness)
    monkeypatch.setattr("photochrom.colorizer.prediction.AT_ONCE", rows * 313 * 12)
    torch.testing.assert_close(predictor.predict_ab(lightness), whole)
