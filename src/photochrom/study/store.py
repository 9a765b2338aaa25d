"""Who is shown what, and what they answered: the study while people take part.

All of it is in one SQLite file, which any number of threads and processes may use at once. A vote
is on the disk before it is acknowledged, and never changes after. Of people nothing is kept but a
random token and the times of their answers.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Self

from photochrom.study.schema import FORMAT, connect, transaction
from photochrom.study.trials import right_answer

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""What a token is made of: none is mistaken for another when it is read aloud or typed."""
TOKEN_LETTERS = 12
LOWEST_SCORE, HIGHEST_SCORE = 1, 5
LONGEST = 24 * 60 * 60 * 1000
"""Most milliseconds of an answer: a day."""


class StudyError(Exception):
    """The study cannot be used; the message is one line that says what to do."""


class UnknownError(StudyError):
    """There is no such session or picture."""


class OutOfTurnError(StudyError):
    """A vote for a trial that is not the next one."""


class BadVoteError(StudyError):
    """An answer that the trial does not have."""


@dataclass(frozen=True)
class Trial:
    """What to show next.

    Attributes
    ----------
    number : from 1, practice included.
    total : trials of the session.
    protocol : real_or_fake, naturalness, pick_real or preference.
    practice : whether the answer is told and does not count.
    exposure : how long each picture is shown, in milliseconds; None as long as it takes.
    pictures : keys of the pictures, in the order shown.
    side : of each picture, in pixels.
    """

    number: int
    total: int
    protocol: str
    practice: bool
    exposure: int | None
    pictures: tuple[str, ...]
    side: int


@dataclass(frozen=True)
class Feedback:
    """What a vote is answered with.

    Attributes
    ----------
    right : whether the answer to a practice trial was right; None for others.
    told : its right answer; None for others.
    """

    right: bool | None
    told: int | None


@dataclass(frozen=True)
class _Person:
    """Somebody who takes part: number, prepared session and how far they have come."""

    number: int
    session: int
    answered: int
    total: int


@dataclass(frozen=True)
class _Question:
    """A planned trial as it stands in the database."""

    protocol: str
    kind: str
    names: tuple[str, ...]

    def feedback(self, answer: int) -> Feedback:
        if self.kind != "practice":
            return Feedback(None, None)
        right = right_answer(self.protocol, self.names)
        return Feedback(answer == right, right)


class StudyStore:
    """A prepared study. Threads may share one; every process opens its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection, self._lock = connection, Lock()
        about = dict(connection.execute("SELECT key, value FROM study"))
        self._side, self._exposure = int(about["side"]), int(about["exposure"])

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a study.

        Raises
        ------
        StudyError
            If the file is missing or no study of this version.
        """
        return cls(open_study(path))

    def close(self) -> None:
        """Close the file; the store is of no use any more."""
        self._connection.close()

    def begin(self) -> str:
        """Begin a session for somebody new.

        They get the prepared session in which the fewest people have voted, of these the one that
        the fewest have begun, and for each of its pictures a key that nobody else has.

        Returns
        -------
        The token by which they are known: random, short enough to be typed.
        """
        token = "".join(secrets.choice(LETTERS) for _ in range(TOKEN_LETTERS))
        with self._database() as database, transaction(database):
            (session,) = database.execute(
                "SELECT session FROM (SELECT DISTINCT session FROM trials) LEFT JOIN people"
                " USING (session) GROUP BY session ORDER BY"
                " sum(EXISTS (SELECT 1 FROM votes WHERE votes.person = people.person)),"
                " count(person), session LIMIT 1"
            ).fetchone()
            person = database.execute(
                "INSERT INTO people (token, session, begun_at) VALUES (?, ?, ?)",
                (token, session, _now()),
            ).lastrowid
            places = database.execute(
                "SELECT number, place, picture FROM places WHERE session = ?", (session,)
            )
            rows = [(secrets.token_urlsafe(16), person, *place) for place in places]
            database.executemany("INSERT INTO keys VALUES (?, ?, ?, ?, ?)", rows)
        return token

    def progress(self, token: str) -> tuple[int, int]:
        """Return how many trials were answered, and of how many, practice included.

        Raises
        ------
        UnknownError
            If no session has this token.
        """
        with self._database() as database:
            person = _find(database, token)
        return person.answered, person.total

    def upcoming(self, token: str) -> Trial | None:
        """Return the next trial, or None when all are answered; note when it was first shown.

        Raises
        ------
        UnknownError
            If no session has this token.
        """
        with self._database() as database:
            person = _find(database, token)
            number = person.answered + 1
            if number > person.total:
                return None
            _note_showing(database, person.number, number)
            question = _question(database, person.session, number)
            keys = database.execute(
                "SELECT key FROM keys WHERE person = ? AND number = ? ORDER BY place",
                (person.number, number),
            ).fetchall()
        return Trial(
            number=number,
            total=person.total,
            protocol=question.protocol,
            practice=question.kind == "practice",
            exposure=self._exposure if question.protocol == "real_or_fake" else None,
            pictures=tuple(key for (key,) in keys),
            side=self._side,
        )

    def picture(self, key: str) -> bytes:
        """Return a picture as PNG. All are equally long.

        Raises
        ------
        UnknownError
            If there is no such key.
        """
        with self._database() as database:
            found = database.execute(
                "SELECT png FROM keys JOIN pictures USING (picture) WHERE key = ?", (key,)
            ).fetchone()
        if found is None:
            raise UnknownError("There is no such picture: load the trial again.")
        return bytes(found[0])

    def vote(
        self, token: str, number: int, answer: int, score: int | None, milliseconds: int
    ) -> Feedback:
        """Keep an answer. When this returns it is on the disk; said again, the first one stays.

        Parameters
        ----------
        number : of the trial that :meth:`upcoming` gave.
        answer : real_or_fake: index of the picture with the fake colors; naturalness: 1 natural,
            0 not; pick_real: index of the real picture; preference: index of the better one.
        score : 1..5 for naturalness, else None.
        milliseconds : from the end of the exposure, or the showing, to the answer.

        Raises
        ------
        UnknownError
            If no session has this token.
        OutOfTurnError
            If the trial is not the next one, or was not shown yet.
        BadVoteError
            If the trial has no such answer.
        """
        with self._database() as database, transaction(database):
            person = _find(database, token)
            if 1 <= number <= person.answered:
                return _first_feedback(database, person, number)
            _check_turn(database, person, number)
            question = _question(database, person.session, number)
            _check_answer(question, answer, score, milliseconds)
            row = (person.number, number, answer, score, milliseconds, _now())
            database.execute("INSERT INTO votes VALUES (?, ?, ?, ?, ?, ?)", row)
        return question.feedback(answer)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Have the database to oneself among this process's threads."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.OperationalError as error:
                raise StudyError(
                    f"The study's file cannot be used now ({error}): try again in a moment."
                ) from error


