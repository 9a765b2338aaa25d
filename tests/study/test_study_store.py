"""The study while people take part: no acknowledged vote is lost, none doubled, none changed."""

import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_kit import SIDE, names_shown, votes_of, write_small_study
from voting_process import answer_all, run_all, score_for, vote_to_the_end, vote_until_killed

from photochrom.study.store import (
    LETTERS,
    LONGEST,
    BadVoteError,
    Feedback,
    OutOfTurnError,
    StudyError,
    StudyStore,
    Trial,
    UnknownError,
)

NOTHING = Feedback(None, None)
TOTAL = 14
"""Trials of a session: 7, one for practice before each protocol, gold in all but preference."""


def go_to(store: StudyStore, token: str, protocol: str, *, practice: bool) -> Trial:
    """Answer until a trial of the protocol is next."""
    while (trial := store.upcoming(token)) is not None:
        if (trial.protocol, trial.practice) == (protocol, practice):
            return trial
        store.vote(token, trial.number, 0, score_for(trial.protocol), 700)
    raise AssertionError(f"no {protocol} is left")


def test_a_session_goes_through_all_trials_in_order(store: StudyStore) -> None:
    token = store.begin()
    assert store.progress(token) == (0, TOTAL)
    shown = answer_all(store, token)
    assert [trial.number for trial in shown] == list(range(1, TOTAL + 1))
    assert all((trial.total, trial.side) == (TOTAL, SIDE) for trial in shown)
    assert store.progress(token) == (TOTAL, TOTAL)
    assert store.upcoming(token) is None


def test_a_trial_shows_as_many_pictures_as_its_protocol_has(store: StudyStore) -> None:
    pictures = {"real_or_fake": 2, "naturalness": 1, "pick_real": 3, "preference": 2}
    for trial in answer_all(store, store.begin()):
        assert len(trial.pictures) == pictures[trial.protocol]
        assert (trial.exposure == 1000) == (trial.protocol == "real_or_fake")


def test_a_trial_stays_until_it_is_answered(store: StudyStore) -> None:
    token = store.begin()
    assert store.upcoming(token) == store.upcoming(token)


def test_tokens_can_be_typed_and_are_not_repeated(store: StudyStore) -> None:
    tokens = [store.begin() for _ in range(50)]
    assert len(set(tokens)) == 50
    assert all(len(token) == 12 and set(token) <= set(LETTERS) for token in tokens)


def test_nobody_shares_a_key_and_keys_lead_to_what_is_shown(study: Path, store: StudyStore) -> None:
    # Six sessions are prepared: the first and the seventh person see the same.
    tokens = [store.begin() for _ in range(7)]
    first, seventh = (answer_all(store, tokens[place]) for place in (0, 6))
    for one, other in zip(first, seventh, strict=True):
        assert not set(one.pictures) & set(other.pictures)
        shown, again = ([store.picture(key) for key in t.pictures] for t in (one, other))
        assert shown == again
        names = [names_shown(study, token, one.number) for token in (tokens[0], tokens[6])]
        assert names[0] == names[1]
    with closing(sqlite3.connect(study)) as database:
        (keys, different) = database.execute(
            "SELECT count(*), count(DISTINCT key) FROM keys"
        ).fetchone()
    assert keys == different


def test_practice_is_answered_with_the_truth_and_trials_with_nothing(
    study: Path, store: StudyStore
) -> None:
    told = {"real_or_fake": "gold", "pick_real": "truth", "preference": "truth"}
    token = store.begin()
    while (trial := store.upcoming(token)) is not None:
        names = names_shown(study, token, trial.number)
        found = store.vote(token, trial.number, 1, score_for(trial.protocol), 700)
        if not trial.practice:
            assert found == NOTHING
        elif trial.protocol == "naturalness":
            assert found == Feedback(names == ["truth"], int(names == ["truth"]))
        else:
            right = names.index(told[trial.protocol])
            assert found == Feedback(right == 1, right)


def test_a_vote_said_again_changes_nothing(study: Path, store: StudyStore) -> None:
    token = store.begin()
    trial = store.upcoming(token)
    assert trial is not None
    score = score_for(trial.protocol)
    first = store.vote(token, 1, 0, score, 700)
    assert first.told is not None
    assert store.vote(token, 1, 1, score, 900) == first
    assert votes_of(study) == [(token, 1, 0)]
    assert store.progress(token) == (1, TOTAL)


