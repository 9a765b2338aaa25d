"""People who vote: a table whose counts are known, and somebody who takes part in a study."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from pipeline_clone import CLASSIFICATION, GAN, REGRESSION

from photochrom.study.store import StudyStore
from photochrom.study.trials import right_answer
from photochrom.study.votes import COLUMNS, TRUTH

CAREFUL = 5
SHOWN = {
    "real_or_fake": (f"{TRUTH}|{REGRESSION}", f"{TRUTH}|{CLASSIFICATION}"),
    "preference": (f"{CLASSIFICATION}|{GAN}",),
}
"""What is shown in each protocol, four photographs of each."""
MILLISECONDS = 900
Row = tuple[object, ...]


def write_votes(path: Path) -> None:
    """Write the votes of five careful people, of one who guesses and of one who soon leaves.

    Of four trials each careful person takes the colors of the regression for real in one, those of
    the classification in three, and likes the classification better than the GAN in three.
    """
    leaving = islice(_session(CAREFUL + 2, careful=True), 4)
    rows = [row for person in range(1, CAREFUL + 1) for row in _session(person, careful=True)]
    rows += [*_session(CAREFUL + 1, careful=False), *leaving]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


def _session(person: int, careful: bool) -> Iterator[Row]:
    trials = [*_gold(careful), *_trials(person)]
    for number, (kind, protocol, photograph, shown, answer) in enumerate(trials, 1):
        at = f"2026-03-01T{8 + person:02d}:{number:02d}:00+00:00"
        place = (person, number, len(trials), kind, protocol, photograph, photograph)
        yield (*place, shown, answer, "", MILLISECONDS, at)


def _gold(careful: bool) -> Iterator[Row]:
    """Yield two obvious trials: the second picture has the fake colors."""
    for photograph in ("20.png", "21.png"):
        yield "gold", "real_or_fake", photograph, f"{TRUTH}|gold", int(careful)


def _trials(person: int) -> Iterator[Row]:
    """Yield four trials of each pair; the first of a pair is chosen in one or in three of them."""
    pairs = [(protocol, shown) for protocol, pairs in SHOWN.items() for shown in pairs]
    for turn, (protocol, shown) in enumerate(pairs):
        for photograph in range(4):
            one_of_four = photograph == person % 4
            first = one_of_four == (REGRESSION in shown)
            name = f"{4 * turn + photograph:02d}.png"
            yield "trial", protocol, name, shown, int(not first)


def take_part(study: Path) -> int:
    """Answer a whole session, rightly wherever the truth is shown; return how many trials."""
    store = StudyStore.open(study)
    token = store.begin()
    while (trial := store.upcoming(token)) is not None:
        names = _names(study, token, trial.number)
        told = trial.protocol == "naturalness" or TRUTH in names
        answer = right_answer(trial.protocol, names) if told else 0
        score = 1 + 3 * answer if trial.protocol == "naturalness" else None
        store.vote(token, trial.number, answer, score, MILLISECONDS)
    answered, _ = store.progress(token)
    store.close()
    return answered


def _names(study: Path, token: str, number: int) -> list[str]:
    """Return whose colors a trial shows, which nobody who takes part is told."""
    query = (
        "SELECT name FROM people JOIN places USING (session) JOIN pictures USING (picture)"
        " WHERE token = ? AND number = ? ORDER BY place"
    )
    with closing(sqlite3.connect(study)) as database:
        return [name for (name,) in database.execute(query, (token, number))]
