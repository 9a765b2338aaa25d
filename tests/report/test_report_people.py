"""What people said: read, ordered, told in words; and a page without any votes."""

import copy
import dataclasses
import itertools
from pathlib import Path
from typing import Any

import pytest
from made_details import judged, make_study, votes

from photochrom.params import Params
from photochrom.report.collect import Results, collect
from photochrom.report.page import render
from photochrom.report.people import People, people_of
from photochrom.report.sections import people as section
from photochrom.report.verdict import verdict


def _read(root: Path, values: dict[str, Any] | None = None) -> People:
    make_study(root, values)
    return people_of(root)


def test_protocols_have_one_order_and_models_the_best_first(tmp_path: Path) -> None:
    people = _read(tmp_path, votes())
    assert [p.name for p in people.protocols] == ["real_or_fake", "naturalness", "preference"]
    real, natural, preference = people.protocols
    assert [one.name for one in real.models] == ["classifier", "regressor"]
    assert [one.name for one in natural.models] == ["truth", "classifier", "regressor"]
    assert [one.strength for one in preference.models] == [0.7, -0.7]


def test_the_best_are_the_first_and_what_does_not_differ_for_sure(tmp_path: Path) -> None:
    real, natural, _ = _read(tmp_path, votes()).protocols
    assert [one.name for one in real.best] == ["classifier"]
    assert [one.name for one in natural.best] == ["classifier", "regressor"]


def test_who_voted_and_who_was_left_out_is_told(tmp_path: Path) -> None:
    assert section.basis(_read(tmp_path, votes())) == (
        "38 people gave 1,900 votes on 60 test photographs. Left out by the rule of params.yaml: "
        "1 who missed too many trials whose answer is obvious, 2 who stopped too early."
    )
    assert "params.yaml: nobody." in section.basis(_read(tmp_path))


def test_numbers_stand_beside_both_intervals(tmp_path: Path) -> None:
    real, natural, preference = section.panels(_read(tmp_path, votes()))
    assert dict(real.lines)["regressor"] == ("200", "12.5", "4.5 to 21.5", "8.5 to 17.5")
    assert len(real.headings) == len(dict(real.lines)["regressor"])
    assert dict(natural.lines)["truth"][4:] == ("4.50", "4.20 to 4.80")
    assert dict(preference.lines)["regressor"][4:] == ("−0.70", "−1.20 to −0.20")


def test_only_pairs_that_differ_for_sure_are_listed_the_larger_first(tmp_path: Path) -> None:
    real, natural, preference = section.panels(_read(tmp_path, votes()))
    assert real.apart == ("classifier above regressor by 18.5 points (16.5 to 19.5; p < 0.001)",)
    assert natural.apart == ()
    assert preference.apart == ("classifier above regressor by 1.40 (−0.60 to 2.40; p = 0.010)",)


def test_agreement_is_told_or_that_it_cannot_be(tmp_path: Path) -> None:
    real, natural, _ = section.panels(_read(tmp_path, votes()))
    assert "alpha 0.23 (0.10 to 0.40)" in real.agreement
    assert "cannot be told" in natural.agreement


def test_what_cannot_be_told_is_no_number(tmp_path: Path) -> None:
    values = votes()
    for one in values["protocols"]["preference"]["models"].values():
        one.update(interval=None, strength_interval=None)
    lonely = values["protocols"]["preference"]["models"]["classifier"]
    lonely.update(strength=None)
    values["protocols"]["preference"]["comparisons"] = []
    values["protocols"]["real_or_fake"]["models"]["unseen"] = {
        "votes": 0,
        "rate": None,
        "wilson": None,
        "interval": None,
    }
    real, _, preference = section.panels(_read(tmp_path, values))
    assert "unseen" not in dict(real.lines)
    assert dict(preference.lines)["regressor"][2] == "–"
    assert [name for name, _ in preference.lines] == ["regressor", "classifier"]
    assert dict(preference.lines)["classifier"][4:] == ("–", "–")
    assert "No votes connect classifier to the others" in preference.basis


def test_a_single_person_tells_nothing_for_sure(tmp_path: Path, results: Results) -> None:
    values = votes() | {"people": 1, "votes": 1}
    values["protocols"] = {"real_or_fake": values["protocols"]["real_or_fake"] | {"people": 1}}
    for one in values["protocols"]["real_or_fake"]["comparisons"]:
        one.update(low=None, high=None, p=None, p_holm=None)
    people = _read(tmp_path, values)
    (real,) = people.protocols
    assert [one.name for one in real.best] == ["classifier"]
    assert not real.sure
    assert section.panels(people)[0].apart == ()
    assert section.basis(people).startswith("1 person gave 1 vote on 60 test photographs.")
    text = " ".join(verdict(dataclasses.replace(results, people=people)))
    assert (
        "To 1 person, classifier came closest to real (its colors were taken for the real ones "
        "in 31\u00a0% of the trials, where a perfect illusion reaches 50\u00a0%), though the votes "
        "are too few to tell that from chance." in text
    )


