"""The stage: from votes.csv to study.json as the report and the tracking read it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from votes_kit import LENIENT, STRICT, simulate, vote_row, votes_of, write_votes

from photochrom.study.result import study_result
from photochrom.study.votes import PROTOCOLS

ROOT = Path(__file__).parents[2]
NOTHING = {
    "people": 0,
    "excluded": {"gold": 0, "fastest": 0, "finished": 0},
    "votes": 0,
    "photographs": 0,
    "protocols": {},
}
OF_PROTOCOL = {"votes", "people", "photographs", "chance", "models", "agreement", "comparisons"}
OF_MODEL = {"votes", "rate", "wilson", "interval"}
OF_AGREEMENT = {"alpha", "interval", "pairs"}
OF_COMPARISON = {"a", "b", "difference", "low", "high", "p", "p_holm"}
MORE = {"naturalness": {"score", "score_interval"}, "preference": {"strength", "strength_interval"}}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return study_result(votes_of(simulate(12, 60, 1)), STRICT, 200, 0)


def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> subprocess.CompletedProcess[str]:
    monkeypatch.setenv("PHOTOCHROM_TRACKING", "off")
    command = [sys.executable, str(ROOT / "stages" / "study.py")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def study_json(folder: Path) -> Path:
    return folder / "results" / "study" / "study.json"


def test_without_votes_the_stage_says_how_to_come_by_some(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(project, monkeypatch)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "No votes yet: `photochrom study trials`, then `photochrom study serve`.\n"
    )
    assert json.loads(study_json(project).read_text(encoding="utf-8")) == NOTHING


def test_votes_become_the_same_bytes_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_votes(simulate(12, 60, 1), project / "data" / "votes" / "votes.csv")
    written = []
    for _ in range(2):
        done = run(project, monkeypatch)
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith("12 people, 648 votes on 60 photographs")
        written.append(study_json(project).read_bytes())
    assert written[0] == written[1]
    assert json.loads(written[0])["protocols"].keys() == set(PROTOCOLS)


def test_a_faulty_vote_is_one_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_votes([vote_row(answer=7)], project / "data" / "votes" / "votes.csv")
    done = run(project, monkeypatch)
    assert done.returncode == 1
    assert done.stderr == "study: data/votes/votes.csv, line 2: answer: only 2 were shown.\n"
    assert not study_json(project).exists()


# What stands in study.json


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_protocol_has_the_agreed_keys(result: dict[str, Any], protocol: str) -> None:
    entry = result["protocols"][protocol]
    strengths = {"connected"} if protocol == "preference" else set()
    scores = {"alpha_score", "alpha_score_interval"} if protocol == "naturalness" else set()
    assert entry.keys() == OF_PROTOCOL | strengths
    assert entry["agreement"].keys() == OF_AGREEMENT | scores
    for model in entry["models"].values():
        assert model.keys() == OF_MODEL | MORE.get(protocol, set())
        assert model["interval"][0] <= model["rate"] <= model["interval"][1]
    names = list(entry["models"])
    assert ("truth" in names) == (protocol in ("naturalness", "pick_real"))
    assert len(entry["comparisons"]) == len(names) * (len(names) - 1) / 2
    for pair in entry["comparisons"]:
        assert pair.keys() == OF_COMPARISON
        assert pair["low"] <= pair["difference"] <= pair["high"]
        assert pair["p"] <= pair["p_holm"] <= 1


def test_chance_is_what_the_number_of_pictures_gives(result: dict[str, Any]) -> None:
    chances = {name: entry["chance"] for name, entry in result["protocols"].items()}
    assert chances == {
        "real_or_fake": 50.0,
        "naturalness": None,
        "pick_real": pytest.approx(100 / 6, abs=1e-6),
        "preference": 50.0,
    }


def test_comparisons_are_of_rates_and_of_strengths(result: dict[str, Any]) -> None:
    for name, entry in result["protocols"].items():
        key = "strength" if name == "preference" else "rate"
        for pair in entry["comparisons"]:
            one, other = (entry["models"][pair[side]][key] for side in "ab")
            assert pair["difference"] == pytest.approx(one - other, abs=2e-6)


def test_votes_and_people_are_counted_once() -> None:
    rows = simulate(6, 60, 2)
    for row in rows:
        if row["person"] == "3":
            row["milliseconds"] = "20"
    result = study_result(votes_of(rows), STRICT, 100, 0)
    assert result["people"] + sum(result["excluded"].values()) == 6
    assert result["excluded"]["fastest"] == 1
    assert result["votes"] == sum(entry["votes"] for entry in result["protocols"].values())
    assert result["votes"] == 54 * result["people"]


def test_a_single_person_is_counted_without_intervals() -> None:
    result = study_result(votes_of(simulate(1, 60, 3)), STRICT, 100, 0)
    for name, entry in result["protocols"].items():
        assert entry["agreement"]["alpha"] is None
        for model in entry["models"].values():
            assert model["interval"] is None
            assert model["wilson"][0] <= model["rate"] <= model["wilson"][1]
            spread = {"naturalness": "score_interval", "preference": "strength_interval"}
            assert model.get(spread.get(name, "")) is None
        assert all(pair["p"] is None for pair in entry["comparisons"])


def test_strengths_that_no_votes_connect_are_null() -> None:
    shown = ["a|b", "b|a", "c|d", "a|e"]
    rows = [
        vote_row(protocol="preference", person=p, number=n, photograph=n, group=n, shown=pair)
        for p in (1, 2, 3)
        for n, pair in enumerate(shown, 1)
    ]
    entry = study_result(votes_of(rows), LENIENT, 100, 0)["protocols"]["preference"]
    assert entry["connected"] is False
    known = {name: model["strength"] is not None for name, model in entry["models"].items()}
    assert known == {"a": True, "b": True, "c": False, "d": False, "e": True}
    assert entry["models"]["c"]["rate"] == 100.0
    assert {pair["a"] + pair["b"] for pair in entry["comparisons"]} == {"ab", "ae", "be"}


def test_without_votes_nothing_is_said() -> None:
    assert study_result((), STRICT, 100, 0) == NOTHING
