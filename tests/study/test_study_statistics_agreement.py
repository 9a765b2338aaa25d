"""Krippendorff's alpha: his published example, hand counts, chance."""

import numpy as np
import pytest
from votes_kit import Raters, simulate, vote_row, votes_of

from photochrom.study.agreement import (
    Answers,
    agreement,
    agreement_entry,
    answers,
    coincidences,
    even,
    nominal,
    ordinal,
    scores,
)
from photochrom.study.votes import Vote

# Krippendorff, Computing Krippendorff's Alpha Reliability (2011), section E: four observers,
# twelve units, some not observed. He gives 0.743 (nominal) and 0.815 (ordinal).
OBSERVED = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
CHANCE = Raters(
    strengths=dict.fromkeys("abcd", 0.0),
    fools=dict.fromkeys("abcd", 0.3),
    truth=(0.0, 0.3),
    spread=0.0,
)


def published() -> np.ndarray:
    table = np.array([line.split() for line in OBSERVED.split("\n") if line])
    return np.array(
        [[(unit == str(value)).sum() for value in range(1, 6)] for unit in table.T], float
    )


def of_protocol(votes: tuple[Vote, ...], protocol: str) -> list[Vote]:
    return [one for one in votes if one.protocol == protocol and one.kind == "trial"]


def preferences(*choices: tuple[str, str, str, int]) -> tuple[Vote, ...]:
    """Return votes on (photograph, first, second, answer), each of another person."""
    return votes_of(
        vote_row(protocol="preference", person=n, photograph=p, group=p, shown=f"{a}|{b}", answer=c)
        for n, (p, a, b, c) in enumerate(choices, 1)
    )


def test_alpha_of_the_published_example() -> None:
    pairs = coincidences(published()).sum(0)
    assert float(nominal(pairs)) == pytest.approx(0.743, abs=5e-4)
    assert float(ordinal(pairs)) == pytest.approx(0.815, abs=5e-4)


def test_alpha_as_by_hand() -> None:
    """Ten pairs of two values: Krippendorff (2011), section A, 0.095."""
    one = np.array([0, 1, 0, 0, 0, 0, 0, 0, 1, 0])
    other = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0, 0])
    ones = one + other
    given = np.stack((2 - ones, ones), axis=1).astype(float)
    assert float(nominal(coincidences(given).sum(0))) == pytest.approx(0.095, abs=5e-4)


def test_full_agreement_is_one_and_full_disagreement_below_zero() -> None:
    agree = coincidences(np.array([[3.0, 0], [0, 3]])).sum(0)
    disagree = coincidences(np.array([[1.0, 1], [1, 1]])).sum(0)
    assert [float(of(agree)) for of in (nominal, ordinal, even)] == [1.0, 1.0, 1.0]
    assert float(even(disagree)) == -1.0
    assert float(nominal(disagree)) < 0


def test_one_answer_to_a_unit_agrees_with_none() -> None:
    given = np.array([[2.0, 1], [1, 0], [0, 1]])
    np.testing.assert_array_equal(coincidences(given).sum(0), coincidences(given[:1]).sum(0))


def test_where_nothing_can_be_told_alpha_is_none() -> None:
    single = preferences(("p", "a", "b", 0), ("q", "a", "b", 0))
    assert agreement_entry(single, 100, (0,)) == {"alpha": None, "interval": None, "pairs": 0}
    same = votes_of(vote_row(person=person) for person in (1, 2, 3))
    assert agreement_entry(same, 100, (0,)) == {"alpha": None, "interval": None, "pairs": 3}


def test_one_scene_gives_alpha_without_an_interval() -> None:
    votes = preferences(("p", "a", "b", 0), ("p", "a", "b", 0))
    assert agreement_entry(votes, 100, (0,)) == {"alpha": 1.0, "interval": None, "pairs": 1}


def test_a_choice_is_that_of_a_model_not_of_a_place() -> None:
    votes = preferences(
        ("p", "a", "b", 0), ("p", "b", "a", 1), ("q", "c", "d", 1), ("q", "d", "c", 0)
    )
    assert agreement_entry(votes, 100, (0,))["alpha"] == 1.0
    apart = preferences(
        ("p", "a", "b", 0), ("p", "b", "a", 0), ("q", "c", "d", 0), ("q", "d", "c", 0)
    )
    assert agreement_entry(apart, 100, (0,))["alpha"] == -1.0


def test_other_pictures_of_a_photograph_are_another_unit() -> None:
    votes = preferences(("p", "a", "b", 0), ("p", "a", "c", 0), ("p", "b", "a", 0))
    assert answers(votes).given.tolist() == [[1, 1], [1, 0]]
    assert answers(votes).pairs == 1


@pytest.mark.parametrize("protocol", ["real_or_fake", "naturalness", "pick_real", "preference"])
def test_answers_by_chance_agree_by_chance(protocol: str) -> None:
    votes = of_protocol(votes_of(simulate(120, 20, 1, CHANCE, {protocol: 20})), protocol)
    entry = agreement_entry(votes, 300, (0,))
    assert entry["pairs"] > 500
    assert abs(entry["alpha"]) < 0.06
    low, high = entry["interval"]
    assert low < 0.02
    assert high > -0.02


def test_naturalness_has_an_alpha_of_its_scores() -> None:
    votes = of_protocol(votes_of(simulate(30, 20, 0, trials={"naturalness": 20})), "naturalness")
    entry = agreement_entry(votes, 200, (0,))
    given = scores(votes)
    assert given.given.sum() == len(votes)
    assert entry["alpha_score"] == pytest.approx(float(ordinal(coincidences(given.given).sum(0))))
    assert entry["alpha_score_interval"][0] < entry["alpha_score"]


def test_units_of_a_scene_are_drawn_together() -> None:
    """Ten copies of each unit tell no more than one of each, if they are of one scene."""
    units = published()
    alone = agreement(Answers(units, np.arange(12), nominal), 2000, (0,))[1]
    copied = agreement(
        Answers(np.tile(units, (10, 1)), np.tile(np.arange(12), 10), nominal), 2000, (0,)
    )[1]
    assert alone
    assert copied == pytest.approx(alone, abs=0.05)