def test_votes_out_of_turn_are_refused(study: Path, store: StudyStore) -> None:
    token = store.begin()
    with pytest.raises(OutOfTurnError, match="Trial 1 was not shown yet"):
        store.vote(token, 1, 0, None, 700)
    store.upcoming(token)
    for number in (-1, 0, 2, TOTAL, TOTAL + 1):
        with pytest.raises(OutOfTurnError, match=f"Trial 1 is next, not {number}"):
            store.vote(token, number, 0, None, 700)
    answer_all(store, token)
    with pytest.raises(OutOfTurnError, match="All trials are answered"):
        store.vote(token, TOTAL + 1, 0, None, 700)
    assert len(votes_of(study)) == TOTAL


@pytest.mark.parametrize(
    ("protocol", "answer", "score", "milliseconds", "fault"),
    [
        ("real_or_fake", 2, None, 700, "from 0 to 1"),
        ("real_or_fake", -1, None, 700, "from 0 to 1"),
        ("real_or_fake", 0, 3, 700, "Only naturalness has a score"),
        ("pick_real", 3, None, 700, "from 0 to 2"),
        ("preference", 2, None, 700, "from 0 to 1"),
        ("naturalness", 2, 3, 700, "from 0 to 1"),
        ("naturalness", 1, None, 700, "score must be from 1 to 5"),
        ("naturalness", 1, 0, 700, "score must be from 1 to 5"),
        ("naturalness", 1, 6, 700, "score must be from 1 to 5"),
        ("preference", 0, None, -1, "milliseconds must be from 0"),
        ("preference", 0, None, LONGEST + 1, "milliseconds must be from 0 to 86400000"),
        ("preference", 0, None, 10**30, "milliseconds must be from 0"),
    ],
)
def test_answers_that_a_trial_does_not_have_are_refused(
    store: StudyStore, protocol: str, answer: int, score: int | None, milliseconds: int, fault: str
) -> None:
    token = store.begin()
    trial = go_to(store, token, protocol, practice=False)
    before = store.progress(token)
    with pytest.raises(BadVoteError, match=fault):
        store.vote(token, trial.number, answer, score, milliseconds)
    assert store.progress(token) == before
    good = {"score": score_for(protocol), "milliseconds": 0}
    assert store.vote(token, trial.number, 0, **good) == NOTHING


@pytest.mark.parametrize("token", ["", "nobody", "' OR 1 = 1 --", "x" * 10_000])
def test_tokens_and_keys_that_are_not_there_are_refused(store: StudyStore, token: str) -> None:
    store.begin()
    with pytest.raises(UnknownError, match="no such session"):
        store.upcoming(token)
    with pytest.raises(UnknownError, match="no such session"):
        store.progress(token)
    with pytest.raises(UnknownError, match="no such session"):
        store.vote(token, 1, 0, None, 700)
    with pytest.raises(UnknownError, match="no such picture"):
        store.picture(token)


@settings(max_examples=15)
@given(actions=st.lists(st.tuples(st.integers(0, 17), st.integers(-1, 3)), max_size=30))
def test_whatever_is_sent_votes_are_the_first_answers_in_order(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[int, int]]
) -> None:
    study = write_small_study(
        tmp_path_factory.mktemp("sent") / "study.db", trials={"preference": 8}
    )
    store, kept = StudyStore.open(study), list[int]()
    token = store.begin()
    for number, answer in actions:
        store.upcoming(token)
        try:
            store.vote(token, number, answer, None, 700)
        except (OutOfTurnError, BadVoteError):
            continue
        if number == len(kept) + 1:
            kept.append(answer)
    store.close()
    assert votes_of(study) == [(token, place, answer) for place, answer in enumerate(kept, 1)]


def test_times_are_the_servers_and_in_order(study: Path, store: StudyStore) -> None:
    token = store.begin()
    answer_all(store, token)
    with closing(sqlite3.connect(study)) as database:
        rows = database.execute(
            "SELECT begun_at, shown_at, answered_at FROM votes JOIN showings USING (person, number)"
            " JOIN people USING (person) ORDER BY number"
        ).fetchall()
    moments = [[datetime.fromisoformat(text) for text in row] for row in rows]
    assert all(moment.utcoffset() == timedelta(0) for row in moments for moment in row)
    assert all(begun <= shown <= answered for begun, shown, answered in moments)


def test_nothing_about_people_is_kept(study: Path) -> None:
    with closing(sqlite3.connect(study)) as database:
        columns = [
            (table, row[1])
            for table in ("people", "showings", "votes")
            for row in database.execute(f"PRAGMA table_info({table})")
        ]
    assert columns == [
        *(("people", name) for name in ("person", "token", "session", "begun_at")),
        *(("showings", name) for name in ("person", "number", "shown_at")),
        *(("votes", name) for name in ("person", "number", "answer", "score", "milliseconds")),
        ("votes", "answered_at"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE votes SET answer = 1 - answer",
        "DELETE FROM votes",
        "INSERT OR REPLACE INTO votes SELECT person, number, 1, score, 9, answered_at FROM votes",
        "INSERT INTO votes SELECT * FROM votes",
    ],
)
def test_votes_cannot_be_changed_even_by_hand(
    study: Path, store: StudyStore, statement: str
) -> None:
    token = store.begin()
    answer_all(store, token)
    before = votes_of(study)
    with closing(sqlite3.connect(study)) as database:
        with pytest.raises(sqlite3.IntegrityError, match="a vote is never"):
            database.execute(statement)
        database.rollback()
    assert votes_of(study) == before


