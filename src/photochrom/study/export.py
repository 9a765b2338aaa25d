"""The votes as a table, and how many there are."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from photochrom.files import whole_file
from photochrom.study.schema import snapshot
from photochrom.study.store import open_study
from photochrom.study.trials import Picture
from photochrom.study.votes import COLUMNS

VOTES = """
SELECT person, votes.number, session, kind, protocol, photograph, "group",
    answer, score, milliseconds, answered_at
FROM votes JOIN people USING (person)
JOIN trials USING (session, number)
JOIN photographs ON photographs.id = trials.photograph
WHERE kind != 'practice'
ORDER BY person, votes.number
"""


@dataclass(frozen=True)
class Status:
    """How far a study has come.

    Attributes
    ----------
    people : who began.
    finished : who answered every trial.
    sessions : prepared ones.
    votes : by protocol; practice is not among them.
    """

    people: int
    finished: int
    sessions: int
    votes: dict[str, int]


def export_votes(study: Path, out: Path) -> int:
    """Write all votes but those of practice as CSV; return their number.

    A row for each, ordered by person and place in the session; ``person`` counts from 1 in the
    order in which they began, ``number`` and ``total`` leave practice out, ``shown`` has the names
    in the order shown, joined by ``|``, ``at`` is UTC. The same votes give the same bytes, and
    others may go on voting.

    Raises
    ------
    StudyError
        If ``study`` is missing or no study of this version.
    """
    with closing(open_study(study)) as database, snapshot(database):
        rows = list(_rows(database))
    with whole_file(out) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return len(rows)


def read_status(study: Path) -> Status:
    """Count people and votes.

    Raises
    ------
    StudyError
        If ``study`` is missing or no study of this version.
    """
    with closing(open_study(study)) as database, snapshot(database):
        return _status(database)


def _rows(database: sqlite3.Connection) -> Iterator[list[object]]:
    places, shown = _places(database), _shown(database)
    totals = dict(
        database.execute(
            "SELECT session, count(*) FROM trials WHERE kind != 'practice' GROUP BY session"
        )
    )
    for person, number, session, *described, answer, score, milliseconds, at in database.execute(
        VOTES
    ):
        moment = datetime.fromisoformat(at).isoformat(timespec="seconds")
        of_trial = (session, number)
        yield [
            *(person, places[of_trial], totals[session], *described, shown[of_trial]),
            *(answer, score, milliseconds, moment),
        ]


def _places(database: sqlite3.Connection) -> dict[tuple[int, int], int]:
    """Return the place of each trial among those of its session that are no practice, from 1."""
    rows = database.execute(
        "SELECT session, number, row_number() OVER (PARTITION BY session ORDER BY number)"
        " FROM trials WHERE kind != 'practice'"
    )
    return {(session, number): place for session, number, place in rows}


def _shown(database: sqlite3.Connection) -> dict[tuple[int, int], str]:
    """Return the names of each trial's pictures in the order shown."""
    names: dict[tuple[int, int], list[str]] = {}
    for session, number, *picture in database.execute(
        "SELECT session, number, photograph, name, turn FROM places JOIN pictures USING (picture)"
        " ORDER BY session, number, place"
    ):
        names.setdefault((session, number), []).append(Picture(*picture).title)
    return {trial: "|".join(shown) for trial, shown in names.items()}


def _status(database: sqlite3.Connection) -> Status:
    finished, people = database.execute(
        "SELECT count(*) FILTER (WHERE answered = total), count(*) FROM ("
        " SELECT (SELECT count(*) FROM votes WHERE votes.person = people.person) AS answered,"
        " (SELECT count(*) FROM trials WHERE trials.session = people.session) AS total"
        " FROM people)"
    ).fetchone()
    (sessions,) = database.execute("SELECT count(DISTINCT session) FROM trials").fetchone()
    votes = database.execute(
        "SELECT protocol, count(votes.number) FROM trials LEFT JOIN people USING (session)"
        " LEFT JOIN votes USING (person, number) WHERE kind != 'practice' GROUP BY protocol"
    )
    return Status(people, finished, sessions, dict(votes.fetchall()))
