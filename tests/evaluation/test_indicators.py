"""Indicators of failures on pictures whose failures can be counted by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter
from torch import Tensor

from photochrom.evaluation import indicators
from photochrom.evaluation.indicators import (
    bleeding,
    gray_collapse,
    measure,
    pairs_of,
    stray_color,
    wrong_hue,
)
from photochrom.evaluation.metrics import Comparison
from photochrom.measures import MEASURES
from photochrom.uncertainty import WEIGHTS

SIDE = 16


def even(*ab: float) -> Tensor:
    return torch.tensor(ab)[None, :, None, None].expand(1, 2, SIDE, SIDE).clone()


def of(truth: Tensor, predicted: Tensor, lightness: Tensor | None = None) -> Comparison:
    gray = torch.full((len(truth), 1, *truth.shape[-2:]), 50.0)
    return Comparison(gray if lightness is None else lightness, truth, predicted)


def turned(degrees: float, chroma: float = 30.0) -> Tensor:
    angle = math.radians(degrees)
    return even(chroma * math.cos(angle), chroma * math.sin(angle))


def random_pair(count: int = 3) -> Comparison:
    generator = torch.Generator().manual_seed(0)
    lightness = 100 * torch.rand(count, 1, SIDE, SIDE, generator=generator)
    truth = 20 * torch.randn(count, 2, SIDE, SIDE, generator=generator)
    return of(truth, truth / 2 + 8 * torch.randn(truth.shape, generator=generator), lightness)


def halves(left: tuple[float, ...], right: tuple[float, ...]) -> Tensor:
    """Return a picture (1, C, S, S) of two even halves."""
    picture = torch.tensor(left)[None, :, None, None].repeat(1, 1, SIDE, SIDE)
    picture[..., SIDE // 2 :] = torch.tensor(right)[None, :, None, None]
    return picture


def test_gray_collapse_counts_the_colored_pixels() -> None:
    truth, predicted = even(12.0, 16.0), even(12.0, 16.0)
    truth[..., :4, :] = 11.0  # Of chroma 15.6: no color to lose.
    predicted[..., 4:10, :] = 7.0  # Of chroma 9.90.
    predicted[..., 10:, :] = 7.1  # Of chroma 10.04.
    share, weight = gray_collapse(of(truth, predicted))
    assert weight.item() == 12 * SIDE
    assert share.item() == pytest.approx(50.0)


@pytest.mark.parametrize(("degrees", "wrong"), [(0, 0), (59.9, 0), (60.1, 100), (180, 100)])
@pytest.mark.parametrize("start", [0.0, 75.0, 350.0])
def test_a_hue_is_wrong_beyond_60_degrees(degrees: float, wrong: float, start: float) -> None:
    for sign in (1, -1):
        share, weight = wrong_hue(of(turned(start), turned(start + sign * degrees, 12.0)))
        assert (share.item(), weight.item()) == (wrong, SIDE * SIDE)


@pytest.mark.parametrize(("true", "given"), [(19.0, 60.0), (60.0, 9.0), (0.0, 0.0)])
def test_only_colors_have_a_hue(true: float, given: float) -> None:
    share, weight = wrong_hue(of(turned(0, true), turned(180, given)))
    assert (share.item(), weight.item()) == (0.0, 0.0)


def test_a_spot_stands_out_from_its_surroundings() -> None:
    predicted = even(0.0, 0.0)
    predicted[0, 0, 8, 8] = 30.0
    # The window is 5 x 5: the spot is 24/25 of its color away from the mean, the others 1/25.
    assert stray_color(of(even(0.0, 0.0), predicted)).item() == 100 / SIDE**2
    predicted[0, 0, 8, 8] = 15.5
    assert stray_color(of(even(0.0, 0.0), predicted)).item() == 0.0


def test_a_spot_that_is_true_is_no_stray_color() -> None:
    truth, predicted = even(0.0, 0.0), even(0.0, 0.0)
    truth[0, 0, 8, 8], predicted[0, 0, 8, 8] = 20.0, 30.0
    assert stray_color(of(truth, predicted)).item() == 0.0
    assert stray_color(of(predicted, truth)).item() == 0.0


@pytest.mark.parametrize("shift", [(40.0, 0.0), (-30.0, 50.0)])
def test_an_even_tint_is_no_stray_color(shift: tuple[float, float]) -> None:
    truth = random_pair().truth
    assert (stray_color(of(truth, truth + even(*shift))) == 0).all()


def test_surroundings_are_the_mean_of_a_window() -> None:
    """Against a running mean where the whole window lies within the picture."""
    pair, reach = random_pair(), SIDE // 8
    inner = slice(reach, SIDE - reach)

    def distances(ab: Tensor) -> np.ndarray:
        array = ab.double().numpy()
        window = (1, 1, 2 * reach + 1, 2 * reach + 1)
        away: np.ndarray = np.hypot(*np.moveaxis(array - uniform_filter(array, window), 1, 0))
        return away[:, inner, inner]

    found = indicators._standing_out(pair.truth)[:, inner, inner]
    np.testing.assert_allclose(found, distances(pair.truth), rtol=1e-4)


@given(st.integers(1, 40))
def test_a_window_at_the_edge_takes_what_there_is(side: int) -> None:
    weights = indicators._averaging(side)
    torch.testing.assert_close(weights.sum(1), torch.ones(side))
    assert (weights[0] > 0).sum() == min(side, side // 8 + 1)
    assert ((weights > 0) == (weights > 0).T).all()


# A red thing on a green one, lighter by 20: the edge is crossed by 2 pairs in each row.
EDGE = {"lightness": halves((40.0,), (60.0,)), "truth": halves((30.0, 0.0), (-30.0, 0.0))}


@pytest.mark.parametrize(
    ("left", "right", "bled"),
    [
        ((30.0, 0.0), (30.0, 0.0), 100.0),
        ((30.0, 0.0), (16.0, 0.0), 100.0),
        ((30.0, 0.0), (14.0, 0.0), 0.0),
        ((30.0, 0.0), (-30.0, 0.0), 0.0),
        ((0.0, 0.0), (10.0, 0.0), 100.0),
    ],
)
def test_a_color_bleeds_over_an_edge(
    left: tuple[float, float], right: tuple[float, float], bled: float
) -> None:
    for turn in (0, 1):
        pair = Comparison(
            *(
                picture.rot90(turn, (-2, -1))
                for picture in (EDGE["lightness"], EDGE["truth"], halves(left, right))
            )
        )
        share, weight = bleeding(pair)
        assert (share.item(), weight.item()) == (bled, 2 * SIDE)


@pytest.mark.parametrize(
    "change",
    [
        {"lightness": halves((50.0,), (59.0,))},
        {"truth": halves((9.0, 0.0), (-9.0, 0.0))},
        {"predicted": halves((5.0, 0.0), (9.0, 0.0))},
    ],
)
def test_what_is_no_colored_edge_cannot_bleed(change: dict[str, Tensor]) -> None:
    pair = Comparison(**{**EDGE, "predicted": halves((30.0, 0.0), (30.0, 0.0)), **change})
    share, weight = bleeding(pair)
    assert (share.item(), weight.item()) == (0.0, 0.0)


def test_bleeding_is_that_of_a_loop_over_pairs() -> None:
    pair = random_pair(1)
    lightness, truth, shown = (
        part[0].double().numpy() for part in (pair.lightness, pair.truth, pair.predicted)
    )
    pairs = [((y, x), (y, x + 2)) for y in range(SIDE) for x in range(SIDE - 2)]
    pairs += [((y, x), (y + 2, x)) for y in range(SIDE - 2) for x in range(SIDE)]
    possible, failed = 0, 0
    for one, other in pairs:
        far = math.dist(truth[:, *one], truth[:, *other])
        edge = abs(lightness[0, *one] - lightness[0, *other]) >= 10 and far >= 20
        if edge and max(np.hypot(*shown[:, *one]), np.hypot(*shown[:, *other])) >= 10:
            possible += 1
            failed += math.dist(shown[:, *one], shown[:, *other]) < far / 4
    share, weight = bleeding(pair)
    assert len(pairs) == pairs_of(SIDE, SIDE)
    assert 0 < failed < possible == weight.item()
    assert share.item() == pytest.approx(100 * failed / possible)


@pytest.mark.parametrize("side", [1, 2, 3])
def test_tiny_pictures_have_few_pairs_or_none(side: int) -> None:
    picture = torch.zeros(1, 2, side, side)
    found = measure(of(picture, picture))
    assert pairs_of(side, side) == 2 * side * max(0, side - 2)
    assert all(np.isfinite(values).all() for values in found.values())


def test_every_indicator_is_measured_of_each_photograph() -> None:
    pair = random_pair()
    found = measure(pair)
    keys = {m.key for m in MEASURES if m.group == "failures"}
    assert found.keys() == keys | {WEIGHTS[key] for key in keys & WEIGHTS.keys()}
    for row in range(3):
        parts = (part[row : row + 1] for part in (pair.lightness, pair.truth, pair.predicted))
        alone = measure(Comparison(*parts))
        for key, values in alone.items():
            assert found[key].shape == (3,)
            assert values[0] == found[key][row], key


def test_the_truth_never_fails() -> None:
    pair = random_pair()
    found = measure(of(pair.truth, pair.truth, pair.lightness))
    for key in ("gray_collapse", "wrong_hue", "bleeding"):
        assert (found[WEIGHTS[key]] > 0).all()
        assert (found[key] == 0).all()
    assert (found["stray_color"] == 0).all()