def test_every_commit_waits_for_the_disk(store: StudyStore) -> None:
    (synchronous,) = store._connection.execute("PRAGMA synchronous").fetchone()
    (journal,) = store._connection.execute("PRAGMA journal_mode").fetchone()
    assert (synchronous, journal) == (2, "wal")


def test_threads_that_answer_the_same_session_leave_one_vote_per_trial(
    study: Path, store: StudyStore
) -> None:
    token, faults = store.begin(), list[Exception]()

    def answer() -> None:
        try:
            while (trial := store.upcoming(token)) is not None:
                try:
                    store.vote(token, trial.number, 0, score_for(trial.protocol), 700)
                except OutOfTurnError:
                    continue
        except Exception as fault:
            faults.append(fault)

    run_all([threading.Thread(target=answer) for _ in range(8)])
    assert faults == []
    assert votes_of(study) == [(token, number, 0) for number in range(1, TOTAL + 1)]


def test_killed_processes_lose_no_acknowledged_vote_and_double_none(tmp_path: Path) -> None:
    study = write_small_study(tmp_path / "study.db", trials={"preference": 60}, practice=0)
    opened = StudyStore.open(study)
    tokens = [opened.begin() for _ in range(8)]
    opened.close()
    steady = [start(vote_to_the_end, study, token) for token in tokens[4:]]
    # Four die in the midst of their work; others take their sessions up where they stood.
    for _ in range(2):
        killed = [start(vote_until_killed, study, token) for token in tokens[:4]]
        assert [ended(process) for process in killed] == [-signal.SIGKILL] * 4
    finished = steady + [start(vote_to_the_end, study, token) for token in tokens[:4]]
    assert [ended(process) for process in finished] == [0] * 8
    kept = votes_of(study)
    assert [vote[:2] for vote in kept] == [(t, n) for t in tokens for n in range(1, 61)]
    acknowledged = [note for token in tokens for note in read_notes(study.with_name(token))]
    assert len(acknowledged) >= len(kept) - 8
    assert Counter(acknowledged) <= Counter(kept)


def start(work: Callable[..., None], study: Path, token: str) -> BaseProcess:
    context = get_context("forkserver")
    context.set_forkserver_preload(["photochrom.study.store"])
    process = context.Process(target=work, args=(study, token, study.with_name(token)))
    process.start()
    return process


def ended(process: BaseProcess) -> int | None:
    process.join()
    return process.exitcode


def read_notes(notes: Path) -> list[tuple[str, int, int]]:
    """Return the whole lines: token, number and answer."""
    lines = notes.read_bytes().split(b"\n")[:-1]
    parts = (line.decode().split() for line in lines)
    return [(token, int(number), int(answer)) for token, number, answer in parts]


def test_a_file_that_is_no_study_is_refused_in_one_line(tmp_path: Path) -> None:
    def refusal(path: Path) -> str:
        with pytest.raises(StudyError) as caught:
            StudyStore.open(path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "run `photochrom study trials` first" in refusal(tmp_path / "missing.db")
    assert not (tmp_path / "missing.db").exists()
    (tmp_path / "text.db").write_text("no database" * 100)
    assert "cannot be read as a study" in refusal(tmp_path / "text.db")
    with closing(sqlite3.connect(tmp_path / "empty.db")) as database:
        database.execute("CREATE TABLE other (x)")
    assert "cannot be read as a study" in refusal(tmp_path / "empty.db")


def test_a_study_of_another_version_is_refused(study: Path) -> None:
    with closing(sqlite3.connect(study)) as database, database:
        database.execute("UPDATE study SET value = 'photochrom study 0' WHERE key = 'format'")
    with pytest.raises(StudyError, match="of another version"):
        StudyStore.open(study)


def test_a_database_that_cannot_be_used_is_a_refusal(
    store: StudyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def execute(self, *_: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    token, opened = store.begin(), store._connection
    monkeypatch.setattr(store, "_connection", Full())
    with pytest.raises(StudyError, match="disk is full"):
        store.upcoming(token)
    monkeypatch.setattr(store, "_connection", opened)
    assert store.upcoming(token) is not None
