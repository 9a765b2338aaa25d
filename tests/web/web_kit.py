"""What tests of the pages share: a server that shows a small study, and what its file tells."""

import sqlite3
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import study_kit
import uvicorn
from fastapi import FastAPI

from photochrom.web.app import create_app
from photochrom.web.hosts import LOOPBACK

MODELS = ("patchgan", "resnet", "unet", "dcgan", "autoencoder")
ONE_OF_EACH = {"real_or_fake": 1, "naturalness": 1, "pick_real": 1, "preference": 1}
EXPOSURE = 200
STARTUP = 30.0
"""Most seconds that a server may take to answer at first."""


@dataclass(frozen=True)
class Site:
    """A study and where it is shown."""

    study: Path
    address: str


def write_study(path: Path, **changes: Any) -> Path:
    """Write a study of plain squares: a trial of each protocol after practice, and no gold."""
    small = {"trials": ONE_OF_EACH, "gold": 0, "exposure": EXPOSURE}
    return study_kit.write_small_study(path, MODELS, **(small | changes))


def votes(study: Path) -> list[tuple[str, int, int, int | None, int]]:
    """Return token, number, answer, score and milliseconds of every vote."""
    with closing(sqlite3.connect(study)) as database:
        return database.execute(
            "SELECT token, number, answer, score, milliseconds"
            " FROM votes JOIN people USING (person) ORDER BY person, number"
        ).fetchall()


@contextmanager
def serving(study: Path, hosts: Collection[str] = LOOPBACK) -> Iterator[Site]:
    """Serve a study from a thread of this process, under the names ``hosts``."""
    with running(create_app(study, hosts=hosts)) as address:
        yield Site(study, address)


@contextmanager
def running(application: FastAPI) -> Iterator[str]:
    """Run an application in a thread of this process; yield its address."""
    config = uvicorn.Config(application, port=0, log_level="critical", ws="none", http="h11")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + STARTUP
        while not server.started:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
