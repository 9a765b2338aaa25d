"""What people are shown: each photograph once, and everything else evenly."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations, islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_kit import EACH, photographs, study_params

from photochrom.params.study import StudyParams
from photochrom.study.balance import PhotographSpread, deal, deal_pairs, tournament
from photochrom.study.trials import (
    KINDS,
    Names,
    PlannedTrial,
    Session,
    count,
    fake_turns,
    needed,
    plan_sessions,
    protocols,
    right_answer,
)
from photochrom.study.votes import PROTOCOLS

EXAMPLES = 25
LETTERS = tuple("abcdefghijklm")
TRIALS = st.fixed_dictionaries({name: st.integers(0, 5) for name in PROTOCOLS}).filter(
    lambda trials: any(trials.values())
)


@st.composite
def studies(draw: st.DrawFn, spare: int = 5) -> tuple[StudyParams, Names, list[Session]]:
    """Plan a study of any size, with at most so many photographs to spare."""
    models = LETTERS[: draw(st.integers(2, 13))]
    params = study_params(
        draw(TRIALS),
        practice=draw(st.integers(0, 2)),
        gold=draw(st.integers(0, 2)),
        sessions=draw(st.integers(1, 20)),
        seed=draw(st.integers(0, 2**31)),
    )
    ids = photographs(params, more=draw(st.integers(0, spare)))
    return params, models, plan_sessions(params, models, ids)


def trials_of(sessions: Iterable[Session], protocol: str, kind: str = "trial") -> Iterator[Any]:
    for session in sessions:
        yield from (t for t in session if (t.protocol, t.kind) == (protocol, kind))


def names(trial: PlannedTrial) -> Names:
    return tuple(picture.name for picture in trial.pictures)


def spread(counts: Counter[Any], keys: Iterable[Any]) -> int:
    """Return how far apart the counts of the keys are; a key that never came counts as 0."""
    values = [counts[key] for key in keys]
    return max(values) - min(values)


@given(studies())
@settings(max_examples=EXAMPLES)
def test_nobody_sees_a_photograph_twice(study: tuple[StudyParams, Names, list[Session]]) -> None:
    _, _, sessions = study
    for session in sessions:
        shown = [{picture.photograph for picture in trial.pictures} for trial in session]
        assert all(len(one) == 1 for one in shown)
        assert len(set().union(*shown)) == len(session)


@given(studies())
@settings(max_examples=EXAMPLES)
def test_every_session_has_the_trials_asked_for(
    study: tuple[StudyParams, Names, list[Session]],
) -> None:
    params, _, sessions = study
    for session in sessions:
        found = Counter((trial.protocol, trial.kind) for trial in session)
        asked = {(p, kind): count(params, p, kind) for p in PROTOCOLS for kind in KINDS}
        assert found == Counter(asked)


@given(studies())
@settings(max_examples=EXAMPLES)
def test_photographs_of_trials_gold_and_practice_are_kept_apart(
    study: tuple[StudyParams, Names, list[Session]],
) -> None:
    for session in study[2]:
        assert all(trial.pictures[0].photograph.startswith(trial.kind) for trial in session)


@given(studies())
@settings(max_examples=EXAMPLES)
def test_models_are_shown_equally_often_at_any_point(
    study: tuple[StudyParams, Names, list[Session]],
) -> None:
    _, models, sessions = study
    for protocol in PROTOCOLS:
        judged = ("truth", *models) if protocol == "naturalness" else models
        seen: Counter[str] = Counter()
        for session in sessions:
            for trial in trials_of([session], protocol):
                seen.update(names(trial))
            assert spread(seen, judged) <= 1


@given(studies(spare=0))
# No theorem bounds these counts, so the studies tried are always the same.
@settings(max_examples=EXAMPLES, derandomize=True)
def test_photographs_are_spread_evenly_over_protocols_and_models(
    study: tuple[StudyParams, Names, list[Session]],
) -> None:
    params, models, sessions = study
    ids = photographs(params).trial
    for protocol in protocols(params):
        shown: Counter[str] = Counter()
        cells: Counter[tuple[str, str]] = Counter()
        for trial in trials_of(sessions, protocol):
            shown[trial.pictures[0].photograph] += 1
            cells.update((picture.photograph, picture.name) for picture in trial.pictures)
        assert spread(shown, ids) <= 2
        assert spread(cells, [(name, model) for name in ids for model in models]) <= 3


@given(studies())
@settings(max_examples=EXAMPLES)
def test_the_fake_is_on_either_side_alike(study: tuple[StudyParams, Names, list[Session]]) -> None:
    _, models, sessions = study
    places = Counter(
        (name, place)
        for trial in trials_of(sessions, "real_or_fake")
        for place, name in enumerate(names(trial))
    )
    for model in models:
        assert abs(places[model, 0] - places[model, 1]) <= 1


@given(studies())
@settings(max_examples=EXAMPLES)
def test_the_truth_is_at_every_place_alike(study: tuple[StudyParams, Names, list[Session]]) -> None:
    _, models, sessions = study
    shown = [names(trial) for trial in trials_of(sessions, "pick_real")]
    assert all(sorted(one) == sorted(("truth", *models)) for one in shown)
    places = Counter(one.index("truth") for one in shown)
    assert spread(places, range(len(models) + 1)) <= 1


@given(studies())
@settings(max_examples=EXAMPLES)
def test_pairs_are_compared_equally_often_and_both_ways(
    study: tuple[StudyParams, Names, list[Session]],
) -> None:
    _, models, sessions = study
    shown = [names(trial) for trial in trials_of(sessions, "preference")]
    pairs = Counter(frozenset(pair) for pair in shown)
    assert all(len(pair) == 2 for pair in pairs)
    assert spread(pairs, map(frozenset, combinations(models, 2))) <= 1
    ways = Counter(shown)
    assert all(abs(ways[a, b] - ways[b, a]) <= 1 for a, b in combinations(models, 2))
    first, second = Counter(a for a, _ in shown), Counter(b for _, b in shown)
    assert all(abs(first[model] - second[model]) <= 2 for model in models)


@given(studies())
@settings(max_examples=EXAMPLES)
def test_obvious_trials_show_fakes_beside_the_truth_and_no_model(
    study: tuple[StudyParams, Names, list[Session]],
) -> None:
    _, models, sessions = study
    fakes = {"real_or_fake": 1, "pick_real": len(models), "preference": 1}
    for kind in ("gold", "practice"):
        for protocol, others in fakes.items():
            for trial in trials_of(sessions, protocol, kind):
                assert Counter(names(trial)) == {"truth": 1, "gold": others}
                turns = {picture.turn for picture in trial.pictures}
                assert len(turns) == others + 1
    assert all(names(trial) == ("gold",) for trial in trials_of(sessions, "naturalness", "gold"))
    practised = {names(trial) for trial in trials_of(sessions, "naturalness", "practice")}
    assert practised <= {("truth",), ("gold",)}


def test_practice_comes_right_before_its_protocol() -> None:
    params = study_params(practice=2, gold=2)
    for session in plan_sessions(params, LETTERS[:3], photographs(params)):
        order = list(dict.fromkeys(trial.protocol for trial in session))
        assert [t.protocol for t in session] == sorted(
            (t.protocol for t in session), key=order.index
        )
        for protocol in order:
            kinds = [trial.kind for trial in session if trial.protocol == protocol]
            assert kinds[:2] == ["practice", "practice"]
            assert "practice" not in kinds[2:]


def test_protocols_take_turns_at_the_beginning() -> None:
    params = study_params(sessions=8)
    sessions = plan_sessions(params, LETTERS[:3], photographs(params))
    assert Counter(session[0].protocol for session in sessions) == dict.fromkeys(PROTOCOLS, 2)


def test_gold_trials_stand_at_every_place() -> None:
    params = study_params({"naturalness": 3}, practice=0, sessions=60)
    sessions = plan_sessions(params, LETTERS[:3], photographs(params))
    places = Counter([trial.kind for trial in session].index("gold") for session in sessions)
    assert min(places[place] for place in range(4)) > 5


def test_the_seed_alone_decides_the_plan() -> None:
    params = study_params()
    ids = photographs(params)
    plan = plan_sessions(params, LETTERS[:3], ids)
    assert plan_sessions(params, LETTERS[:3], ids) == plan
    other = params.model_copy(update={"seed": params.seed + 1})
    assert plan_sessions(other, LETTERS[:3], ids) != plan


def test_photographs_are_needed_for_protocols_that_have_trials() -> None:
    params = study_params({"real_or_fake": 4, "preference": 3}, practice=2, gold=1)
    assert protocols(params) == ("real_or_fake", "preference")
    assert [needed(params, kind) for kind in KINDS] == [7, 1, 4]


def test_no_taste_is_wrong() -> None:
    """A preference is practiced, but never a trial whose answer decides who counts."""
    params = study_params(practice=2, gold=3)
    gold = {protocol: count(params, protocol, "gold") for protocol in PROTOCOLS}
    assert gold == {"real_or_fake": 3, "naturalness": 3, "pick_real": 3, "preference": 0}
    assert needed(params, "gold") == 9
    sessions = plan_sessions(params, LETTERS[:3], photographs(params))
    assert list(trials_of(sessions, "preference", "gold")) == []
    assert len(list(trials_of(sessions, "preference", "practice"))) == 2 * len(sessions)


@pytest.mark.parametrize(
    ("protocol", "shown", "answer"),
    [
        ("real_or_fake", ("truth", "gan"), 1),
        ("real_or_fake", ("gan", "truth"), 0),
        ("naturalness", ("truth",), 1),
        ("naturalness", ("gold",), 0),
        ("pick_real", ("a", "b", "truth"), 2),
        ("preference", ("gold", "truth"), 1),
    ],
)
def test_the_right_answer_is_the_truthful_one(
    protocol: str, shown: tuple[str, ...], answer: int
) -> None:
    assert right_answer(protocol, shown) == answer


def test_a_single_fake_has_the_opposite_hues_and_several_differ() -> None:
    assert fake_turns(1) == [180]
    assert fake_turns(2) == [135, 225]
    assert len(set(fake_turns(90))) == 90
    assert min(fake_turns(90)) >= 90
    assert max(fake_turns(90)) <= 270


@given(st.integers(2, 25))
def test_a_tournament_has_every_pair_once_and_all_take_part_evenly(players: int) -> None:
    pairs = tournament(players)
    assert Counter(map(frozenset, pairs)) == Counter(
        map(frozenset, combinations(range(players), 2))
    )
    part, lead = np.zeros(players, int), np.zeros(players, int)
    for first, second in pairs:
        part[[first, second]] += 1
        lead[first], lead[second] = lead[first] + 1, lead[second] - 1
        assert np.ptp(part) <= 1
        assert np.abs(lead).max() <= 1


@given(st.integers(2, 9), st.integers(0, 200))
def test_dealt_pairs_stay_balanced_at_any_point(players: int, dealt: int) -> None:
    rng = np.random.default_rng(dealt)
    lead: Counter[str] = Counter()
    for first, second in islice(deal_pairs(LETTERS[:players], rng), dealt):
        lead[first] += 1
        lead[second] -= 1
        assert max(map(abs, lead.values())) <= 2


def test_of_one_name_there_are_no_pairs_and_of_nothing_nothing_is_dealt() -> None:
    rng = np.random.default_rng(0)
    assert list(deal_pairs(("alone",), rng)) == []
    assert list(deal((), rng)) == []


def test_a_photograph_is_given_out_once_in_a_session() -> None:
    spread_out = PhotographSpread(5, np.random.default_rng(0))
    for _ in range(10):
        given_out = spread_out.assign([("naturalness", ("a",))] * 5)
        assert sorted(given_out) == [0, 1, 2, 3, 4]
    assert spread_out.assign([]) == []


def test_each_has_all_protocols() -> None:
    assert tuple(EACH) == PROTOCOLS
