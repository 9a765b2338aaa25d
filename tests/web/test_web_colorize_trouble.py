"""What goes wrong behind and before the service: it answers in a sentence, and goes on."""

import asyncio
import io
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children
from pathlib import Path
from typing import cast

import httpx
import pytest
from coloring_kit import (
    SCAN,
    Service,
    coloring_service,
    detail,
    file_of,
    photograph,
    pixels,
    wait_until,
    worker,
)
from starlette.types import Message, Receive
from web_kit import write_study

from photochrom.web.answers import FileAnswer
from photochrom.web.jobs import Answer
from photochrom.web.limits import Limits

LIMITS = Limits(megapixels=1.0, megabytes=0.2, seconds=8.0, waiting=2, transfer=2.0)
HEAD = (
    b"POST /colorize HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n"
)
BEGUN = b'--b\r\nContent-Disposition: form-data; name="photograph"; filename="a"\r\n\r\n'
WHOLE = BEGUN + SCAN + b"\r\n--b--\r\n"
Answers = list["Future[httpx.Response]"]


@pytest.fixture(scope="module")
def service(project: Path, temporary: Path) -> Iterator[Service]:
    """A service with narrow limits, and a study beside it."""
    study = write_study(temporary.parent / "trouble.db")
    with coloring_service(project, temporary, LIMITS, study) as found:
        yield found


@pytest.fixture(autouse=True)
def _goes_on_and_keeps_nothing(service: Service) -> Iterator[None]:
    yield
    assert pixels(service.post()).size
    wait_until(lambda: service.left_behind() == [])


def settle(service: Service) -> None:
    """Wait until the worker is ready, its model loaded, and nobody in the queue."""
    assert service.post().status_code == 200
    wait_until(lambda: service.coloring.free == 1 + LIMITS.waiting)


@contextmanager
def halted() -> Iterator[int]:
    """Have the worker stand still, as over a photograph without end; yield its process id."""
    process = worker()
    os.kill(process, signal.SIGSTOP)
    try:
        yield process
    finally:
        # It may have been ended meanwhile, which is not to hide why.
        if process_is_there(process):
            os.kill(process, signal.SIGCONT)


def process_is_there(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


@contextmanager
def sent(service: Service, count: int) -> Iterator[Answers]:
    """Send photographs at once; yield their answers to come, when all have a place."""
    with ThreadPoolExecutor(count) as people:
        free = service.coloring.free
        answers = [people.submit(service.post) for _ in range(count)]
        wait_until(lambda: service.coloring.free == free - count)
        yield answers


def test_a_photograph_without_end_is_given_up_in_time(service: Service) -> None:
    settle(service)
    with halted() as process:
        started = time.monotonic()
        response = service.post()
    assert response.status_code == 504
    assert "longer than 8 seconds" in detail(response)
    assert LIMITS.seconds <= time.monotonic() - started < LIMITS.seconds + 5
    assert not process_is_there(process)


def test_a_worker_that_breaks_down_is_replaced(service: Service) -> None:
    settle(service)
    with halted() as process, sent(service, 2) as answers:
        os.kill(process, signal.SIGKILL)
        responses = [answer.result() for answer in answers]
    # Whoever was being served is told; whoever waited is served by the next worker.
    assert sorted(one.status_code for one in responses) == [200, 500]
    (refused,) = (one for one in responses if one.status_code == 500)
    assert "broke down" in detail(refused)
    assert worker() != process


def test_a_worker_that_ends_while_nobody_asks_is_replaced(service: Service) -> None:
    settle(service)
    process = worker()
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: active_children() == [])
    assert service.post().status_code == 200
    assert worker() != process


def test_more_than_can_wait_are_sent_away_for_a_while(service: Service) -> None:
    settle(service)
    with halted(), sent(service, 1 + LIMITS.waiting) as answers:
        refused = service.post()
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert "again in 5 seconds" in detail(refused)
        assert service.client.get("/models").status_code == 200
        assert service.client.get("/study").status_code == 200
        os.kill(worker(), signal.SIGCONT)
        assert [answer.result().status_code for answer in answers] == [200] * len(answers)


