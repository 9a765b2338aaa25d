"""Simulated people whose preferences are known: the statistics find them again."""

from typing import Any

import numpy as np
import pytest
from votes_kit import FOOLS, LENIENT, STRENGTHS, STRICT, Raters, simulate, votes_of

from photochrom.study.result import study_result

REPETITIONS = 100
STRONGEST_FIRST = sorted(STRENGTHS, key=lambda name: -STRENGTHS[name])


@pytest.fixture(scope="module")
def repetitions() -> list[dict[str, Any]]:
    """Return what 40 people's votes on 60 photographs say, again and again."""
    return [
        study_result(votes_of(simulate(40, 60, seed)), LENIENT, 400, seed)["protocols"]
        for seed in range(REPETITIONS)
    ]


def truths() -> list[tuple[str, str, dict[str, float]]]:
    raters = Raters()
    natural = {name: 100 * raters.natural(name) for name in (*FOOLS, "truth")}
    return [
        ("real_or_fake", "interval", {name: 100 * chance for name, chance in FOOLS.items()}),
        ("naturalness", "interval", natural),
        ("pick_real", "interval", {name: 100 * p for name, p in raters.picking.items()}),
        ("preference", "strength_interval", STRENGTHS),
    ]


@pytest.mark.parametrize(("protocol", "key", "truth"), truths(), ids=lambda value: str(value)[:14])
def test_the_truth_lies_in_95_of_100_intervals(
    repetitions: list[dict[str, Any]], protocol: str, key: str, truth: dict[str, float]
) -> None:
    """Each quantity on its own. All of a protocol at once were within in 97 to 100 of 100."""
    held = np.array(
        [
            [low <= value <= high for name, value in truth.items() for low, high in [of[name][key]]]
            for of in (one[protocol]["models"] for one in repetitions)
        ]
    )
    assert held.shape == (REPETITIONS, len(truth))
    assert (held.mean(0) >= 0.95).all()
    assert held.all(1).mean() >= 0.90


def test_strengths_have_no_bias_to_speak_of(repetitions: list[dict[str, Any]]) -> None:
    models = [one["preference"]["models"] for one in repetitions]
    means = {name: np.mean([of[name]["strength"] for of in models]) for name in STRENGTHS}
    assert means == pytest.approx(STRENGTHS, abs=0.08)


def test_the_order_of_separated_models_is_found(repetitions: list[dict[str, Any]]) -> None:
    for one in repetitions:
        models = one["preference"]["models"]
        assert sorted(models, key=lambda name: -models[name]["strength"]) == STRONGEST_FIRST


def test_models_far_apart_are_told_apart(repetitions: list[dict[str, Any]]) -> None:
    found = [
        pair["p_holm"] < 0.05 and pair["low"] < 0
        for one in repetitions
        for pair in one["preference"]["comparisons"]
        if (pair["a"], pair["b"]) == ("autoencoder", "patchgan")
    ]
    assert len(found) == REPETITIONS
    assert np.mean(found) > 0.95


def test_equal_models_are_seldom_told_apart() -> None:
    equal = Raters(strengths=dict.fromkeys("abcd", 0.0), fools=dict.fromkeys("abcd", 0.3))
    false = [
        any(pair["p_holm"] < 0.05 for pair in protocol["comparisons"] if pair["b"] != "truth")
        for seed in range(20)
        for protocol in study_result(votes_of(simulate(20, 60, seed, equal)), STRICT, 400, seed)[
            "protocols"
        ].values()
    ]
    assert np.mean(false) <= 0.05


def test_equal_models_with_a_handful_of_votes_are_seldom_told_apart() -> None:
    """A model has one vote or two, so that its rate is often 0 or 100: no p is small for that."""
    names = [f"m{k}" for k in range(14)]
    equal = Raters(dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.3), (0.0, 0.3))
    trials = {"real_or_fake": 4, "naturalness": 3}
    p = [
        pair["p"]
        for seed in range(20)
        for protocol in study_result(
            votes_of(simulate(4, 13, seed, equal, trials)), LENIENT, 400, seed
        )["protocols"].values()
        for pair in protocol["comparisons"]
    ]
    assert len(p) > 1000
    assert np.mean(np.array(p) < 0.05) <= 0.05


def test_a_field_of_twenty_can_be_told_apart() -> None:
    """With 190 pairs a p counted among 2000 draws would never survive the correction."""
    chances = np.linspace(0.05, 0.95, 20)
    names = [f"m{k:02d}" for k in range(20)]
    field = Raters(dict.fromkeys(names, 0.0), dict(zip(names, map(float, chances), strict=True)))
    votes = votes_of(simulate(60, 60, 0, field, {"real_or_fake": 40}))
    found = study_result(votes, LENIENT, 2000, 0)["protocols"]["real_or_fake"]["comparisons"]
    told = {(pair["a"], pair["b"]) for pair in found if pair["p_holm"] < 0.05}
    assert len(found) == 190
    assert {(a, b) for a in names[:4] for b in names[-4:]} <= told
