"""The modes of a distribution over bins."""

import pytest
import torch
from variants_kit import BLUE, GRAY, GREEN, RED, Odds, center, distribution

from photochrom.color.bins import BinsName, bins
from photochrom.colorizer.modes import APART, LIGHTEST, RADIUS, modes

BINS = [bins("gamut313"), bins("grid256")]
each_bins = pytest.mark.parametrize("where", BINS, ids=lambda one: one.name)


@each_bins
@pytest.mark.parametrize(
    "odds",
    [
        {RED: 1.0},
        {RED: 0.7, BLUE: 0.3},
        {GRAY: 0.5, BLUE: 0.3, GREEN: 0.2},
        {GRAY: 0.4, RED: 0.3, BLUE: 0.2, GREEN: 0.1 + LIGHTEST},
    ],
    ids=len,
)
def test_separate_colors_are_modes_the_heaviest_first(where: BinsName, odds: Odds) -> None:
    total = sum(odds.values())
    given = distribution(odds, where) / total
    found = modes(given, where)
    assert [mode.share for mode in found] == pytest.approx(
        sorted((value / total for value in odds.values()), reverse=True), abs=1e-5
    )
    for mode, (color, _) in zip(found, sorted(odds.items(), key=lambda one: -one[1]), strict=True):
        mean = given[mode.members] @ where.centers[mode.members] / given[mode.members].sum()
        assert torch.allclose(mean, center(color, where), atol=1e-3)


@each_bins
def test_a_bin_is_in_one_mode_at_most(where: BinsName) -> None:
    given = distribution({GRAY: 0.4, RED: 0.3, BLUE: 0.3}, where)
    members = torch.cat([mode.members for mode in modes(given, where)])
    assert len(members) == len(members.unique()) == len(where)


def test_a_light_mode_falls_away_and_the_others_share_what_it_had() -> None:
    light = LIGHTEST - 0.01
    rest = 1.0 - light
    given = distribution({RED: 0.6 * rest, BLUE: 0.4 * rest, GREEN: light}, BINS[0])
    found = modes(given, BINS[0])
    assert [mode.share for mode in found] == pytest.approx([0.6, 0.4], abs=1e-5)


@pytest.mark.parametrize(("distance", "count"), [(20.0, 1), (30.0, 1), (60.0, 2)])
def test_near_colors_are_one_mode(distance: float, count: int) -> None:
    given = distribution({(0.0, 0.0): 0.5, (0.0, distance): 0.5}, BINS[0])
    assert len(modes(given, BINS[0])) == count


def test_the_halves_of_one_broad_mode_are_no_modes() -> None:
    # They are 2 sigma sqrt(2 / pi) = 22 apart.
    sigma = 14.0
    given = torch.softmax(-BINS[0].centers.square().sum(1) / (2 * sigma**2), 0)
    assert sigma * 2**0.5 > RADIUS
    assert len(modes(given, BINS[0])) == 1


def test_modes_lie_apart_in_an_even_distribution() -> None:
    where = BINS[0]
    given = torch.full((len(where),), 1.0 / len(where))
    found = modes(given, where)
    means = torch.stack([where.centers[mode.members].mean(0) for mode in found])
    assert len(found) > 1
    assert torch.pdist(means).min() >= APART
    assert sum(mode.share for mode in found) == pytest.approx(1.0)