def test_whoever_leaves_makes_place_at_once(service: Service) -> None:
    settle(service)
    with halted() as process, sent(service, 1) as answers:
        leaving = [opened(service, WHOLE) for _ in range(LIMITS.waiting)]
        wait_until(lambda: service.coloring.free == 0)
        assert service.post().status_code == 503
        for one in leaving:
            one.close()
        wait_until(lambda: service.coloring.free == LIMITS.waiting)
        with sent(service, LIMITS.waiting) as later:
            os.kill(process, signal.SIGCONT)
            assert [one.result().status_code for one in (*answers, *later)] == [200] * 3


def opened(service: Service, body: bytes, length: int | None = None) -> socket.socket:
    """Send a request by hand; ``length`` is what it says of its body."""
    url = httpx.URL(service.address)
    connection = socket.create_connection((url.host, url.port), timeout=60)
    said = b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length)
    connection.sendall(HEAD + said + body)
    return connection


def answer_of(connection: socket.socket) -> bytes:
    """Return all that a server answers until it closes, or one answer's worth."""
    received = b""
    with connection:
        while b"}" not in received:
            piece = connection.recv(65_536)
            if not piece:
                break
            received += piece
    return received


def test_an_upload_that_is_too_slow_is_given_up(service: Service) -> None:
    started = time.monotonic()
    with opened(service, BEGUN, len(WHOLE)) as connection:
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    assert LIMITS.transfer <= time.monotonic() - started < LIMITS.transfer + 5
    assert received.startswith(b"HTTP/1.1 408")
    assert b"took longer than 2 seconds" in received


def test_an_upload_that_breaks_off_leaves_nothing(service: Service) -> None:
    for length in (1, len(BEGUN), len(WHOLE) - 1):
        opened(service, WHOLE[:length], len(WHOLE)).close()


def test_a_length_that_is_too_large_is_refused_before_the_body(service: Service) -> None:
    received = answer_of(opened(service, b"", 10**12))
    assert received.startswith(b"HTTP/1.1 413")
    assert b"at most 0.2 MB" in received


def test_a_length_that_is_too_small_is_refused(service: Service) -> None:
    received = answer_of(opened(service, WHOLE, len(WHOLE) - 100))
    assert received.startswith(b"HTTP/1.1 400")
    assert b"cut off" in received


@pytest.mark.parametrize("length", [b"-1", b"x", b"1\r\nContent-Length: 2"])
def test_a_length_that_is_none_is_refused(service: Service, length: bytes) -> None:
    url = httpx.URL(service.address)
    connection = socket.create_connection((url.host, url.port), timeout=60)
    connection.sendall(HEAD + b"Content-Length: %b\r\n\r\n" % length)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 400")
    connection.close()


def test_bytes_are_counted_while_they_arrive(service: Service) -> None:
    def body() -> Iterator[bytes]:
        yield BEGUN
        for _ in range(40):
            yield bytes(10_000)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    response = service.client.post("/colorize", content=body(), headers=headers)
    assert response.status_code == 413
    assert "at most 0.2 MB" in detail(response)


def test_whoever_does_not_fetch_the_answer_is_left_alone() -> None:
    async def stuck(_: Message) -> None:
        await asyncio.Event().wait()

    async def fetch() -> None:
        await response({"type": "http"}, cast(Receive, stuck), stuck)

    freed = []
    response = FileAnswer(Answer("image/png", ".png", "m", 1), io.BytesIO(b"x"), "scan", 0.1)
    response.held.callback(freed.append, True)
    asyncio.run(fetch())
    assert freed == [True]


def test_too_many_pixels_are_refused(service: Service) -> None:
    response = service.post(data=file_of(photograph(1001, 1000), "JPEG"))
    assert response.status_code == 413
    assert "1 MP" in detail(response)


def test_what_needs_too_much_memory_is_refused_and_costs_nobody(service: Service) -> None:
    """Logits of a strip of 1024 x 8192 take ten gigabytes."""
    settle(service)
    process = worker()
    strip = file_of(photograph(1600, 200))
    response = service.post(data=strip, size="1024", model="likely")
    assert response.status_code == 413
    assert "more memory" in detail(response)
    assert worker() == process


def test_a_study_is_shown_beside_it(service: Service) -> None:
    assert "A study" in service.client.get("/study").text
    assert service.client.get("/study/page/study.js").status_code == 200
    begun = service.client.post("/study/api/sessions", json={})
    assert begun.status_code == 201
    sentence = detail(service.client.get("/nowhere"))
    assert "photographs is at /" in sentence
    assert "study is at /study" in sentence
