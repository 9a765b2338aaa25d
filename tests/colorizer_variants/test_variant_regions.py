"""The regions of a photograph that are colored alike."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from variants_kit import BLUE, GRAY, GREEN, RED, columns

from photochrom.color.bins import gamut313
from photochrom.colorizer.regions import MOST, SMALLEST, regions, softened

BINS = gamut313()


def test_an_even_photograph_is_one_region() -> None:
    probabilities = columns([({RED: 0.5, BLUE: 0.5}, 9)], 7, BINS).softmax(0)
    assert torch.equal(regions(probabilities, BINS), torch.ones(1, 7, 9))


def test_stripes_are_regions() -> None:
    probabilities = columns([({RED: 1.0}, 10), ({BLUE: 1.0}, 10)], 8, BINS).softmax(0)
    found = regions(probabilities, BINS)
    assert len(found) == 2
    left = found[int(found[1, 0, 0])]
    assert torch.equal(left, (torch.arange(20) < 10).float().expand(8, 20))


def test_a_region_is_softened_at_its_border_only() -> None:
    left = (torch.arange(20) < 10).float().expand(8, 20)
    expected = torch.cat((torch.ones(9), torch.tensor([2 / 3, 1 / 3]), torch.zeros(9)))
    assert torch.allclose(softened(left), expected.expand(8, 20))
    assert torch.allclose(softened(left) + softened(1 - left), torch.ones(8, 20))


def test_two_places_of_one_kind_are_one_region() -> None:
    stripes = [({RED: 1.0}, 8), ({BLUE: 1.0}, 8), ({RED: 1.0}, 8)]
    found = regions(columns(stripes, 8, BINS).softmax(0), BINS)
    assert len(found) == 2
    assert torch.equal(found[:, :, 0], found[:, :, -1])


def test_a_speckle_is_not_a_region_of_its_own() -> None:
    logits = columns([({RED: 1.0}, 20), ({BLUE: 1.0}, 20)], 20, BINS).clone()
    # A pixel of the left in the middle of the right.
    logits[:, 10, 30] = logits[:, 0, 0]
    found = regions(logits.softmax(0), BINS)
    assert torch.equal(found[:, 10, 30], found[:, 0, -1])


def test_a_small_part_joins_the_one_most_like_it() -> None:
    likely, small = {RED: 1.0}, {RED: 0.03, GREEN: 0.97}
    width = 100
    narrow = round(SMALLEST * width) - 1
    stripes = [(likely, width // 2), ({BLUE: 1.0}, width // 2 - narrow), (small, narrow)]
    found = regions(columns(stripes, 10, BINS).softmax(0), BINS)
    assert len(found) == 2
    assert torch.equal(found[:, :, -1], found[:, :, 0])


def test_there_are_only_a_few() -> None:
    colors = [RED, BLUE, GREEN, GRAY, (-60.0, 0.0), (80.0, -40.0)]
    stripes = [({color: 1.0}, 8) for color in colors]
    assert len(regions(columns(stripes, 12, BINS).softmax(0), BINS)) == MOST


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3)])
def test_any_size_is_divided(size: tuple[int, int]) -> None:
    logits = torch.randn(len(BINS), *size, generator=torch.Generator().manual_seed(1)) * 4
    found = regions(logits.softmax(0), BINS)
    assert found.shape[1:] == size
    assert torch.equal(found.sum(0), torch.ones(size))
    assert softened(found[0]).shape == size


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_each_pixel_belongs_to_one_region_and_each_region_has_some(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, len(BINS), 3, 4, generator=generator) * 3
    logits = torch.nn.functional.interpolate(coarse, (15, 18), mode="bicubic")[0]
    found = regions(logits.softmax(0), BINS)
    assert torch.equal(found.max(0).values, torch.ones(15, 18))
    assert torch.equal(found.sum(0), torch.ones(15, 18))
    assert found.sum((1, 2)).min() > 0