def open_study(path: Path) -> sqlite3.Connection:
    """Open the database of a study.

    Raises
    ------
    StudyError
        If the file is missing or no study of this version.
    """
    if not path.is_file():
        raise StudyError(f"{path} is not there: run `photochrom study trials` first.")
    with ExitStack() as failing:
        try:
            connection = failing.enter_context(closing(connect(path)))
            found = dict(connection.execute("SELECT key, value FROM study")).get("format")
        except sqlite3.DatabaseError as error:
            raise StudyError(f"{path} cannot be read as a study ({error}).") from None
        if found != FORMAT:
            raise StudyError(f"{path} is a study of another version ({found}).")
        failing.pop_all()
    return connection


def _find(database: sqlite3.Connection, token: str) -> _Person:
    found = database.execute(
        "SELECT person, session, (SELECT count(*) FROM votes WHERE votes.person = people.person),"
        " (SELECT count(*) FROM trials WHERE trials.session = people.session)"
        " FROM people WHERE token = ?",
        (token,),
    ).fetchone()
    if found is None:
        raise UnknownError("There is no such session: begin a new one.")
    return _Person(*found)


def _question(database: sqlite3.Connection, session: int, number: int) -> _Question:
    at = (session, number)
    protocol, kind = database.execute(
        "SELECT protocol, kind FROM trials WHERE session = ? AND number = ?", at
    ).fetchone()
    names = database.execute(
        "SELECT name FROM places JOIN pictures USING (picture)"
        " WHERE session = ? AND number = ? ORDER BY place",
        at,
    ).fetchall()
    return _Question(protocol, kind, tuple(name for (name,) in names))


def _first_feedback(database: sqlite3.Connection, person: _Person, number: int) -> Feedback:
    (answer,) = database.execute(
        "SELECT answer FROM votes WHERE person = ? AND number = ?", (person.number, number)
    ).fetchone()
    return _question(database, person.session, number).feedback(answer)


def _note_showing(database: sqlite3.Connection, person: int, number: int) -> None:
    if not _was_shown(database, person, number):
        row = (person, number, _now())
        database.execute("INSERT OR IGNORE INTO showings VALUES (?, ?, ?)", row)


def _was_shown(database: sqlite3.Connection, person: int, number: int) -> bool:
    found = database.execute(
        "SELECT 1 FROM showings WHERE person = ? AND number = ?", (person, number)
    )
    return found.fetchone() is not None


def _check_turn(database: sqlite3.Connection, person: _Person, number: int) -> None:
    if person.answered == person.total:
        raise OutOfTurnError("All trials are answered: there is nothing left to vote on.")
    if number != person.answered + 1:
        raise OutOfTurnError(f"Trial {person.answered + 1} is next, not {number}: load it again.")
    if not _was_shown(database, person.number, number):
        raise OutOfTurnError(f"Trial {number} was not shown yet: load it first.")


def _check_answer(question: _Question, answer: int, score: int | None, milliseconds: int) -> None:
    rated = question.protocol == "naturalness"
    answers = 2 if rated else len(question.names)
    if not 0 <= answer < answers:
        raise BadVoteError(f"The answer must be a whole number from 0 to {answers - 1}.")
    if rated and (score is None or not LOWEST_SCORE <= score <= HIGHEST_SCORE):
        raise BadVoteError(f"The score must be from {LOWEST_SCORE} to {HIGHEST_SCORE}.")
    if not rated and score is not None:
        raise BadVoteError("Only naturalness has a score: leave it empty.")
    if not 0 <= milliseconds <= LONGEST:
        raise BadVoteError(f"The milliseconds must be from 0 to {LONGEST}.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
