"""What else than the plain coloring a region may look like."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from variants_kit import BLUE, GREEN, RED, center, columns

from photochrom.color.bins import gamut313
from photochrom.color.decoding import annealed_mean
from photochrom.colorizer.alternatives import FAINT, Alternative, alternatives
from photochrom.colorizer.modes import Mode, modes

BINS = gamut313()
WHOLE = torch.ones(3, 4)


def looks_of(
    logits: Tensor, region: Tensor, found: Sequence[Mode], temperature: float
) -> list[Alternative]:
    """Return the looks beside a plain one that is the annealed mean."""
    plain = annealed_mean(logits[None], BINS, temperature)[0]
    return alternatives(logits, region, found, BINS, temperature, plain)


def test_a_pixel_goes_to_the_modes_color_as_far_as_it_believes_in_it() -> None:
    logits = columns([({RED: 0.7, BLUE: 0.3}, 4)], 3, BINS)
    found = modes(logits.softmax(0)[:, 0, 0], BINS)
    plain, other = looks_of(logits, WHOLE, found, 1.0)
    base = 0.7 * center(RED, BINS) + 0.3 * center(BLUE, BINS)
    step = 0.3 / (0.3 + FAINT) * (center(BLUE, BINS) - base)
    assert torch.equal(plain.change, torch.zeros(2, 3, 4))
    assert torch.allclose(other.change, step[:, None, None].expand(2, 3, 4), atol=1e-3)
    assert (plain.share, other.share) == pytest.approx((0.7, 0.3), abs=1e-5)


def test_only_the_region_changes() -> None:
    logits = columns([({RED: 0.7, BLUE: 0.3}, 4)], 3, BINS)
    found = modes(logits.softmax(0)[:, 0, 0], BINS)
    region = torch.tensor([1.0, 0.5, 0.0, 0.0]).expand(3, 4)
    other = looks_of(logits, region, found, 0.5)[1].change
    assert torch.allclose(other[..., 1], 0.5 * other[..., 0])
    assert other[..., 0].abs().min() > 1.0
    assert torch.equal(other[..., 2:], torch.zeros(2, 3, 2))


def test_a_pixel_that_rules_a_mode_out_keeps_its_color() -> None:
    logits = columns([({RED: 0.6, BLUE: 0.4}, 3), ({RED: 1.0}, 1)], 3, BINS)
    found = modes(logits.softmax(0)[:, 0, 0], BINS)
    other = looks_of(logits, WHOLE, found, 1.0)[1]
    assert other.change[..., 3].abs().max() < 1e-3
    assert other.change[..., 0].abs().min() > 5.0


def test_detail_within_a_mode_stays() -> None:
    # Two shades of blue beside each other, both as likely as red is.
    dark, pale = (20.0, -60.0), (10.0, -40.0)
    logits = columns([({RED: 0.6, dark: 0.4}, 2), ({RED: 0.6, pale: 0.4}, 2)], 3, BINS)
    found = modes(logits.softmax(0).mean((1, 2)), BINS)
    other = looks_of(logits, WHOLE, found, 1.0)[1]
    colored = annealed_mean(logits[None], BINS, 1.0)[0] + other.change
    step = colored[:, 0, 3] - colored[:, 0, 0]
    wanted = center(pale, BINS) - center(dark, BINS)
    # A ninth of the way is left to the plain color, in which the step is 0.4 of it.
    assert torch.allclose(step, wanted * (8 + 0.4) / 9, atol=1e-2)


def test_the_plain_look_stands_for_the_mode_that_it_is_near() -> None:
    # At a low temperature the plain coloring is the sharp peak, and not the broad, heavier mode.
    broad = {(a, b): 0.6 / 9 for a in (-50.0, -40.0, -30.0) for b in (30.0, 40.0, 50.0)}
    logits = columns([({BLUE: 0.4} | broad, 4)], 3, BINS)
    found = modes(logits.softmax(0)[:, 0, 0], BINS)
    looks = looks_of(logits, WHOLE, found, 0.1)
    plain = annealed_mean(logits[None], BINS, 0.1)[0]
    assert torch.allclose(plain[:, 0, 0], center(BLUE, BINS), atol=0.1)
    assert len(looks) == 2
    toward = plain[:, 0, 0] + looks[1].change[:, 0, 0] * (0.6 + FAINT) / 0.6
    assert torch.allclose(toward, center(GREEN, BINS), atol=0.1)
    # It is the model's own answer: no other look counts more.
    assert looks[0].share == pytest.approx(looks[1].share) == pytest.approx(0.6, abs=1e-3)


def test_modes_that_look_like_the_plain_coloring_are_none_beside_it() -> None:
    # The plain color is (3, 6.75): 7.4 and 4.4 from the first two.
    odds = {(0.0, 0.0): 0.475, (0.0, 10.0): 0.475, RED: 0.05}
    logits = columns([(odds, 4)], 3, BINS)
    places = BINS.nearest(torch.tensor([list(color) for color in odds])).split(1)
    given = [Mode(place, share) for place, share in zip(places, odds.values(), strict=True)]
    looks = looks_of(logits, WHOLE, given, 1.0)
    assert [look.share for look in looks] == pytest.approx([0.95, 0.05])


def test_modes_are_reached_from_the_color_that_is_shown() -> None:
    logits = columns([({RED: 0.7, BLUE: 0.3}, 4)], 3, BINS)
    found = modes(logits.softmax(0)[:, 0, 0], BINS)
    shown = (1.2 * center(RED, BINS))[:, None, None].expand(2, 3, 4)
    [_, other] = alternatives(logits, WHOLE, found, BINS, 1.0, shown)
    reached = shown + other.change * (0.3 + FAINT) / 0.3
    torch.testing.assert_close(reached[:, 0, 0], center(BLUE, BINS), atol=0.1, rtol=0.0)
