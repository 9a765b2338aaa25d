"""Intervals against closed forms: the standard error of a mean, ratios, groups, coverage."""

import numpy as np
import pandas as pd
import pytest

from photochrom import uncertainty
from photochrom.uncertainty import Bootstrap, bootstrap, paired_differences

Z = 1.959964


def photographs(
    values: np.ndarray, groups: np.ndarray | None = None, **more: object
) -> pd.DataFrame:
    """Return a table of one measure, auc; each photograph its own group unless told."""
    names = np.arange(len(values)) if groups is None else groups
    ids = [f"{n:05d}.png" for n in range(len(values))]
    group = [f"scene {name:05d}" for name in names]
    return pd.DataFrame({"id": ids, "group": group, "auc": values, **more})


def drawn(table: pd.DataFrame, *keys: str, resamples: int = 2000, seed: int = 0) -> Bootstrap:
    return bootstrap(table, keys or ("auc",), resamples, seed)


def width(table: pd.DataFrame, key: str = "auc", resamples: int = 4000) -> float:
    low, high = drawn(table, key, resamples=resamples).intervals()[key]
    return high - low


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_the_interval_is_that_of_the_standard_error(rng: np.random.Generator) -> None:
    values = rng.normal(70.0, 8.0, 400)
    table = photographs(values)
    low, high = drawn(table, resamples=8000).intervals()["auc"]
    error = values.std() / np.sqrt(400)
    assert high - low == pytest.approx(2 * Z * error, rel=0.04)
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.1 * error)
    assert drawn(table).means["auc"] == pytest.approx(values.mean(), rel=1e-12)


@pytest.mark.parametrize("column", ["auc", "group"])
def test_a_missing_number_or_group_is_refused(column: str) -> None:
    table = photographs(np.array([1.0, 2.0, 3.0])).astype({"auc": object})
    table.loc[1, column] = None
    with pytest.raises(ValueError, match="a number and a group of every photograph"):
        drawn(table)


def test_a_weighted_mean_is_resampled_as_a_ratio(rng: np.random.Generator) -> None:
    """Against the delta method for sum(w x) / sum(w); Cochran, Sampling Techniques, 6.3."""
    values, weights = rng.normal(60.0, 5.0, 400), rng.uniform(1.0, 9.0, 400)
    table = photographs(values, auc_rebalanced=values, auc_weight=weights)
    ratio = (weights * values).sum() / weights.sum()
    error = np.sqrt((weights**2 * (values - ratio) ** 2).sum()) / weights.sum()
    result = drawn(table, "auc_rebalanced", "auc")
    assert result.means["auc_rebalanced"] == pytest.approx(ratio, rel=1e-12)
    assert width(table, "auc_rebalanced", 8000) == pytest.approx(2 * Z * error, rel=0.04)
    assert result.means["auc"] == pytest.approx(values.mean(), rel=1e-12)


def test_a_ratio_is_not_a_product_of_fixed_weights() -> None:
    """All values equal: whatever the weights drawn, the ratio is that value."""
    values = np.full(20, 42.0)
    table = photographs(values, auc_rebalanced=values, auc_weight=np.arange(1.0, 21.0))
    assert drawn(table, "auc_rebalanced").intervals()["auc_rebalanced"] == pytest.approx((42, 42))


def test_copies_of_a_photograph_tell_nothing_new(rng: np.random.Generator) -> None:
    values = rng.normal(70.0, 8.0, 40)
    once = drawn(photographs(values)).intervals()["auc"]
    tiles = photographs(np.repeat(values, 10), np.repeat(np.arange(40), 10))
    assert drawn(tiles).intervals()["auc"] == pytest.approx(once, rel=1e-12)
    alone = photographs(np.repeat(values, 10))
    assert width(alone) < (once[1] - once[0]) / 2


def test_groups_of_different_sizes_weigh_as_many_photographs(rng: np.random.Generator) -> None:
    groups = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    values = rng.normal(70.0, 8.0, len(groups))
    mean, scene = values.mean(), np.bincount(groups, values)
    error = np.sqrt(((scene - mean * np.bincount(groups)) ** 2).sum()) / len(values)
    assert width(photographs(values, groups), resamples=8000) == pytest.approx(
        2 * Z * error, rel=0.08
    )


def test_about_95_of_100_intervals_hold_the_true_mean(rng: np.random.Generator) -> None:
    samples = (drawn(photographs(rng.normal(5.0, 2.0, 60)), resamples=400) for _ in range(300))
    held = [low <= 5.0 <= high for low, high in (s.intervals()["auc"] for s in samples)]
    assert 0.90 <= np.mean(held) <= 0.98


