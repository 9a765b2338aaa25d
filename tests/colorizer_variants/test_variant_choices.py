"""Several plausible colorings of one photograph."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from variants_kit import BLUE, GRAY, GREEN, RED, Odds, center, columns

from photochrom.color.bins import Bins, bins
from photochrom.color.decoding import annealed_mean
from photochrom.colorizer.alternatives import FAINT
from photochrom.colorizer.variants import DISTINCT, IMPLAUSIBLE, MOST_PIXELS, Choice, choices

BINS = [bins("gamut313"), bins("grid256")]
each_bins = pytest.mark.parametrize("where", BINS, ids=lambda one: one.name)


def shares(found: list[Choice]) -> list[float]:
    return [one.share for one in found]


def apart(one: Choice, other: Choice) -> float:
    """Return the mean distance of two colorings."""
    return float((one.ab - other.ab).square().sum(0).sqrt().mean())


def look(one: Choice, column: int, colors: list[tuple[float, float]], where: Bins) -> int:
    """Return which color a column of a coloring is nearest to."""
    centers = torch.stack([center(color, where) for color in colors])
    return int(torch.cdist(one.ab[:, :, column].mean(1)[None], centers).argmin())


def random_logits(seed: int, height: int = 12, width: int = 17, scale: float = 2.0) -> Tensor:
    """Return the logits of a photograph with a few soft regions."""
    generator = torch.Generator().manual_seed(seed)
    coarse = scale * torch.randn(1, 313, 3, 4, generator=generator)
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")[0]


# What a known distribution gives.


@each_bins
def test_two_modes_are_two_colorings_with_their_shares_and_colors(where: Bins) -> None:
    logits = columns([({RED: 0.7, BLUE: 0.3}, 8)], 6, where)
    first, second = choices(logits, where, temperature=0.1, count=4)
    assert (first.share, second.share) == pytest.approx((0.7, 0.3), abs=1e-4)
    red, blue = center(RED, where), center(BLUE, where)
    assert torch.allclose(first.ab, red[:, None, None].expand(2, 6, 8), atol=0.1)
    expected = red + (blue - red) * 0.3 / (0.3 + FAINT)
    assert torch.allclose(second.ab, expected[:, None, None].expand(2, 6, 8), atol=0.1)


@each_bins
def test_two_regions_are_combined_the_likeliest_first(where: Bins) -> None:
    left, right = {RED: 0.6, BLUE: 0.4}, {GREEN: 0.8, GRAY: 0.2}
    logits = columns([(left, 12), (right, 12)], 10, where)
    found = choices(logits, where, temperature=0.1, count=9)
    assert shares(found) == pytest.approx([0.48, 0.32, 0.12, 0.08], abs=1e-4)
    looks = [
        (look(one, 2, [RED, BLUE], where), look(one, 21, [GREEN, GRAY], where)) for one in found
    ]
    assert looks == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_a_change_fades_at_the_border_of_its_region() -> None:
    sides = [({RED: 0.6, BLUE: 0.4}, 12), ({GREEN: 1.0}, 12)]
    plain, other = choices(columns(sides, 10, BINS[0]), BINS[0], 0.1, 4)
    change = (other.ab - plain.ab)[:, 5]
    assert torch.allclose(change[:, 11], change[:, 0] * 2 / 3, atol=1e-3)
    assert change[:, 12:].abs().max() < 0.1


@each_bins
@pytest.mark.parametrize("odds", [{RED: 1.0}, {GRAY: 1.0}, {RED: 0.95, BLUE: 0.05}], ids=str)
def test_a_narrow_distribution_has_one_coloring(odds: Odds, where: Bins) -> None:
    found = choices(columns([(odds, 9)], 7, where), where, temperature=0.5, count=4)
    assert shares(found) == [1.0]


def test_one_hot_logits_have_one_coloring_at_any_temperature() -> None:
    logits = torch.full((313, 5, 5), -500.0)
    logits[40] = 500.0
    for temperature in (0.05, 1.0, 10.0):
        (only,) = choices(logits, BINS[0], temperature, 16)
        assert torch.allclose(only.ab[:, 0, 0], BINS[0].centers[40], atol=0.01)


def test_a_photograph_that_is_gray_for_certain_stays_gray() -> None:
    near = {(0.0, 0.0): 0.5, (0.0, 10.0): 0.25, (10.0, 0.0): 0.25}
    (only,) = choices(columns([(near, 9)], 7, BINS[0]), BINS[0], 1.0, 8)
    assert only.ab.norm(dim=0).max() < 10.0


def test_an_improbable_combination_is_left_out() -> None:
    # 0.13 / 0.87 squared is 0.022 of the likeliest one's probability.
    left, right = {RED: 0.87, BLUE: 0.13}, {GREEN: 0.87, GRAY: 0.13}
    assert (0.13 / 0.87) ** 2 < IMPLAUSIBLE < 0.13 / 0.87
    logits = columns([(left, 12), (right, 12)], 10, BINS[0])
    assert len(choices(logits, BINS[0], 0.5, 16)) == 3


def test_what_changes_little_of_the_photograph_is_no_variant() -> None:
    # The step from gray to yellow is 40: over a tenth of the photograph it is 4 of it on average.
    unsure = {GRAY: 0.6, (0.0, 40.0): 0.4}
    for narrow, count in ((4, 1), (12, 2)):
        stripes = [({BLUE: 1.0}, 40 - narrow), (unsure, narrow)]
        found = choices(columns(stripes, 10, BINS[0]), BINS[0], 0.1, 4)
        assert (40 * narrow / 40 > DISTINCT) == (count == 2)
        assert len(found) == count


# What holds for every distribution.


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    temperature=st.sampled_from([0.05, 0.38, 1.0, 10.0]),
    scale=st.sampled_from([0.5, 2.0, 6.0]),
)
def test_colorings_are_plain_first_ranked_and_distinct(
    seed: int, temperature: float, scale: float
) -> None:
    logits = random_logits(seed, scale=scale)
    found = choices(logits, BINS[0], temperature, 5)
    plain = annealed_mean(logits[None], BINS[0], temperature)[0]
    assert torch.allclose(found[0].ab, plain, atol=1e-4)
    assert sum(shares(found)) == pytest.approx(1.0)
    assert all(one >= other > 0 for one, other in pairwise([*shares(found), 1e-9]))
    assert len(found) <= 5
    pairs = [(a, b) for place, a in enumerate(found) for b in found[:place]]
    assert all(apart(a, b) >= DISTINCT - 1e-3 for a, b in pairs)
    assert all(one.ab.dtype == torch.float32 and one.ab.isfinite().all() for one in found)


def test_fewer_are_the_first_of_more() -> None:
    every = choices(random_logits(3), BINS[0], 0.5, 6)
    assert len(every) == 6
    for count in range(1, 6):
        some = choices(random_logits(3), BINS[0], 0.5, count)
        assert all(torch.equal(a.ab, b.ab) for a, b in zip(some, every[:count], strict=True))
        ratio = sum(shares(every)[:count])
        assert shares(some) == pytest.approx([share / ratio for share in shares(every)[:count]])


def test_the_same_logits_give_the_same_colorings() -> None:
    once, again = (choices(random_logits(5), BINS[0], 0.38, 4) for _ in range(2))
    assert shares(once) == shares(again)
    assert all(torch.equal(a.ab, b.ab) for a, b in zip(once, again, strict=True))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("axis", [1, 2], ids=["upside down", "mirrored"])
def test_a_flipped_photograph_has_flipped_colorings(seed: int, axis: int) -> None:
    logits = random_logits(seed)
    straight = choices(logits, BINS[0], 0.5, 4)
    flipped = choices(logits.flip(axis), BINS[0], 0.5, 4)
    assert shares(straight) == pytest.approx(shares(flipped), abs=1e-4)
    for one, other in zip(straight, flipped, strict=True):
        assert torch.allclose(one.ab.flip(axis), other.ab, atol=0.01)


def test_the_temperature_leaves_the_shares_as_they_are() -> None:
    logits = columns([({RED: 0.6, BLUE: 0.4}, 8)], 6, BINS[0])
    for temperature in (0.05, 0.38, 1.0):
        assert shares(choices(logits, BINS[0], temperature, 4)) == pytest.approx(
            [0.6, 0.4], abs=1e-4
        )


def test_colorings_are_no_noise() -> None:
    """Neighboring pixels differ hardly more than in the plain coloring."""
    logits = random_logits(8, 40, 60)
    plain, *others = (
        float(one.ab.diff(dim=2).norm(dim=0).mean()) for one in choices(logits, BINS[0], 0.5, 6)
    )
    assert len(others) == 5
    assert max(others) < 1.5 * plain


# Extremes.


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1e3, 1e6])
@pytest.mark.parametrize("temperature", [0.05, 10.0])
def test_extreme_logits_give_no_nan(scale: float, temperature: float) -> None:
    found = choices(random_logits(2) * scale, BINS[0], temperature, 16)
    assert all(one.ab.isfinite().all() for one in found)
    assert sum(shares(found)) == pytest.approx(1.0)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2), (7, 129)])
def test_any_size_has_colorings_of_that_size(size: tuple[int, int]) -> None:
    logits = columns([({RED: 0.6, BLUE: 0.4}, size[1])], size[0], BINS[0])
    found = choices(logits, BINS[0], 0.5, 4)
    assert [one.ab.shape for one in found] == [(2, *size)] * 2


def test_a_large_map_is_colored_as_a_small_one_and_keeps_its_detail() -> None:
    stripes = [({RED: 0.6, BLUE: 0.4}, 100), ({GREEN: 1.0}, 100)]
    logits = columns(stripes, 130, BINS[0])
    assert logits[0].numel() > MOST_PIXELS
    large = choices(logits, BINS[0], 0.5, 4)
    small = choices(logits[:, ::2, ::2], BINS[0], 0.5, 4)
    assert shares(large) == pytest.approx(shares(small), abs=1e-3)
    assert torch.equal(large[0].ab, annealed_mean(logits[None], BINS[0], 0.5)[0])
    assert torch.allclose(large[1].ab[:, ::2, 0], small[1].ab[:, :, 0], atol=1e-3)


def test_half_precision_is_taken() -> None:
    found = choices(random_logits(1).half(), BINS[0], 0.5, 3)
    exact = choices(random_logits(1), BINS[0], 0.5, 3)
    assert all(one.ab.dtype == torch.float32 for one in found)
    assert all(apart(a, b) < 0.5 for a, b in zip(found, exact, strict=True))
