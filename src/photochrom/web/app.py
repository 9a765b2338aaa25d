"""The application behind the browser: one router per subject, one set of guards for all."""

from collections.abc import AsyncIterator, Collection
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from photochrom import __version__
from photochrom.study.store import StudyStore
from photochrom.web.coloring import Coloring
from photochrom.web.colorize import colorize_router
from photochrom.web.guard import SecurityHeaders
from photochrom.web.hosts import LOOPBACK, KnownHosts
from photochrom.web.refusals import add_refusals
from photochrom.web.study import study_router

COLORING_AT, STUDY_AT = "The page to color photographs is at /.", "The study is at /study."


def create_app(
    study: Path | None = None,
    coloring: Coloring | None = None,
    hosts: Collection[str] = LOOPBACK,
) -> FastAPI:
    """Make the application that colors photographs, shows a study and takes its votes, or both.

    Every response carries the headers of :class:`~photochrom.web.guard.SecurityHeaders`; every
    refusal is JSON whose ``detail`` is a sentence.

    Parameters
    ----------
    study : the study's file; None shows none.
    coloring : what colors; it is started with the application, if it does not run yet, and stopped
        with it. None colors nothing.
    hosts : the names under which it answers, see :class:`~photochrom.web.hosts.KnownHosts`.

    Raises
    ------
    StudyError
        When the study's file is missing or is no study.
    """
    store = StudyStore.open(study) if study else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as running:
            if store:
                running.callback(store.close)
            if coloring:
                running.callback(coloring.close)
                coloring.start()
            yield

    app = FastAPI(
        title="Photochrom",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    if coloring:
        app.add_middleware(KnownHosts, hosts=hosts, what="Photochrom", command="photochrom serve")
    else:
        app.add_middleware(KnownHosts, hosts=hosts)
    app.add_middleware(SecurityHeaders)
    places = [COLORING_AT] * bool(coloring) + [STUDY_AT] * bool(store)
    add_refusals(app, " ".join(places))
    if coloring:
        app.include_router(colorize_router(coloring))
    if store:
        app.include_router(study_router(store))
    return app
