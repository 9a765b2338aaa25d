"""Rates, their intervals and comparisons against closed forms and recounting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom
from votes_kit import simulate, vote_row, votes_of

from photochrom.study import resampling
from photochrom.study.comparisons import comparisons, holm, p_value
from photochrom.study.counting import rate_entries, score_entries, tally, wilson
from photochrom.study.resampling import Draws, draw, interval
from photochrom.study.votes import Vote

Z = 1.959964


def grid(fooled: np.ndarray, groups: np.ndarray | None = None) -> tuple[Vote, ...]:
    """Return the votes of people (rows) on photographs (columns): everyone judges everything."""
    people, photographs = fooled.shape
    names = np.arange(photographs) if groups is None else groups
    return votes_of(
        vote_row(
            person=p + 1,
            number=c + 1,
            photograph=f"{c}.png",
            group=f"scene {names[c]}",
            answer=int(not fooled[p, c]),
        )
        for p in range(people)
        for c in range(photographs)
    )


def drawn(votes: tuple[Vote, ...], resamples: int = 4000) -> Draws:
    draws = draw(votes, resamples, (0, 0))
    assert draws
    return draws


def rate_interval(votes: tuple[Vote, ...]) -> list[float]:
    of = tally(votes)
    found: list[float] = rate_entries(of, of.rate_draws(drawn(votes)))[of.names[0]]["interval"]
    return found


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


# The draws


def test_a_vote_weighs_as_often_as_its_person_times_its_photograph_was_drawn() -> None:
    votes = tuple(one for one in votes_of(simulate(5, 60, group=3)) if one.kind == "trial")
    of, draws = tally(votes), drawn(votes, 7)
    repeated = np.zeros((7, len(of.names)))
    for row in range(7):
        for place, vote in enumerate(votes):
            person = int(draws.people[row, vote.person - 1])
            scene = int(draws.clusters[row, draws.cluster[place]])
            for _ in range(person * scene):
                repeated[row] += of.shown[place]
    np.testing.assert_array_equal(draws.sums(of.shown), repeated)
    assert {(int(c), v.group) for c, v in zip(draws.cluster, votes, strict=True)} == set(
        enumerate(dict.fromkeys(vote.group for vote in votes))
    )


def test_as_many_are_drawn_as_there_are() -> None:
    draws = drawn(grid(np.eye(4, 6)), 500)
    assert (draws.people.sum(1) == 4).all()
    assert (draws.clusters.sum(1) == 6).all()
    assert draws.people.mean(0) == pytest.approx([1] * 4, abs=0.15)


def test_long_tables_are_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = grid(np.eye(4, 6))
    of, draws = tally(votes), drawn(votes, 50)
    whole = draws.sums(of.won)
    monkeypatch.setattr(resampling, "CHUNK", 7 * len(votes))
    np.testing.assert_array_equal(draws.sums(of.won), whole)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_one_person_or_one_scene_shows_no_spread(shape: tuple[int, int]) -> None:
    assert draw(grid(np.zeros(shape)), 100, (0,)) is None
    assert draw(grid(np.zeros((4, 4)), np.zeros(4, int)), 100, (0,)) is None
    assert draw((), 100, (0,)) is None


def test_the_same_seed_draws_the_same() -> None:
    votes = grid(np.eye(5, 7))
    one, other = draw(votes, 200, (3, 1)), draw(votes, 200, (3, 2))
    again = draw(votes, 200, (3, 1))
    assert one
    assert other
    assert again
    assert np.array_equal(one.people, again.people)
    assert np.array_equal(one.doubts(3), again.doubts(3))
    assert not np.array_equal(one.people, other.people)


# Rates


def test_rates_are_shares_of_the_votes_that_judge_a_model() -> None:
    rows = [
        vote_row(number=1, shown="truth|gan", answer=0),
        vote_row(number=2, shown="gan|truth", answer=0),
        vote_row(number=3, shown="gan|truth", answer=1),
        vote_row(number=4, shown="unet|truth", answer=0),
    ]
    entries = rate_entries(tally(votes_of(rows)), None)
    assert entries["gan"]["votes"] == 3
    assert entries["gan"]["rate"] == pytest.approx(100 * 2 / 3)
    assert (entries["unet"]["votes"], entries["unet"]["rate"]) == (1, 0.0)
    assert entries["gan"]["interval"] is None


def test_picking_the_real_one_counts_every_picture_shown() -> None:
    shown = {"protocol": "pick_real", "shown": "gan|truth|unet"}
    rows = [vote_row(number=n, answer=answer, **shown) for n, answer in enumerate((0, 1, 1, 1), 1)]
    entries = rate_entries(tally(votes_of(rows)), None)
    rates = {name: entry["rate"] for name, entry in entries.items()}
    assert rates == {"gan": 25.0, "unet": 0.0, "truth": 75.0}
    assert {entry["votes"] for entry in entries.values()} == {4}


@pytest.mark.parametrize(("won", "votes"), [(0, 12), (3, 12), (50, 100), (12, 12)])
def test_wilson_is_where_the_score_test_just_rejects(won: int, votes: int) -> None:
    center = (won + Z**2 / 2) / (votes + Z**2)
    half = Z / (votes + Z**2) * np.sqrt(won * (votes - won) / votes + Z**2 / 4)
    expected = [100 * (center - half), 100 * (center + half)]
    assert wilson(won, votes) == pytest.approx(expected, abs=1e-4)


# Their intervals, where everyone judges everything: then their errors are known


def test_where_only_people_differ_people_are_what_is_drawn(rng: np.random.Generator) -> None:
    fooled = np.repeat(rng.random((80, 1)) < 0.4, 40, axis=1)
    low, high = rate_interval(grid(fooled))
    told = binom.ppf([0.025, 0.975], 80, fooled.mean()) / 80 * 100
    assert [low, high] == pytest.approx(list(told), abs=1.5)


def test_where_only_scenes_differ_scenes_are_what_is_drawn(rng: np.random.Generator) -> None:
    """Four photographs of a scene are one draw; were they four, the interval were half as wide."""
    scenes = np.repeat(np.arange(50), 4)
    fooled = np.repeat((rng.random(50) < 0.3)[scenes][None], 20, axis=0)
    low, high = rate_interval(grid(fooled, scenes))
    told = binom.ppf([0.025, 0.975], 50, fooled.mean()) / 50 * 100
    assert [low, high] == pytest.approx(list(told), abs=2.1)  # One scene is 2 %.


def test_the_chance_of_the_single_vote_counts_three_times(rng: np.random.Generator) -> None:
    """What the module says of being too wide: McCullagh, 2000, section 4."""
    fooled = rng.random((60, 60)) < 0.5
    low, high = rate_interval(grid(fooled))
    independent = 2 * Z * 100 * np.sqrt(0.25 / 3600)
    assert (high - low) / independent == pytest.approx(np.sqrt(3), rel=0.1)


@pytest.mark.parametrize("fooled", [0, 1])
def test_no_vote_at_all_is_no_certainty(fooled: int) -> None:
    """Nobody was fooled, so no draw differs; the interval is near that of Jeffreys."""
    low, high = rate_interval(grid(np.full((6, 8), fooled)))
    most = 100 * beta.ppf(0.975, 0.5, 48.5)
    expected = [0.0, most] if not fooled else [100 - most, 100.0]
    assert [low, high] == pytest.approx(expected, abs=0.5)


def test_a_draw_without_votes_on_a_model_says_nothing_of_it() -> None:
    """Only one of three people saw unet, so 8 of 27 draws have no vote on it."""
    rows = [
        vote_row(person=p, number=c, photograph=f"{c}", group=f"{c}", shown=f"truth|{name}")
        for p, name in enumerate(("gan", "gan", "unet"), 1)
        for c in range(1, 9)
    ]
    votes = votes_of(rows)
    of, draws = tally(votes), drawn(votes)
    rates, shown = of.rate_draws(draws), draws.sums(of.shown)
    unseen = shown[:, of.names.index("unet")] == 0
    assert unseen.mean() == pytest.approx(8 / 27, abs=0.03)
    assert rates[unseen, 1].mean() == pytest.approx(50, abs=3)
    low, high = rate_entries(of, rates)["unet"]["interval"]
    assert low < 10
    assert high == 100


def test_scores_are_means_with_intervals_over_the_draws_that_have_votes() -> None:
    rows = [
        vote_row(protocol="naturalness", shown=name, person=p, number=c, photograph=f"{c}")
        | {"score": str(score), "group": f"{c}"}
        for p, name in enumerate(("gan", "gan", *["unet"] * 6), 1)
        for c, score in enumerate((1, 2, 3, 4, 5, 5, 5, 5), 1)
    ]
    votes = votes_of(rows)
    of, draws = tally(votes), drawn(votes)
    entries = score_entries(votes, of, draws)
    assert {name: entry["score"] for name, entry in entries.items()} == {"gan": 3.75, "unet": 3.75}
    spread = Z * np.std((1, 2, 3, 4, 5, 5, 5, 5)) / np.sqrt(8)
    low, high = entries["unet"]["score_interval"]
    assert [low, high] == pytest.approx([3.75 - spread, 3.75 + spread], abs=0.2)
    # Of ten draws of eight people one has nobody who saw gan.
    assert entries["gan"]["score_interval"] is None
    assert score_entries(votes, of, None)["unet"]["score_interval"] is None


def test_an_interval_holds_its_value_and_leaves_out_what_could_not_tell() -> None:
    draws = np.append(np.arange(1.0, 40.0), np.nan)
    assert interval(77.0, draws) == [pytest.approx(1.95), 77.0]
    assert interval(0.0, draws) == [0.0, pytest.approx(38.05)]


def test_where_more_than_one_draw_in_twenty_could_not_tell_there_is_no_interval() -> None:
    draws = np.arange(100.0)
    draws[:5] = np.nan
    assert interval(7.0, draws) == [7.0, pytest.approx(96.65)]
    draws[5] = np.nan
    assert interval(7.0, draws) is None
    assert interval(0.0, np.array([np.nan])) is None


# Comparisons


def test_holm_as_by_hand() -> None:
    corrected = holm([0.01, 0.04, 0.03, 0.005])
    assert corrected == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0.0, 1.0), max_size=12))
def test_holm_is_between_the_plain_p_and_bonferronis(p: list[float]) -> None:
    corrected = holm(p)
    for one, mended in zip(p, corrected, strict=True):
        assert one <= mended <= min(1.0, len(p) * one)
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()


def test_p_is_that_of_a_normal_with_the_deviation_of_the_draws() -> None:
    draws = np.random.default_rng(0).normal(3.0, 2.0, 100_000)
    for z, told in ((0.0, 1.0), (Z, 0.05), (2.575829, 0.01), (4.0, 6.334e-5), (7.0, 2.56e-12)):
        moved = draws - draws.mean() + 2 * z
        assert p_value(2 * z, moved) == pytest.approx(told, rel=0.1)
        assert p_value(-2 * z, -moved) == p_value(2 * z, moved)
    assert p_value(3.0, np.append(draws, np.nan)) == p_value(3.0, draws)


def test_p_takes_the_difference_or_the_mean_of_the_draws_whichever_is_nearer_to_0() -> None:
    draws = 1.0 + 2.0 * np.tile([-1.0, 1.0], 5000)
    told = pytest.approx(0.617075, rel=1e-3)  # Half a deviation from 0.
    assert [p_value(value, draws) for value in (1.0, 50.0, -50.0)] == [told] * 3
    assert p_value(0.2, draws) == pytest.approx(0.920344, rel=1e-3)


def test_draws_that_are_all_alike_are_counted() -> None:
    assert p_value(1.0, np.ones(99)) == p_value(-1.0, -np.ones(99)) == pytest.approx(1 / 100)
    assert p_value(0.0, np.zeros(99)) == 1.0


def test_twenty_names_that_clearly_differ_are_all_told_apart() -> None:
    """The correction multiplies by 190, so that a count of 2000 draws could tell none."""
    values = 10.0 * np.arange(20)
    draws = values + np.random.default_rng(0).normal(0, 1, (2000, 20))
    found = comparisons([f"m{k:02d}" for k in range(20)], values, draws)
    assert len(found) == 190
    assert max(one["p_holm"] for one in found) < 1e-6


def test_what_too_few_draws_could_tell_is_unknown_and_still_one_of_those_corrected_for() -> None:
    values = np.array([10.0, 12.0, 30.0])
    draws = values + np.random.default_rng(0).normal(0, 1, (400, 3))
    known = comparisons("ab", values[:2], draws[:, :2])[0]
    draws[:21, 2] = np.nan
    found = comparisons("abc", values, draws)
    for one in found[1:]:
        assert [one[key] for key in ("low", "high", "p", "p_holm")] == [None] * 4
    assert found[0] == known | {"p_holm": pytest.approx(3 * known["p"])}


def test_all_pairs_are_compared_by_the_same_draws() -> None:
    values = np.array([10.0, 30.0, 50.0])
    noise = np.random.default_rng(0).normal(0, 100, (999, 1))
    found = comparisons(("a", "b", "truth"), values, values + noise)
    assert [(one["a"], one["b"]) for one in found] == [("a", "b"), ("a", "truth"), ("b", "truth")]
    for one, difference in zip(found, (-20, -40, -20), strict=True):
        told = (one["difference"], one["low"], one["high"])
        assert told == pytest.approx((difference,) * 3)
        assert one["p"] == pytest.approx(0.001)
        assert one["p_holm"] == pytest.approx(0.003)


def test_without_draws_only_the_differences_are_told() -> None:
    (found,) = comparisons(("a", "b"), np.array([1.0, 3.0]), None)
    assert found == {
        "a": "a",
        "b": "b",
        "difference": -2.0,
        "low": None,
        "high": None,
        "p": None,
        "p_holm": None,
    }
