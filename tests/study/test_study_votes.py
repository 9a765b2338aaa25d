"""votes.csv: what a row means, what is refused, and whose votes count."""

from pathlib import Path

import pytest
from votes_kit import LENIENT, STRICT, simulate, vote_row, votes_of, write_votes

from photochrom.params.study import ExcludeParams
from photochrom.study.exclusion import counted
from photochrom.study.votes import COLUMNS, PROTOCOLS, Vote, VotesError, names_of, read_votes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "votes.csv"


def vote(**changes: object) -> Vote:
    return votes_of([vote_row(**changes)])[0]


def refusal(path: Path) -> str:
    with pytest.raises(VotesError) as error:
        read_votes(path)
    assert "\n" not in str(error.value)
    return str(error.value).replace(str(path), "votes.csv")


# Reading


def test_without_a_file_there_are_no_votes(path: Path) -> None:
    assert read_votes(path) == ()
    assert read_votes(write_votes([], path)) == ()


def test_the_votes_of_whole_sessions_are_read_as_they_were_given(path: Path) -> None:
    rows = simulate(people=3)
    votes = read_votes(write_votes(rows, path))
    assert votes == votes_of(rows)
    assert {one.protocol for one in votes} == set(PROTOCOLS)
    assert votes[-1].number == votes[-1].total == len(rows) / 3


def test_a_spreadsheets_byte_order_mark_is_no_fault(path: Path) -> None:
    write_votes([vote_row()], path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_votes(path) == (vote(),)


NATURAL = {"protocol": "naturalness", "shown": "gan", "score": 4}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"person": 0}, "person: must be greater than 0, not '0'"),
        ({"number": "two"}, "number: must be a valid integer"),
        ({"milliseconds": -1}, "milliseconds: must be greater than or equal to 0, not '-1'"),
        ({"kind": "practice"}, "kind: must be 'trial' or 'gold', not 'practice'"),
        ({"protocol": "guess"}, "protocol: must be 'real_or_fake', 'naturalness', 'pick_real'"),
        ({"photograph": ""}, "photograph: must have at least 1 character, not ''"),
        ({"shown": "truth|"}, "shown: must have at least 1 character, not ''"),
        ({"shown": "truth|$gan$"}, "shown: must match pattern '^[a-z0-9_@]+$', not '$gan$'"),
        ({"shown": "truth|gan\n"}, "shown: must match pattern '^[a-z0-9_@]+$'"),
        ({"shown": "truth|Gan"}, "shown: must match pattern '^[a-z0-9_@]+$', not 'Gan'"),
        ({"at": "2026-03-01T09:00:00"}, "at: must have timezone info"),
        ({"answer": 2}, "answer: only 2 were shown"),
        ({"answer": ""}, "answer: must be a valid integer"),
        ({"score": 3}, "score: real_or_fake has none"),
        ({"shown": "gan|unet"}, "shown: real_or_fake is with truth"),
        ({"shown": "truth|gan|unet"}, "shown: real_or_fake shows two pictures"),
        ({"shown": "truth"}, "shown: real_or_fake shows several pictures"),
        ({"shown": "truth|gold"}, "shown: only gold trials show gold"),
        ({"shown": "truth|gold@90"}, "shown: only gold trials show gold"),
        ({"shown": "truth|truth"}, "shown: a name stands there twice"),
        ({"protocol": "preference"}, "shown: preference is without truth"),
        (
            {"protocol": "preference", "kind": "gold", "shown": "truth|gold"},
            "kind: preference has no gold trials, since no taste is wrong",
        ),
        ({"protocol": "pick_real", "kind": "gold", "shown": "gold|gold@90"}, "is with truth"),
        (NATURAL | {"score": ""}, "score: naturalness needs one, 1 to 5"),
        (NATURAL | {"score": 6}, "score: must be less than or equal to 5, not '6'"),
        (NATURAL | {"answer": 2}, "answer: naturalness is 0 or 1"),
        (NATURAL | {"shown": "gan|unet"}, "shown: naturalness shows one picture"),
    ],
)
def test_a_faulty_row_is_refused_by_file_line_and_fault(
    path: Path, changes: dict[str, object], fault: str
) -> None:
    write_votes([vote_row(), vote_row(number=2), vote_row(number=3) | votes_text(changes)], path)
    message = refusal(path)
    assert message.startswith("votes.csv, line 4: ")
    assert fault in message


def votes_text(changes: dict[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in changes.items()}


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        ({"number": 1}, "number: person 1 has 1 twice."),
        ({"number": 2, "total": 61}, "total: person 1 has two."),
        ({"number": 2, "group": "b"}, "group: photograph a.png has two."),
    ],
)
def test_rows_that_contradict_one_another_are_refused(
    path: Path, second: dict[str, object], fault: str
) -> None:
    write_votes([vote_row(), vote_row(**second)], path)
    assert refusal(path) == f"votes.csv, line 3: {fault}"


def test_other_columns_are_refused(path: Path) -> None:
    path.write_text("person,answer\n1,0\n", encoding="utf-8")
    assert refusal(path) == f"votes.csv, line 1: the columns must be {','.join(COLUMNS)}."
    path.write_text("", encoding="utf-8")
    assert "line 1: the columns must be" in refusal(path)


