"""Which of the prepared sessions somebody gets who begins."""

import threading
from collections import Counter
from pathlib import Path

from study_kit import sessions_begun
from voting_process import answer_all, run_all

from photochrom.study.store import StudyStore


def test_prepared_sessions_are_used_equally_often(study: Path, store: StudyStore) -> None:
    for _ in range(13):
        store.begin()
    assert sessions_begun(study) == [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1]


def test_whoever_leaves_without_a_vote_takes_no_session_away(
    study: Path, store: StudyStore
) -> None:
    """Nobody voted in sessions 2 to 6, so all of them come before the first comes again."""
    answer_all(store, store.begin())
    for _ in range(10):
        store.begin()
    answer_all(store, store.begin())
    store.begin()
    assert sessions_begun(study) == [1, 2, 3, 4, 5, 6, 2, 3, 4, 5, 6, 2, 3]


def test_threads_that_begin_at_once_get_sessions_of_their_own(
    study: Path, store: StudyStore
) -> None:
    tokens: list[str] = []
    begun = threading.Barrier(12)

    def take_part() -> None:
        token = store.begin()
        tokens.append(token)
        begun.wait()
        answer_all(store, token)

    run_all([threading.Thread(target=take_part) for _ in range(12)])
    assert len(set(tokens)) == 12
    assert Counter(sessions_begun(study)) == dict.fromkeys(range(1, 7), 2)
