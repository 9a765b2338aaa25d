"""Bradley and Terry's model: closed forms, an independent maximizer, and hard fields."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from votes_kit import vote_row, votes_of

from photochrom.study import strengths as strengths_module
from photochrom.study.resampling import draw
from photochrom.study.strengths import fit, fit_with_rival, largest_part, strengths
from photochrom.study.votes import Vote

CYCLE = np.array([[0, 5, 3], [2, 0, 6], [4, 1, 0]], float)


def won(*matches: tuple[str, str, int]) -> tuple[Vote, ...]:
    """Return votes for the first over the second, each by one of four people on ten scenes."""
    pairs = [(a, b) for a, b, times in matches for _ in range(times)]
    return votes_of(
        vote_row(
            protocol="preference",
            person=place % 4 + 1,
            number=place // 4 + 1,
            photograph=f"{place % 10}",
            group=f"{place % 10}",
            shown=f"{a}|{b}" if place % 2 else f"{b}|{a}",
            answer=1 - place % 2,
        )
        for place, (a, b) in enumerate(pairs)
    )


@pytest.mark.parametrize("share", [0.5, 0.6, 0.93])
def test_two_models_are_apart_by_the_log_odds(share: float) -> None:
    wins = 1000 * np.array([[0, share], [1 - share, 0]])
    one, other = fit(wins)
    assert one - other == pytest.approx(np.log(share / (1 - share)), abs=1e-9)
    assert one + other == pytest.approx(0, abs=1e-12)


def test_three_models_as_an_independent_maximizer_finds_them() -> None:
    def minus_likelihood(free: np.ndarray) -> float:
        found = np.append(free, 0)
        return -float((CYCLE * np.log(expit(found[:, None] - found))).sum())

    expected = np.append(minimize(minus_likelihood, np.zeros(2), tol=1e-12).x, 0)
    np.testing.assert_allclose(fit(CYCLE), expected - expected.mean(), atol=1e-5)


def test_many_fields_at_once_are_fitted_as_each_alone() -> None:
    fields = np.random.default_rng(0).integers(1, 9, (20, 5, 5)) * (1 - np.eye(5))
    np.testing.assert_allclose(fit(fields), [fit(one) for one in fields], atol=1e-9)


@given(st.integers(2, 6), st.integers(0, 2**32 - 1), st.floats(1e-6, 2.0))
def test_the_likelihood_is_greatest_in_every_field(models: int, seed: int, doubt: float) -> None:
    """Where it is, wins are as many as the strengths let expect; also where some always win."""
    rng = np.random.default_rng(seed)
    wins = rng.integers(0, 40, (models, models)) * rng.integers(0, 2, (models, models)) * 1.0
    np.fill_diagonal(wins, 0)
    doubts = np.full((models, 2), doubt)
    found = fit_with_rival(wins, doubts)
    expected = ((wins + wins.T) * expit(found[:, None] - found)).sum(1)
    excess = wins.sum(1) - expected  # Left to the matches with the rival, lost or won.
    assert abs(found.sum()) < 1e-6
    assert (np.abs(excess) <= doubt + 1e-6).all()
    assert abs(excess.sum()) < 1e-6


def test_models_that_won_all_votes_have_no_greatest_likelihood() -> None:
    with pytest.raises(ValueError, match="won or lost all votes"):
        fit(np.array([[0, 4], [0, 0]], float))
    with pytest.raises(ValueError, match="won or lost all votes"):
        fit(np.stack((CYCLE, np.triu(CYCLE))))


def test_strengths_that_do_not_settle_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strengths_module, "STEPS", 1)
    with pytest.raises(RuntimeError, match="did not settle within 1 steps"):
        fit(CYCLE)


def test_a_model_that_always_wins_is_strong_by_no_more_than_its_votes_tell() -> None:
    few, many = (strengths(won(("a", "b", n)), "ab", None).values for n in (3, 300))
    assert 0 < np.ptp(few) < np.ptp(many) < 10


@pytest.mark.parametrize("votes", [100, 1_000, 100_000])
def test_the_rival_vanishes_beside_many_votes(votes: int) -> None:
    """Its pull is of the order of one vote among all."""
    wins = votes * CYCLE / CYCLE.sum()
    pull = np.abs(fit_with_rival(wins, np.full((3, 2), 0.5)) - fit(wins)).max()
    assert 0 < pull < 3 / votes


def test_votes_are_counted_for_the_one_chosen_wherever_it_stood() -> None:
    found = strengths(won(("a", "b", 600), ("b", "a", 400)), ("a", "b"), None)
    assert np.ptp(found.values) == pytest.approx(np.log(1.5), abs=2e-3)
    assert found.values[0] > 0
    assert found.connected


def test_models_that_no_votes_connect_to_the_most_have_no_strength() -> None:
    votes = won(("a", "b", 5), ("b", "a", 5), ("x", "y", 4), ("y", "z", 4), ("z", "x", 4))
    found = strengths(votes, ("a", "b", "x", "y", "z"), draw(votes, 200, (0,)))
    assert not found.connected
    assert found.members.tolist() == [2, 3, 4]
    assert found.values == pytest.approx([0, 0, 0], abs=1e-9)
    assert found.draws is not None
    assert found.draws.shape == (200, 3)
    assert np.abs(found.draws.mean(1)).max() < 1e-9


def test_of_parts_of_one_size_that_with_more_votes_is_the_largest() -> None:
    apart = np.zeros((4, 4))
    apart[0, 1] = apart[2, 3] = 5
    assert largest_part(apart).tolist() == [0, 1]
    apart[3, 2] = 1
    assert largest_part(apart).tolist() == [2, 3]


def test_draws_spread_as_the_votes_do() -> None:
    """Everyone answers alike on a scene, so only the ten scenes are drawn: 7 of them for a."""
    rows = [
        vote_row(protocol="preference", shown="a|b", answer=int(c >= 7), person=p, number=c + 1)
        | {"photograph": f"{c}", "group": f"{c}"}
        for p in range(1, 9)
        for c in range(10)
    ]
    votes = votes_of(rows)
    found = strengths(votes, ("a", "b"), draw(votes, 4000, (0,)))
    assert found.draws is not None
    shares = expit(found.draws[:, 0] - found.draws[:, 1])
    assert shares.mean() == pytest.approx(0.7, abs=0.01)
    assert shares.std() == pytest.approx(np.sqrt(0.7 * 0.3 / 10), rel=0.05)