def test_what_is_no_table_is_refused(path: Path) -> None:
    header = ",".join(COLUMNS)
    path.write_text(f"{header}\n1,2,3\n", encoding="utf-8")
    assert refusal(path) == "votes.csv, line 2: 12 fields, not 3."
    path.write_bytes(f"{header}\n\xff".encode("latin-1"))
    assert "is not UTF-8 text" in refusal(path)
    path.write_text(f'{header}\n"a"b,', encoding="utf-8")
    assert "is not a table of votes" in refusal(path)
    path.unlink()
    path.mkdir()
    assert refusal(path) == "votes.csv cannot be read: Is a directory."


# What an answer says


@pytest.mark.parametrize(
    ("row", "chosen", "favored", "against"),
    [
        ({"answer": 0}, "truth", {"gan"}, set()),  # The photograph was said to have fake colors.
        ({"answer": 1}, "gan", set(), {"gan"}),
        (NATURAL | {"answer": 1}, "gan", {"gan"}, set()),
        (NATURAL | {"answer": 0, "shown": "truth"}, "truth", set(), {"truth"}),
        (
            {"protocol": "pick_real", "shown": "gan|truth|unet", "answer": 2},
            "unet",
            {"unet"},
            {"gan", "truth"},
        ),
        ({"protocol": "preference", "shown": "unet|gan", "answer": 1}, "gan", {"gan"}, {"unet"}),
    ],
)
def test_an_answer_counts_for_some_and_against_the_others(
    row: dict[str, object], chosen: str, favored: set[str], against: set[str]
) -> None:
    given = vote(**row)
    assert given.chosen == chosen
    assert {name for name in given.judged if given.favors(name)} == favored
    assert set(given.judged) - favored == against


@pytest.mark.parametrize(
    ("row", "right"),
    [
        ({"shown": "truth|gold", "answer": 1}, True),
        ({"shown": "truth|gold", "answer": 0}, False),
        ({"protocol": "pick_real", "shown": "gold|truth|gold@90", "answer": 1}, True),
        ({"protocol": "pick_real", "shown": "gold|truth|gold@90", "answer": 2}, False),
        (NATURAL | {"shown": "gold", "answer": 0}, True),
        (NATURAL | {"shown": "gold", "answer": 1}, False),
        (NATURAL | {"shown": "truth", "answer": 1}, True),
    ],
)
def test_the_obvious_answer_is_known(row: dict[str, object], right: bool) -> None:
    assert vote(kind="gold", **row).right is right


def test_names_come_by_alphabet_and_the_truth_last() -> None:
    shown = ("zebra", "truth", "art")
    votes = votes_of([vote_row(**NATURAL | {"shown": name}) for name in shown])
    assert names_of(votes) == ("art", "zebra", "truth")


# Whose votes count


def person(
    number: int, *, right: int = 4, gold: int = 4, trials: int = 6, milliseconds: int = 900
) -> list[dict[str, str]]:
    """Return a session of which the first ``right`` of the ``gold`` trials are right."""
    rows = [vote_row(kind="gold", shown="truth|gold", answer=int(n < right)) for n in range(gold)]
    rows += [vote_row(milliseconds=milliseconds) for _ in range(trials)]
    told = {"person": str(number), "total": "10"}
    return [row | told | {"number": str(place)} for place, row in enumerate(rows, 1)]


def test_gold_trials_never_count() -> None:
    kept = counted(votes_of(person(1)), STRICT)
    assert len(kept.votes) == 6
    assert {one.kind for one in kept.votes} == {"trial"}
    assert kept.excluded == {"gold": 0, "fastest": 0, "finished": 0}


@pytest.mark.parametrize(
    ("spoiled", "rule"),
    [
        ({"right": 2}, "gold"),
        ({"milliseconds": 299}, "fastest"),
        ({"trials": 0}, "finished"),
        ({"right": 2, "milliseconds": 10, "trials": 0}, "gold"),
        ({"milliseconds": 10, "trials": 0, "gold": 1, "right": 1}, "finished"),
        ({"milliseconds": 10, "trials": 1, "gold": 0}, "fastest"),
    ],
)
def test_a_person_is_excluded_by_the_first_rule_that_bites(
    spoiled: dict[str, int], rule: str
) -> None:
    votes = votes_of([*person(1), *person(2, **spoiled)])
    kept = counted(votes, STRICT)
    assert {one.person for one in kept.votes} == {1}
    assert {name: n for name, n in kept.excluded.items() if n} == {rule: 1}


def test_whoever_just_meets_the_rules_counts() -> None:
    bounds = ExcludeParams(gold=0.75, fastest=300, finished=0.5)
    own = person(1, right=3, trials=1, milliseconds=300)
    assert len(counted(votes_of(own), bounds).votes) == 1


def test_the_median_ignores_single_quick_answers_and_gold() -> None:
    rows = person(1, milliseconds=400)
    for quick in (0, 1, 2, 3, 4, 5):  # Four gold trials, two others.
        rows[quick]["milliseconds"] = "5"
    assert counted(votes_of(rows), STRICT).excluded["fastest"] == 0


def test_the_most_lenient_rules_exclude_nobody() -> None:
    votes = votes_of([*person(1, right=0), *person(2, milliseconds=0), *person(3, trials=0)])
    assert sum(counted(votes, LENIENT).excluded.values()) == 0