def test_where_nobody_differs_the_verdict_says_any_other(tmp_path: Path, results: Results) -> None:
    values = votes()
    names = list("abcd")
    equal = [
        {"a": a, "b": b, "difference": 1.0, "low": -1.0, "high": 3.0, "p": 0.5, "p_holm": 1.0}
        for a, b in itertools.combinations(names, 2)
    ]
    real = values["protocols"]["real_or_fake"]
    real |= {"models": {name: judged(100, 30.0) for name in names}, "comparisons": equal}
    changed = dataclasses.replace(results, people=_read(tmp_path, values))
    assert "50\u00a0%), though it is not distinguishable from any other." in " ".join(
        verdict(changed)
    )


def test_chance_is_a_line_where_there_is_something_to_guess(tmp_path: Path) -> None:
    real, natural, preference = section.panels(_read(tmp_path, votes()))
    assert "a perfect illusion" in real.figure
    assert "illusion" not in natural.figure
    assert ">mean<" in preference.figure


def test_without_votes_the_page_says_how_to_ask(results: Results) -> None:
    text = render(results)
    assert "Nobody has been asked yet" in text
    assert "<code>photochrom study serve</code>" in text
    assert "people" not in " ".join(verdict(results))


def test_with_votes_the_page_and_the_verdict_tell_them(params: Params, project: Path) -> None:
    make_study(project, votes())
    results = collect(params, project)
    text = render(results)
    for words in ("Taken for real", "Called natural", "Preferred", "1 pair that differs for sure"):
        assert words in text
    assert "Nobody has been asked" not in text
    assert (
        "To 38 people, classifier came closest to real (its colors were taken for the real ones "
        "in 31\u00a0% of the trials, where a perfect illusion reaches 50\u00a0%)."
    ) in verdict(results)


@pytest.mark.parametrize(
    ("only", "words"),
    [
        ("naturalness", "classifier looked natural most often of the colorizers (40\u00a0% of its "
         "pictures), though it is not distinguishable from regressor."),
        ("preference", "classifier came out strongest (preferred in 60\u00a0% of its "
         "comparisons)."),
    ],
)  # fmt: skip
def test_the_verdict_takes_the_first_protocol_with_votes(
    tmp_path: Path, results: Results, only: str, words: str
) -> None:
    values = copy.deepcopy(votes())
    values["protocols"] = {only: values["protocols"][only]}
    changed = dataclasses.replace(results, people=_read(tmp_path, values))
    assert words in " ".join(verdict(changed))


def test_the_verdict_counts_the_people_of_its_protocol(tmp_path: Path, results: Results) -> None:
    values = votes()
    values["protocols"]["real_or_fake"]["people"] = 7
    changed = dataclasses.replace(results, people=_read(tmp_path, values))
    assert "To 7 people, classifier" in " ".join(verdict(changed))


def test_picking_the_real_one_ranks_colorizers_below_the_truth(
    tmp_path: Path, results: Results
) -> None:
    values = votes()
    pick = copy.deepcopy(values["protocols"]["real_or_fake"])
    pick["models"]["truth"] = judged(200, 60.0)
    values["protocols"] = {"pick_real": pick}
    changed = dataclasses.replace(results, people=_read(tmp_path, values))
    assert (
        "classifier was picked as the real photograph most often of the colorizers (in 31\u00a0% "
        "of the trials)." in " ".join(verdict(changed))
    )


def test_without_any_strength_nobody_came_out_strongest(tmp_path: Path, results: Results) -> None:
    values = votes()
    for one in values["protocols"]["preference"]["models"].values():
        one.update(strength=None, strength_interval=None)
    values["protocols"] = {"preference": values["protocols"]["preference"]}
    people = _read(tmp_path, values)
    assert people.protocols[0].best == ()
    assert "strongest" not in " ".join(verdict(dataclasses.replace(results, people=people)))
    assert "No votes connect" in section.panels(people)[0].basis


def test_a_name_with_dollar_signs_is_drawn_as_it_stands(tmp_path: Path) -> None:
    values = votes()
    for protocol in values["protocols"].values():
        protocol["models"]["$\\frac$ & <$x_1$>"] = protocol["models"].pop("regressor")
        protocol["comparisons"] = []
    real, *_ = section.panels(_read(tmp_path, values))
    assert "$\\frac$ &amp; &lt;$x_1$&gt;" in real.figure
