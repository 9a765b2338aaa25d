"""The application behind the browser: one router per subject, one set of guards for all."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from photochrom.study.store import StudyStore
from photochrom.web.guard import SecurityHeaders
from photochrom.web.hosts import LOOPBACK, KnownHosts
from photochrom.web.refusals import add_refusals
from photochrom.web.study import study_router


def create_app(study: Path, hosts: Collection[str] = LOOPBACK) -> FastAPI:
    """Make the application that shows the study in the file ``study`` and takes its votes.

    Every response carries the headers of :class:`~photochrom.web.guard.SecurityHeaders`; every
    refusal is JSON whose ``detail`` is a sentence.

    Parameters
    ----------
    hosts : the names under which it answers, see :class:`~photochrom.web.hosts.KnownHosts`.

    Raises
    ------
    StudyError
        When the file is missing or is no study.
    """
    store = StudyStore.open(study)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(title="Photochrom", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.add_middleware(KnownHosts, hosts=hosts)
    app.add_middleware(SecurityHeaders)
    add_refusals(app)
    app.include_router(study_router(store))
    return app