def test_the_seed_decides_the_draws(rng: np.random.Generator) -> None:
    table = photographs(rng.normal(70.0, 8.0, 50))
    assert drawn(table).draws.equals(drawn(table).draws)
    assert not drawn(table, seed=1).draws.equals(drawn(table).draws)


def test_the_order_of_rows_does_not_matter(rng: np.random.Generator) -> None:
    table = photographs(rng.normal(70.0, 8.0, 50), np.repeat(np.arange(10), 5))
    turned = drawn(table.iloc[::-1])
    assert turned.pairs_with(drawn(table))
    np.testing.assert_allclose(turned.draws, drawn(table).draws, rtol=1e-12)


def test_draws_in_parts_are_those_in_one(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = photographs(rng.normal(70.0, 8.0, 50))
    whole = drawn(table, resamples=500).draws
    monkeypatch.setattr(uncertainty, "CHUNK", 50 * 64)
    parts = drawn(table, resamples=500).draws
    assert len(parts) == 500
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


def test_one_group_tells_nothing() -> None:
    table = photographs(np.array([1.0, 2.0]), np.zeros(2, dtype=int))
    alone = drawn(table)
    assert alone.means["auc"] == 1.5
    assert alone.intervals() == {}
    assert not paired_differences(alone, alone)["auc"].distinguishable


def test_a_table_differs_from_itself_by_nothing(rng: np.random.Generator) -> None:
    table = photographs(rng.normal(70.0, 8.0, 50), auc_rebalanced=rng.normal(60.0, 8.0, 50))
    table["auc_weight"] = rng.uniform(1, 2, 50)
    one, again = (drawn(table, "auc", "auc_rebalanced") for _ in range(2))
    found = paired_differences(one, again)
    assert found.keys() == {"auc", "auc_rebalanced"}
    for difference in found.values():
        assert (difference.value, difference.low, difference.high) == (0.0, 0.0, 0.0)
        assert not difference.distinguishable


def test_a_paired_difference_sees_what_single_intervals_hide(rng: np.random.Generator) -> None:
    hardness, gain = rng.normal(70.0, 8.0, 200), rng.normal(0.5, 1.0, 200)
    a, b = photographs(hardness + gain), photographs(hardness)
    found = paired_differences(drawn(a), drawn(b))["auc"]
    assert found.value == pytest.approx(gain.mean())
    assert found.high - found.low == pytest.approx(2 * Z * gain.std() / np.sqrt(200), rel=0.06)
    assert found.high - found.low < np.hypot(width(a), width(b)) / 4
    assert found.distinguishable
    assert paired_differences(drawn(b), drawn(a))["auc"].distinguishable
    assert drawn(a).intervals()["auc"][0] < drawn(b).intervals()["auc"][1]


def test_a_difference_turned_round_has_its_sign_turned(rng: np.random.Generator) -> None:
    a, b = (drawn(photographs(rng.normal(70.0, 8.0, 50))) for _ in range(2))
    one, other = paired_differences(a, b)["auc"], paired_differences(b, a)["auc"]
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_distances_from_zero_are_compared_where_asked(rng: np.random.Generator) -> None:
    noise = rng.normal(0.0, 0.1, 50)
    under, over = drawn(photographs(noise - 2.0)), drawn(photographs(noise + 2.0))
    assert paired_differences(under, over)["auc"].high < -3.9
    folded = paired_differences(under, over, {"auc"})["auc"]
    assert folded.value == pytest.approx(-2 * noise.mean())
    assert abs(folded.value) < 0.2


def test_only_measures_that_both_have_are_compared(rng: np.random.Generator) -> None:
    values = rng.normal(70.0, 8.0, 50)
    both = drawn(photographs(values, psnr=values), "auc", "psnr")
    assert paired_differences(both, drawn(photographs(values))).keys() == {"auc"}


@pytest.mark.parametrize("other", ["id", "group", "seed", "resamples"])
def test_what_was_not_drawn_alike_is_not_paired(rng: np.random.Generator, other: str) -> None:
    values = rng.normal(70.0, 8.0, 50)
    table = photographs(values)
    if other in table:
        table.loc[3, other] = "another"
    changes = {other: 101} if other not in table else {}
    with pytest.raises(ValueError, match="same photographs and draws"):
        paired_differences(drawn(photographs(values)), drawn(table, **changes))
