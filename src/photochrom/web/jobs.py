"""What the server and its worker tell each other. Nothing here needs torch."""

from dataclasses import dataclass
from io import SEEK_END
from multiprocessing.connection import Connection
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from photochrom.colorizer.options import Options

CHUNK = 1 << 20
"""Bytes that pass at once: files of any size go through little memory."""


FORMS = {
    "PNG": ("image/png", ".png"),
    "JPEG": ("image/jpeg", ".jpg"),
    "TIFF": ("image/tiff", ".tiff"),
    "WEBP": ("image/webp", ".webp"),
}
"""Content type and file name's ending of each format of an answer, by Pillow's name for it."""


@dataclass(frozen=True)
class Model:
    """A model that the worker can color with."""

    name: str
    origin: str
    study: str
    parameters: int | None
    size: int
    """Its working size in pixels."""
    temperature: float | None
    """Its own; None where it predicts no distribution."""


@dataclass(frozen=True)
class Job:
    """A photograph to be colored.

    Attributes
    ----------
    model : its name, one of those that the worker told.
    options : how.
    form : the format of the answer, as Pillow calls it; None takes the photograph's own.
    variant : which of the plausible colorings, from 1, the model's usual one.
    variants : give so many colorings as one JSON document instead.
    """

    model: str
    options: Options
    form: str | None = None
    variant: int = 1
    variants: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a job resulted in; its body follows as a file.

    Attributes
    ----------
    media_type : of the body.
    suffix : of a file that holds the body.
    model : which colored it.
    milliseconds : of work, waiting excluded.
    notes : sentences on what was not taken over.
    """

    media_type: str
    suffix: str
    model: str
    milliseconds: int
    notes: tuple[str, ...] = ()


class RefusedError(Exception):
    """Why there is no answer.

    Attributes
    ----------
    status : of HTTP.
    detail : a sentence.
    headers : that the response has besides.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)
        self.status, self.detail, self.headers = status, detail, headers


def send_file(connection: Connection, file: BinaryIO) -> None:
    """Send all of a file, piece by piece."""
    size = file.seek(0, SEEK_END)
    file.seek(0)
    connection.send(size)
    while piece := file.read(CHUNK):
        connection.send_bytes(piece)


def unnamed_file() -> BinaryIO:
    """Return a file that is in memory while it is small, then on disk, and gone when closed."""
    return cast(BinaryIO, SpooledTemporaryFile(max_size=CHUNK))


def received_file(connection: Connection) -> BinaryIO:
    """Return what :func:`send_file` sent as an :func:`unnamed_file`, at its beginning.

    Raises
    ------
    EOFError, OSError
        When it breaks off, or the disk is full.
    """
    file = unnamed_file()
    try:
        size = connection.recv()
        while file.tell() < size:
            file.write(connection.recv_bytes())
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file
