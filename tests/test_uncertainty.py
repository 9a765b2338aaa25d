"""Intervals against closed forms: the standard error of a mean, ratios, groups, coverage."""

import numpy as np
import pandas as pd
import pytest

from photochrom import uncertainty
from photochrom.uncertainty import (
    Bootstrap,
    bootstrap,
    bootstrap_statistic,
    interval,
    paired_differences,
)

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
    table = photographs(values, auc_rebalanced=values, auc_rebalanced_weight=weights)
    ratio = (weights * values).sum() / weights.sum()
    error = np.sqrt((weights**2 * (values - ratio) ** 2).sum()) / weights.sum()
    result = drawn(table, "auc_rebalanced", "auc")
    assert result.means["auc_rebalanced"] == pytest.approx(ratio, rel=1e-12)
    assert width(table, "auc_rebalanced", 8000) == pytest.approx(2 * Z * error, rel=0.04)
    assert result.means["auc"] == pytest.approx(values.mean(), rel=1e-12)


def test_a_ratio_is_not_a_product_of_fixed_weights() -> None:
    """All values equal: whatever the weights drawn, the ratio is that value."""
    values = np.full(20, 42.0)
    table = photographs(values, auc_rebalanced=values, auc_rebalanced_weight=np.arange(1.0, 21.0))
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
    table["auc_rebalanced_weight"] = rng.uniform(1, 2, 50)
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


def ratio_of(sums: np.ndarray) -> np.ndarray:
    quotient: np.ndarray = sums[:, 0] / sums[:, 1]
    return quotient


def test_a_statistic_of_sums_takes_the_draws_of_the_means(rng: np.random.Generator) -> None:
    """A mean written as a statistic of sums is the same mean in the same draws."""
    groups = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    values = rng.normal(70.0, 8.0, len(groups))
    table = photographs(values, groups)
    sums = np.stack((values, np.ones(len(values))), axis=1)
    value, draws = bootstrap_statistic(table["group"], sums, ratio_of, 2000, 0)
    result = drawn(table)
    assert value == pytest.approx(result.means["auc"], rel=1e-12)
    shift = value - result.draws["auc"].mean()
    assert abs(shift) < 0.01 * draws.std() * np.sqrt(2000)
    np.testing.assert_allclose(draws, result.draws["auc"] + shift, rtol=1e-12)


def test_a_statistic_needs_no_mean(rng: np.random.Generator) -> None:
    """The standard deviation from sums, against its delta method: sd / sqrt(2 n) if normal."""
    values = rng.normal(0.0, 3.0, 500)
    table = photographs(values)
    sums = np.stack((np.ones(500), values, values**2), axis=1)

    def deviation(of: np.ndarray) -> np.ndarray:
        spread: np.ndarray = np.sqrt(of[:, 2] / of[:, 0] - (of[:, 1] / of[:, 0]) ** 2)
        return spread

    value, draws = bootstrap_statistic(table["group"], sums, deviation, 4000, 0)
    assert value == pytest.approx(values.std(), rel=1e-9)
    fourth = ((values - values.mean()) ** 4).mean()
    error = np.sqrt((fourth - values.var() ** 2) / 500) / (2 * values.std())
    low, high = interval(draws) or (np.nan, np.nan)
    assert high - low == pytest.approx(2 * Z * error, rel=0.06)


def test_what_a_draw_lacks_does_not_move_the_interval(rng: np.random.Generator) -> None:
    """Draws of few colors overlap less than all photographs do; the interval still holds all."""
    outputs, truth = (rng.multinomial(50, np.full(40, 1 / 40), 60) for _ in range(2))
    table = photographs(np.zeros(60))

    def overlap(sums: np.ndarray) -> np.ndarray:
        shared: np.ndarray = np.minimum(sums[:, :40], sums[:, 40:]).sum(1)
        return shared / sums[:, :40].sum(1)

    sums = np.concatenate((outputs, truth), axis=1)
    value, draws = bootstrap_statistic(table["group"], sums, overlap, 2000, 0)
    low, high = interval(draws) or (np.nan, np.nan)
    assert low < value < high
    assert draws.mean() == pytest.approx(value)


def test_a_statistic_of_one_group_tells_no_interval() -> None:
    group, sums = pd.Series(["a", "a"]), np.array([[1.0, 2.0], [3.0, 2.0]])
    value, draws = bootstrap_statistic(group, sums, ratio_of, 100, 0)
    assert value == 1.0
    assert interval(draws) is None


def test_a_statistic_refuses_a_photograph_without_a_group() -> None:
    with pytest.raises(ValueError, match="needs a group"):
        bootstrap_statistic(pd.Series(["a", None]), np.ones((2, 2)), ratio_of, 100, 0)


def test_a_statistic_stands_beside_the_means(rng: np.random.Generator) -> None:
    a, b = (photographs(rng.normal(70.0, 8.0, 50)) for _ in range(2))
    results = []
    for table in (a, b):
        sums = np.stack((table["auc"], np.ones(50)), axis=1)
        found = bootstrap_statistic(table["group"], sums, ratio_of, 2000, 0)
        results.append(drawn(table).with_statistic("overlap", *found))
    close = {"rel": 1e-2}
    assert results[0].intervals()["overlap"] == pytest.approx(
        results[0].intervals()["auc"], **close
    )
    differences = paired_differences(*results)
    for part in ("value", "low", "high"):
        expected = getattr(differences["auc"], part)
        assert getattr(differences["overlap"], part) == pytest.approx(expected, abs=0.1)
    assert drawn(a).means.index.tolist() == ["auc"]
    with pytest.raises(ValueError, match="overlap has 7 resamples, the others 2000"):
        drawn(a).with_statistic("overlap", 1.0, np.ones(7))


def test_draws_without_any_weight_are_left_out(rng: np.random.Generator) -> None:
    """Of 30 photographs 5 have weight: 0.4 % of the draws hold none of them."""
    values, weights = rng.normal(50.0, 5.0, 30), np.r_[np.ones(5), np.zeros(25)]
    table = photographs(values, bleeding=values, bleeding_weight=weights)
    result = drawn(table, "bleeding")
    empty = result.draws["bleeding"].isna().mean()
    assert empty == pytest.approx((25 / 30) ** 30, abs=0.005)
    low, high = result.intervals()["bleeding"]
    assert values[:5].min() <= low < result.means["bleeding"] < high <= values[:5].max()
    assert np.isfinite(paired_differences(result, result)["bleeding"].low)


def test_too_few_photographs_with_weight_tell_no_interval(rng: np.random.Generator) -> None:
    values, weights = rng.normal(50.0, 5.0, 30), np.r_[np.ones(2), np.zeros(28)]
    table = photographs(values, bleeding=values, bleeding_weight=weights)
    result = drawn(table, "bleeding", "auc")
    assert result.means["bleeding"] == pytest.approx(values[:2].mean())
    assert result.intervals().keys() == {"auc"}
    difference = paired_differences(result, result)["bleeding"]
    assert difference.value == 0.0
    assert np.isnan(difference.low)
    assert not difference.distinguishable


def test_weights_that_are_all_zero_are_refused() -> None:
    values = np.array([1.0, 2.0])
    table = photographs(values, bleeding=values, bleeding_weight=np.zeros(2))
    with pytest.raises(ValueError, match="weights of bleeding are all 0"):
        drawn(table, "bleeding")
