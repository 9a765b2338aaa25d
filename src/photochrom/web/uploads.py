"""Taking in a form with a photograph: within limits, on disk where it is large, never by name."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from photochrom.web.filenames import shown, stem_of
from photochrom.web.forms import FORM, PHOTOGRAPH
from photochrom.web.jobs import RefusedError
from photochrom.web.limits import Limits

MOST_FIELDS = 16
LONGEST_FIELD = 1024
"""Bytes of a field that is no file."""
CLOSE = {"Connection": "close"}
NO_FORM = (
    f"The request cannot be read: send {FORM} with one file, in the field {PHOTOGRAPH}, and the "
    "fields that /openapi.json describes."
)
NO_PHOTOGRAPH = f"The field {PHOTOGRAPH} is missing: send the photograph's file in it."
CUT_OFF = f"The form is cut off: send it again, with the {PHOTOGRAPH} as a whole."


@dataclass(frozen=True)
class Upload:
    """A form that was received.

    Attributes
    ----------
    file : the photograph's file; nothing is known of it yet.
    stem : what to call what is made of it, safe to use in a file's name.
    fields : the other fields, as they were sent.
    """

    file: BinaryIO
    stem: str
    fields: dict[str, str]


@asynccontextmanager
async def received(request: Request, limits: Limits) -> AsyncIterator[Upload]:
    """Receive a form; its file is gone when the context ends.

    Raises
    ------
    RefusedError
        400 when it is no such form, 408 when it comes too slowly, 413 when it is too large, 422
        when the photograph is missing or a field is given twice.
    ClientDisconnect
        When the client is gone before all has come.
    """
    _check_head(request, limits)
    try:
        async with asyncio.timeout(limits.transfer):
            form = await _parsed(request, limits)
    except TimeoutError:
        seconds = f"{limits.transfer:g} seconds"
        detail = f"The upload took longer than {seconds}: send a smaller file."
        raise RefusedError(408, detail, CLOSE) from None
    except MultiPartException:
        raise RefusedError(400, NO_FORM) from None
    try:
        yield _upload(form)
    finally:
        await form.close()


def _check_head(request: Request, limits: Limits) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise RefusedError(400, NO_FORM)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.bytes:
        raise _too_large(limits)


async def _parsed(request: Request, limits: Limits) -> FormData:
    async def pieces() -> AsyncGenerator[bytes, None]:
        total = 0
        async for piece in request.stream():
            total += len(piece)
            if total > limits.bytes:
                raise _too_large(limits)
            yield piece
        # Raised here, and not later, it has the parser close the file that it began.
        if not parser.ended:
            raise RefusedError(400, CUT_OFF)

    parser = _Parser(
        request.headers,
        pieces(),
        max_files=1,
        max_fields=MOST_FIELDS,
        max_part_size=LONGEST_FIELD,
    )
    return await parser.parse()


class _Parser(MultiPartParser):
    """Knows whether the form has come to its end, which the library does not ask for."""

    ended = False

    def on_end(self) -> None:
        self.ended = True


def _too_large(limits: Limits) -> RefusedError:
    return RefusedError(413, f"Send at most {limits.megabytes:g} MB at once.")


def _upload(form: FormData) -> Upload:
    file, fields = None, {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            file = value if name == PHOTOGRAPH else None
        elif name in fields:
            raise RefusedError(422, f"The field {shown(name)} is given twice: send it once.")
        else:
            fields[name] = value
    if file is None:
        raise RefusedError(422, NO_PHOTOGRAPH)
    return Upload(file.file, stem_of(file.filename or ""), fields)
