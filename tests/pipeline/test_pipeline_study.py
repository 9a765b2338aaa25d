"""From people's votes to the report, in a pipeline that has run.

The tests go on from where test_pipeline.py left the pipeline and from one another's state; the last
leaves it as the first found it.
"""

from typing import Any

import pytest
from pipeline_clone import CLASSIFICATION, GAN, MODELS, REGRESSION, Clone, Finished
from pipeline_questions import digests
from pipeline_votes import CAREFUL, take_part, write_votes

from photochrom.files import read_json

STUDIED = ["study", "report"]
VOTES, STUDY = "data/votes/votes.csv", "data/study/study.db"
NOBODY = "Nobody has been asked yet"


@pytest.fixture(scope="module", autouse=True)
def untouched(finished: Finished) -> tuple[str, dict[str, str]]:
    """The page without votes, and the digests of the models."""
    return page(finished.clone), digests(finished.clone)


def test_votes_are_counted_and_shown(clone: Clone, untouched: tuple[str, dict[str, str]]) -> None:
    assert NOBODY in untouched[0]
    write_votes(clone.root / VOTES)
    counted = clone.dvc("repro")
    assert counted.ran == STUDIED, counted.told
    study, text = result(clone), page(clone)
    assert (study["people"], study["votes"], study["photographs"]) == (CAREFUL, 60, 12)
    assert study["excluded"] == {"gold": 1, "fastest": 0, "finished": 1}
    told, preferred = (study["protocols"][name] for name in ("real_or_fake", "preference"))
    assert rates(told) == {REGRESSION: 25.0, CLASSIFICATION: 75.0}
    assert rates(preferred) == {CLASSIFICATION: 75.0, GAN: 25.0}
    assert NOBODY not in text
    assert f"{CAREFUL} people gave 60 votes on 12 test photographs." in text
    assert "1 who missed too many trials whose answer is obvious, 1 who stopped" in text


def test_what_the_next_people_will_see_runs_nothing(clone: Clone) -> None:
    with clone.restored():
        clone.set("study.trials.preference", 2)
        clone.set("study.sessions", 3)
        clone.set("study.models", [GAN, REGRESSION])
        planned = clone.dvc("repro")
    assert planned.ran == [], planned.told


def test_whose_votes_count_is_counted_anew(clone: Clone) -> None:
    with clone.restored():
        clone.set("study.exclude.finished", 0.1)
        lenient = clone.dvc("repro")
    assert lenient.ran == STUDIED, lenient.told
    study = result(clone)
    assert (study["people"], study["excluded"]["finished"]) == (CAREFUL + 1, 0)
    assert f"{CAREFUL + 1} people gave 62 votes on 12 test photographs." in page(clone)


def test_somebody_takes_part_and_the_report_tells(clone: Clone) -> None:
    made = clone.photochrom("study", "trials")
    assert "2 sessions of 11 trials, 3 models" in made.text, made.told
    assert take_part(clone.root / STUDY) == 11
    clone.photochrom("study", "export")
    new = clone.git("ls-files", "--others", "--exclude-standard", "data").split()
    assert new == [VOTES]
    counted = clone.dvc("repro")
    assert counted.ran == STUDIED, counted.told
    study = result(clone)
    assert (study["people"], study["votes"], study["photographs"]) == (1, 4, 4)
    assert not any(study["excluded"].values())
    assert rates(study["protocols"]["pick_real"]) == dict.fromkeys(MODELS, 0.0) | {"truth": 100.0}
    assert "1 person gave 4 votes on 4 test photographs." in page(clone)


def test_without_votes_all_is_as_before(
    clone: Clone, untouched: tuple[str, dict[str, str]]
) -> None:
    (clone.root / VOTES).unlink()
    removed = clone.dvc("repro")
    assert removed.ran == STUDIED, removed.told
    assert result(clone)["protocols"] == {}
    assert (page(clone), digests(clone)) == untouched


def rates(protocol: dict[str, Any]) -> dict[str, float]:
    return {name: model["rate"] for name, model in protocol["models"].items() if model["votes"]}


def result(clone: Clone) -> dict[str, Any]:
    found: dict[str, Any] = read_json(clone.root / "results/study/study.json")
    return found


def page(clone: Clone) -> str:
    return (clone.root / "results/report/index.html").read_text(encoding="utf-8")
