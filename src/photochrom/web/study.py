"""The study over HTTP: its page, sessions, trials, votes and pictures.

What the browser is sent never names a model, and nothing in it differs between a photograph and a
colorization: keys are random, and all pictures have the same size in pixels and in bytes. So they
must never be compressed on the way.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from photochrom.study.store import LONGEST, StudyStore, Trial
from photochrom.web.files import add_page
from photochrom.web.guard import LimitedRoute

JSON = "application/json"


class Opened(BaseModel):
    """A session has begun."""

    token: str
    """What the browser names the session by; also the code to go on elsewhere."""


class Progress(BaseModel):
    """How far a session has come, in trials, practice included."""

    answered: int
    total: int


class Showing(BaseModel):
    """The next trial: what to show, and nothing of what it is."""

    number: int
    total: int
    protocol: str
    practice: bool
    exposure: int | None
    """Milliseconds per picture; null where pictures stay."""
    pictures: list[str]
    """Addresses, in the order shown."""
    side: int
    """Pixels of a side of each picture."""


class Finished(BaseModel):
    """There is no further trial."""

    finished: bool = True


class Vote(BaseModel):
    """One answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    number: Annotated[int, Field(ge=1, le=1_000_000)]
    """Of the trial, as it was given."""
    answer: Annotated[int, Field(ge=0, le=1_000)]
    """Index of the picture, from 0; for naturalness 1 (natural) or 0."""
    score: Annotated[int, Field(ge=1, le=5)] | None
    """For naturalness, from 1 to 5."""
    milliseconds: Annotated[int, Field(ge=0, le=LONGEST)]
    """From the end of the exposure, or from the showing, to the answer."""


class Verdict(BaseModel):
    """What is told after an answer: the right one in practice, else nulls."""

    right: bool | None
    told: int | None


def study_router(store: StudyStore) -> APIRouter:
    """Return the routes of the study in ``store``, all below ``/study``.

    They are not coroutines, because the store waits for the disk: each runs in a thread.
    """
    router = APIRouter(prefix="/study", route_class=LimitedRoute)
    add_page(router, "pages", "study.html", "")
    _add_sessions(router, store)
    _add_trials(router, store)
    return router


def _add_sessions(router: APIRouter, store: StudyStore) -> None:
    @router.post("/api/sessions", status_code=201, dependencies=[Depends(_sent_as_json)])
    def begin() -> Opened:
        return Opened(token=store.begin())

    @router.get("/api/sessions/{token}")
    def progress(token: str) -> Progress:
        answered, total = store.progress(token)
        return Progress(answered=answered, total=total)


def _sent_as_json(content_type: Annotated[str, Header()] = "") -> None:
    """Refuse what pages of other sites can send without being asked whether they may."""
    if content_type.partition(";")[0].strip().lower() != JSON:
        raise HTTPException(415, f"Send this request with the content type {JSON}.")


def _add_trials(router: APIRouter, store: StudyStore) -> None:
    @router.get("/api/sessions/{token}/trial")
    def upcoming(token: str) -> Showing | Finished:
        trial = store.upcoming(token)
        return Finished() if trial is None else _showing(trial)

    @router.post("/api/sessions/{token}/votes")
    def vote(token: str, vote: Vote) -> Verdict:
        told = store.vote(token, vote.number, vote.answer, vote.score, vote.milliseconds)
        return Verdict(right=told.right, told=told.told)

    @router.get("/pictures/{key}", response_class=Response)
    def picture(key: str) -> Response:
        return Response(store.picture(key), media_type="image/png")


def _showing(trial: Trial) -> Showing:
    return Showing(
        number=trial.number,
        total=trial.total,
        protocol=trial.protocol,
        practice=trial.practice,
        exposure=trial.exposure,
        pictures=[f"/study/pictures/{key}" for key in trial.pictures],
        side=trial.side,
    )
