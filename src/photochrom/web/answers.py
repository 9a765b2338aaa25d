"""Sending an answer's body from a file, and freeing all that it took when it is out."""

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from photochrom.web.filenames import disposition
from photochrom.web.jobs import CHUNK, FORMS, Answer

PICTURES = {suffix for _, suffix in FORMS.values()}
LONGEST_NOTES = 1000
"""Characters."""


class FileAnswer(Response):
    """The response with the body of an answer.

    Parameters
    ----------
    answer : what the worker told.
    body : its file.
    stem : of the photograph's name.
    seconds : that the client may take to fetch it; then it is left alone.

    Attributes
    ----------
    held : closed when the body is out, or cannot be sent.
    """

    def __init__(self, answer: Answer, body: BinaryIO, stem: str, seconds: float) -> None:
        headers = _headers(answer) | {"Content-Length": str(body.seek(0, os.SEEK_END))}
        if answer.suffix in PICTURES:
            headers["Content-Disposition"] = disposition(f"{stem}-color", answer.suffix)
        super().__init__(media_type=answer.media_type, headers=headers)
        body.seek(0)
        self.held = AsyncExitStack()
        self._file, self._seconds = body, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, piece by piece."""
        async with self.held:
            with suppress(TimeoutError):
                await self._send_all(send)

    async def _send_all(self, send: Send) -> None:
        async with asyncio.timeout(self._seconds):
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            while piece := await run_in_threadpool(self._file.read, CHUNK):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def _headers(answer: Answer) -> dict[str, str]:
    """Return the headers that tell how an answer came about."""
    headers = {
        "X-Photochrom-Model": _ascii(answer.model),
        "X-Photochrom-Milliseconds": str(answer.milliseconds),
    }
    if answer.notes:
        headers["X-Photochrom-Notes"] = _ascii(" ".join(answer.notes))[:LONGEST_NOTES]
    return headers


def _ascii(text: str) -> str:
    """Return text that a header can hold: one line of plain characters."""
    line = " ".join(text.split())
    return "".join(c if " " <= c <= "~" else "?" for c in line)
