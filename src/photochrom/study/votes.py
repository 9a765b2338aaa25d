"""The votes of people, as `photochrom study export` writes them; every fault is one line."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)

from photochrom.params.study import GOLD

Protocol = Literal["real_or_fake", "naturalness", "pick_real", "preference"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
TRUTH = "truth"
"""The name of the photograph itself among the pictures shown."""
Name = Annotated[str, Field(min_length=1, pattern=r"^[a-z0-9_@]+$")]
"""What a model may be called, truth, gold, or a turned gold as gold@97."""


class VotesError(Exception):
    """The votes cannot be used. The message is one line that names the file, line and fault."""


def _names(text: object) -> object:
    return tuple(text.split("|")) if isinstance(text, str) else text


def _number(text: object) -> object:
    return None if text == "" else text


class Vote(BaseModel):
    """An answer of one person to one trial: a row of votes.csv.

    The fields are the columns, in their order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    person: PositiveInt
    number: PositiveInt
    """Place in the person's session."""
    total: PositiveInt
    """Trials in the person's session, practice left out."""
    kind: Literal["trial", "gold"]
    protocol: Protocol
    photograph: Annotated[str, Field(min_length=1)]
    group: Annotated[str, Field(min_length=1)]
    shown: Annotated[tuple[Name, ...], BeforeValidator(_names)]
    """What was judged, by name in the order shown."""
    answer: NonNegativeInt
    """The place of the picture chosen; for naturalness 1 for natural colors and 0 for others."""
    score: Annotated[Annotated[int, Field(ge=1, le=5)] | None, BeforeValidator(_number)]
    """How natural, from 1 to 5; None in the other protocols."""
    milliseconds: NonNegativeInt
    at: AwareDatetime

    @property
    def chosen(self) -> str:
        """The name of the picture chosen; for naturalness the only one."""
        return self.shown[0 if self.protocol == "naturalness" else self.answer]

    @property
    def judged(self) -> tuple[str, ...]:
        """The names that this vote is for or against."""
        hidden = {TRUTH} if self.protocol == "real_or_fake" else set()
        return tuple(name for name in self.shown if name not in hidden)

    @property
    def right(self) -> bool:
        """Whether the answer is the obvious one, of a trial whose answer is obvious."""
        if self.protocol == "naturalness":
            return (self.answer == 1) == (self.shown == (TRUTH,))
        return (self.chosen == TRUTH) == (self.protocol != "real_or_fake")

    def favors(self, name: str) -> bool:
        """Return whether this vote counts for the colors of a judged name.

        It does where the colors were taken for real, called natural or liked better.
        """
        if self.protocol == "naturalness":
            return self.answer == 1
        return (self.chosen == name) != (self.protocol == "real_or_fake")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _check(len(set(self.shown)) == len(self.shown), "shown: a name stands there twice")
        constructed = any(name.partition("@")[0] == GOLD for name in self.shown)
        _check(constructed <= (self.kind == GOLD), "shown: only gold trials show gold")
        obvious = self.kind == "trial" or self.protocol != "preference"
        _check(obvious, "kind: preference has no gold trials, since no taste is wrong")
        if self.protocol == "naturalness":
            _check(len(self.shown) == 1, "shown: naturalness shows one picture")
            _check(self.answer <= 1, "answer: naturalness is 0 or 1")
            _check(self.score is not None, "score: naturalness needs one, 1 to 5")
        else:
            _check(len(self.shown) >= 2, f"shown: {self.protocol} shows several pictures")
            _check(self.answer < len(self.shown), f"answer: only {len(self.shown)} were shown")
            _check(self.score is None, f"score: {self.protocol} has none")
            self._check_pictures()
        return self

    def _check_pictures(self) -> None:
        pair = self.protocol != "pick_real"
        _check(not pair or len(self.shown) == 2, f"shown: {self.protocol} shows two pictures")
        needs_truth = self.protocol != "preference"
        told = "with" if needs_truth else "without"
        _check((TRUTH in self.shown) == needs_truth, f"shown: {self.protocol} is {told} truth")


COLUMNS = tuple(Vote.model_fields)


def read_votes(path: Path) -> tuple[Vote, ...]:
    """Read votes.csv; where there is no such file there are no votes.

    Raises
    ------
    VotesError
        For a file that is no such table, or whose rows contradict themselves or one another.
    """
    if not path.exists():
        return ()
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            numbered = tuple(_rows(csv.reader(handle, strict=True), path))
    except UnicodeDecodeError as error:
        raise VotesError(f"{path} is not UTF-8 text: byte {error.start} is wrong.") from None
    except csv.Error as error:
        raise VotesError(f"{path} is not a table of votes: {error}.") from None
    except OSError as error:
        raise VotesError(f"{path} cannot be read: {error.strerror}.") from None
    _check_together(numbered, path)
    return tuple(vote for _, vote in numbered)


def _rows(lines: Iterator[list[str]], path: Path) -> Iterator[tuple[int, Vote]]:
    """Yield each vote with the number of its row; a row of the table is a line of the file."""
    header = next(lines, [])
    if tuple(header) != COLUMNS:
        raise VotesError(f"{path}, line 1: the columns must be {','.join(COLUMNS)}.")
    for line, fields in enumerate(lines, 2):
        if len(fields) != len(COLUMNS):
            raise VotesError(f"{path}, line {line}: {len(COLUMNS)} fields, not {len(fields)}.")
        try:
            yield line, Vote.model_validate(dict(zip(COLUMNS, fields, strict=True)))
        except ValidationError as error:
            raise VotesError(f"{path}, line {line}: {_fault(error)}.") from None


def _fault(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    rule = first["msg"].replace("Input should", "must").replace("String should", "must")
    return f"{first['loc'][0]}: {rule[0].lower()}{rule[1:]}, not {first['input']!r}"


def _check_together(numbered: Sequence[tuple[int, Vote]], path: Path) -> None:
    """Refuse a vote that is there twice, and two totals of a person or groups of a photograph."""
    places: set[tuple[int, int]] = set()
    totals: dict[int, int] = {}
    groups: dict[str, str] = {}
    for line, vote in numbered:
        place = (vote.person, vote.number)
        try:
            _check(place not in places, f"number: person {vote.person} has {vote.number} twice")
            same = totals.setdefault(vote.person, vote.total) == vote.total
            _check(same, f"total: person {vote.person} has two")
            same = groups.setdefault(vote.photograph, vote.group) == vote.group
            _check(same, f"group: photograph {vote.photograph} has two")
        except ValueError as error:
            raise VotesError(f"{path}, line {line}: {error}.") from None
        places.add(place)


def _check(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(fault)


def names_of(votes: Iterable[Vote]) -> tuple[str, ...]:
    """Return all names that the votes judge, by alphabet, the truth last."""
    return tuple(sorted({name for v in votes for name in v.judged}, key=lambda n: (n == TRUTH, n)))
