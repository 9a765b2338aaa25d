"""Distances between sets of features, against closed forms, brute force and torchmetrics."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from photochrom.evaluation.perception import distances
from photochrom.evaluation.perception.distances import fid, kid
from photochrom.evaluation.perception.sets import FeatureSet, Sets


def features(count: int, width: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width)) + shift


def apart(x: np.ndarray, y: np.ndarray) -> Sets:
    """Return two independent sets, each photograph its own group."""
    first, second = np.arange(len(x)), len(x) + np.arange(len(y))
    return Sets(FeatureSet.of(x, first), FeatureSet.of(y, second), (len(x), len(y)))


def paired(x: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> Sets:
    sets = Sets.paired(x, y, np.arange(len(x)) if groups is None else groups)
    assert sets is not None
    return sets


def brute_force(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> float:
    """The mean of h = k(x, x') + k(y, y') - 2 k(x, y') over pairs of different groups."""
    different = groups[:, None] != groups[None, :]

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float((((a @ b.T) / a.shape[1] + 1) ** 3)[different].mean())

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


def test_kid_of_independent_sets_is_that_of_torchmetrics() -> None:
    kid_of = pytest.importorskip("torchmetrics.image.kid")
    x, y = features(30, 8, 0), features(30, 8, 1, shift=0.5)
    theirs = kid_of.poly_mmd(torch.from_numpy(x), torch.from_numpy(y))
    assert kid(apart(x, y), 100, 0)[0] == pytest.approx(float(theirs), rel=1e-9)


def test_kid_of_pairs_leaves_out_an_output_against_its_own_truth() -> None:
    kid_of = pytest.importorskip("torchmetrics.image.kid")
    y = features(30, 8, 1)
    x = 0.9 * y + 0.1 * features(30, 8, 2)
    kernel = (x @ y.T / 8 + 1) ** 3
    own, others = kernel.diagonal().mean(), kernel[~np.eye(30, dtype=bool)].mean()
    theirs = float(kid_of.poly_mmd(torch.from_numpy(x), torch.from_numpy(y)))
    assert kid(paired(x, y), 100, 0)[0] == pytest.approx(theirs + 2 * (own - others) / 30)


def test_kid_compares_only_photographs_of_different_groups() -> None:
    x, y, groups = features(24, 6, 0), features(24, 6, 1, 0.3), np.arange(24) % 7
    assert kid(paired(x, y, groups), 100, 0)[0] == pytest.approx(brute_force(x, y, groups))


@given(st.integers(0, 1000), st.integers(2, 6))
def test_kid_of_a_draw_is_that_of_the_photographs_drawn(seed: int, count: int) -> None:
    x, y, groups = features(12, 3, 0), features(12, 3, 1, 0.3), np.arange(12) % count
    sets = paired(x, y, groups)
    draw = sets.draws(1, seed)
    copies = np.concatenate([np.flatnonzero(groups == g) for g in range(count)])
    drawn = np.repeat(copies, draw[0].astype(int)[groups[copies]])
    if len(np.unique(groups[drawn])) < 2:
        assert np.isnan(distances._discrepancies(sets.x, sets.y, draw)).all()
        return
    expected = brute_force(x[drawn], y[drawn], groups[drawn])
    assert_allclose(distances._discrepancies(sets.x, sets.y, draw), expected, atol=1e-10)


def test_kid_of_the_truth_against_itself_is_0_in_every_draw() -> None:
    y = features(20, 5, 0)
    value, interval = kid(paired(y, y.copy()), 200, 0)
    assert value == pytest.approx(0.0, abs=1e-12)
    assert interval == pytest.approx((0.0, 0.0), abs=1e-12)


def test_kid_does_not_depend_on_the_order_or_on_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, groups = features(40, 5, 0), features(40, 5, 1), np.arange(40) // 3
    whole = kid(paired(x, y, groups), 100, 0)
    order = np.random.default_rng(0).permutation(40)
    monkeypatch.setattr(distances, "CHUNK", 100)
    pieces = kid(paired(x[order], y[order], groups[order]), 100, 0)
    assert pieces[0] == pytest.approx(whole[0])
    assert pieces[1] == pytest.approx(whole[1])


def test_the_interval_of_kid_holds_the_distance_as_often_as_it_says() -> None:
    """Outputs that resemble their truths, and lie 0.3 off in every feature."""
    rng, width = np.random.default_rng(0), 4

    # E (u.v / d + 1)^3 of independent normal vectors around a and b: with m = a.b / d and
    # v = 1 / d + (|a|^2 + |b|^2) / d^2, it is (1 + m)^3 + 3 (1 + m) v, and a third moment
    # 6 a.b / d^3.
    def kernel(a: float, b: float) -> float:
        m, v = a * b, 1 / width + (a * a + b * b) / width
        return (1 + m) ** 3 + 3 * (1 + m) * v + 6 * a * b / width**2

    true = kernel(0.3, 0.3) + kernel(0, 0) - 2 * kernel(0.3, 0)
    held = 0
    for seed in range(60):
        y = rng.normal(size=(120, width))
        x = 0.8 * y + 0.6 * rng.normal(size=(120, width)) + 0.3
        low, high = kid(paired(x, y), 200, seed)[1] or (np.nan, np.nan)
        held += low <= true <= high
    assert 50 <= held <= 60


def test_fid_of_shifted_sets_is_the_squared_shift() -> None:
    x = features(50, 4, 0)
    assert fid(apart(x, x + np.array([3.0, 0.0, 4.0, 0.0]))) == pytest.approx(25.0)


def test_fid_of_scaled_sets_is_the_closed_form() -> None:
    x = features(200, 3, 0)
    x -= x.mean(0)
    # tr(A) + tr(4 A) - 2 tr((4 A^2)^(1/2)) = tr(A).
    assert fid(apart(x, 2 * x)) == pytest.approx(np.trace(np.cov(x.T)))


def test_fid_is_that_of_torchmetrics() -> None:
    fid_of = pytest.importorskip("torchmetrics.image.fid")
    x, y = features(60, 5, 0), features(80, 5, 1, shift=0.4) * 1.5
    parts = [torch.from_numpy(a) for a in (x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T))]
    assert fid(apart(x, y)) == pytest.approx(float(fid_of._compute_fid(*parts)), rel=1e-6)


