"""The one file of a study: an SQLite database of what is shown and what was answered."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from photochrom.study.trials import Picture, Session

FORMAT = "photochrom study 1"
PATIENCE = 30.0
"""Seconds to wait for another process that is writing."""
TABLES = """
CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE photographs (id TEXT PRIMARY KEY, "group" TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE pictures (
    picture INTEGER PRIMARY KEY,
    photograph TEXT NOT NULL REFERENCES photographs,
    name TEXT NOT NULL,
    turn INTEGER NOT NULL,
    png BLOB NOT NULL,
    UNIQUE (photograph, name, turn)
);
CREATE TABLE trials (
    session INTEGER NOT NULL,
    number INTEGER NOT NULL,
    protocol TEXT NOT NULL,
    kind TEXT NOT NULL,
    photograph TEXT NOT NULL REFERENCES photographs,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE TABLE places (
    session INTEGER NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    picture INTEGER NOT NULL REFERENCES pictures,
    PRIMARY KEY (session, number, place),
    FOREIGN KEY (session, number) REFERENCES trials
) WITHOUT ROWID;
CREATE TABLE people (
    person INTEGER PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    session INTEGER NOT NULL,
    begun_at TEXT NOT NULL
);
CREATE TABLE keys (
    key TEXT PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES people,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    picture INTEGER NOT NULL REFERENCES pictures,
    UNIQUE (person, number, place)
) WITHOUT ROWID;
CREATE TABLE showings (
    person INTEGER NOT NULL REFERENCES people,
    number INTEGER NOT NULL,
    shown_at TEXT NOT NULL,
    PRIMARY KEY (person, number)
) WITHOUT ROWID;
CREATE TABLE votes (
    person INTEGER NOT NULL,
    number INTEGER NOT NULL,
    answer INTEGER NOT NULL,
    score INTEGER,
    milliseconds INTEGER NOT NULL,
    answered_at TEXT NOT NULL,
    UNIQUE (person, number),
    FOREIGN KEY (person, number) REFERENCES showings
);
CREATE TRIGGER votes_stay BEFORE DELETE ON votes
BEGIN SELECT RAISE(ABORT, 'a vote is never deleted'); END;
CREATE TRIGGER votes_stand BEFORE UPDATE ON votes
BEGIN SELECT RAISE(ABORT, 'a vote is never changed'); END;
CREATE TRIGGER votes_are_not_replaced BEFORE INSERT ON votes
WHEN EXISTS (SELECT 1 FROM votes WHERE person = new.person AND number = new.number)
BEGIN SELECT RAISE(ABORT, 'a vote is never replaced'); END;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open a database that exists; a transaction begins where it is said, and nowhere else.

    The connection may be passed from thread to thread, but used by one at a time.

    Raises
    ------
    sqlite3.DatabaseError
        If there is no such file, or it is no database.
    """
    address = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(
        address, PATIENCE, isolation_level=None, check_same_thread=False, uri=True
    )
    try:
        # Every commit waits for the disk: what was acknowledged survives a kill and a power cut.
        connection.executescript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all that the block writes, or nothing; no other process writes meanwhile."""
    with _begun(connection, "BEGIN IMMEDIATE"):
        yield


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """See the database as it is now until the block ends; others may go on writing."""
    with _begun(connection, "BEGIN"):
        yield


@contextmanager
def _begun(connection: sqlite3.Connection, statement: str) -> Iterator[None]:
    connection.execute(statement)
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def write_study(
    path: Path,
    about: Mapping[str, str],
    groups: Mapping[str, str],
    sessions: Sequence[Session],
    drawn: Iterable[tuple[Picture, bytes]],
) -> None:
    """Write a new study.

    Parameters
    ----------
    path : of a file that is not there yet.
    about : what the study is, by key.
    groups : the group of each photograph by id.
    sessions : the prepared sessions.
    drawn : every picture that they show, with its PNG.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(f"PRAGMA journal_mode = WAL; {TABLES}")
        with transaction(connection):
            connection.executemany("INSERT INTO study VALUES (?, ?)", about.items())
            connection.executemany("INSERT INTO photographs VALUES (?, ?)", groups.items())
            _insert_sessions(connection, sessions, _insert_pictures(connection, drawn))
    finally:
        connection.close()


def _insert_pictures(
    connection: sqlite3.Connection, drawn: Iterable[tuple[Picture, bytes]]
) -> dict[Picture, int]:
    numbers: dict[Picture, int] = {}
    for number, (picture, png) in enumerate(drawn, 1):
        numbers[picture] = number
        row = (number, picture.photograph, picture.name, picture.turn, png)
        connection.execute("INSERT INTO pictures VALUES (?, ?, ?, ?, ?)", row)
    return numbers


def _insert_sessions(
    connection: sqlite3.Connection, sessions: Sequence[Session], numbers: Mapping[Picture, int]
) -> None:
    for session, planned in enumerate(sessions, 1):
        for number, trial in enumerate(planned, 1):
            row = (session, number, trial.protocol, trial.kind, trial.pictures[0].photograph)
            connection.execute("INSERT INTO trials VALUES (?, ?, ?, ?, ?)", row)
            connection.executemany(
                "INSERT INTO places VALUES (?, ?, ?, ?)",
                [
                    (session, number, place, numbers[picture])
                    for place, picture in enumerate(trial.pictures)
                ],
            )
