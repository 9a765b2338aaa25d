"""Weighted k-means by halving."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.colorizer.clustering import centers, clusters, sums


def blobs(*places: tuple[float, float]) -> torch.Tensor:
    """Return points at distance 1 around some places, four for each."""
    around = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    return torch.cat([around + torch.tensor(place) for place in places])


def test_separate_blobs_are_found() -> None:
    points = blobs((0.0, 0.0), (50.0, 3.0), (20.0, 40.0))
    labels = clusters(points, torch.ones(12), most=5, radius=2.0)
    means = centers(points, torch.ones(12), labels)
    assert sorted(map(tuple, means.round().tolist())) == [(0.0, 0.0), (20.0, 40.0), (50.0, 3.0)]
    assert all(len(labels[place : place + 4].unique()) == 1 for place in (0, 4, 8))


def test_what_lies_within_the_radius_stays_whole() -> None:
    # The root mean square distance from the center of a blob is 1.
    points = blobs((7.0, 7.0))
    assert clusters(points, torch.ones(4), most=4, radius=1.01).tolist() == [0, 0, 0, 0]
    assert clusters(points, torch.ones(4), most=4, radius=0.99).max() > 0


def test_there_are_never_more_than_asked_for() -> None:
    points = blobs((0.0, 0.0), (50.0, 0.0), (0.0, 50.0), (50.0, 50.0))
    counts = [len(clusters(points, torch.ones(16), most, 2.0).unique()) for most in (1, 2, 3, 4, 9)]
    assert counts == [1, 2, 3, 4, 4]


def test_a_center_is_the_weighted_mean() -> None:
    points, weights = torch.tensor([[0.0], [10.0], [99.0]]), torch.tensor([3.0, 1.0, 2.0])
    labels = torch.tensor([0, 0, 1])
    assert centers(points, weights, labels).tolist() == [[2.5], [99.0]]
    assert sums(weights[:, None], labels).tolist() == [[4.0], [2.0]]


def test_light_points_hardly_count_as_spread() -> None:
    points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [90.0, 0.0]])
    weights = torch.tensor([1.0, 1.0, 1e-6])
    assert clusters(points, weights, most=3, radius=1.0).tolist() == [0, 0, 0]
    assert clusters(points, torch.ones(3), most=2, radius=1.0).tolist() == [0, 0, 1]


def test_equal_points_are_one_cluster() -> None:
    points = torch.full((9, 3), 4.2)
    assert clusters(points, torch.ones(9), most=3, radius=0.5).tolist() == [0] * 9


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), most=st.integers(1, 5))
def test_labels_are_numbered_without_gaps_and_every_point_is_with_its_nearest(
    seed: int, most: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    points = 50.0 * torch.randn(40, 3, generator=generator, dtype=torch.float64)
    weights = 0.1 + torch.rand(40, generator=generator, dtype=torch.float64)
    labels = clusters(points, weights, most, radius=5.0)
    assert labels.unique().tolist() == list(range(int(labels.max()) + 1))
    assert len(labels.unique()) <= most
    nearest = torch.cdist(points, centers(points, weights, labels)).argmin(1)
    assert torch.equal(nearest, labels)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_points_plays_no_part(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    points = 50.0 * torch.randn(30, 2, generator=generator, dtype=torch.float64)
    order = torch.randperm(30, generator=generator)
    weights = torch.ones(30, dtype=torch.float64)
    labels = clusters(points, weights, most=4, radius=5.0)
    shuffled = clusters(points[order], weights, most=4, radius=5.0)
    assert torch.equal(labels[order], shuffled)