def test_fid_of_fewer_photographs_than_features_is_exact() -> None:
    linalg = pytest.importorskip("scipy.linalg")
    x, y = features(6, 20, 0), features(7, 20, 1)
    a, b = np.cov(x.T), np.cov(y.T)
    values = np.sqrt(np.clip(linalg.eigvals(a @ b).real, 0, None))
    shift = x.mean(0) - y.mean(0)
    expected = shift @ shift + np.trace(a) + np.trace(b) - 2 * values.sum()
    assert fid(apart(x, y)) == pytest.approx(expected, rel=1e-4)


@given(st.integers(0, 50), st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_halves_divide_whole_groups(seed: int, picks: list[int]) -> None:
    groups = np.unique(picks, return_inverse=True)[1]
    sets = Sets.halved(np.arange(len(groups))[:, None], groups, seed)
    count = len(np.unique(groups))
    if sets is None:
        assert count < 4 or np.bincount(groups).max() > len(groups) / count
        return
    first, second = (set(part.features[:, 0].astype(int)) for part in (sets.x, sets.y))
    assert first | second == set(range(len(groups)))
    assert not first & second
    assert not {groups[n] for n in first} & {groups[n] for n in second}
    assert sum(sets.strata) == count


def test_halves_of_single_photographs_are_equal_and_random() -> None:
    one, other = (Sets.halved(np.arange(20)[:, None], np.arange(20), s) for s in (0, 1))
    assert one is not None
    assert other is not None
    assert one.strata == other.strata == (10, 10)
    assert set(one.x.features[:, 0]) != set(other.x.features[:, 0])


def test_sets_of_one_group_do_not_compare() -> None:
    assert Sets.paired(features(3, 2, 0), features(3, 2, 1), np.zeros(3, dtype=int)) is None
    assert Sets.halved(features(3, 2, 0), np.zeros(3, dtype=int), 0) is None


def test_draws_have_as_many_groups_of_each_stratum() -> None:
    draws = apart(features(5, 2, 0), features(3, 2, 1)).draws(50, 0)
    assert_allclose(draws[:, :5].sum(1), 5)
    assert_allclose(draws[:, 5:].sum(1), 3)
