"""Download large files: resumed after an interruption, checked, whole or absent."""

import hashlib
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError as BrokenStreamError

from photochrom.data.sources.base import SourceError
from photochrom.progress import say, track

CHUNK = 2**20
PAUSES = (1.0, 2.0, 4.0)
TIMEOUT = (10.0, 30.0)
PASSING = (408, 425, 429, 500, 502, 503, 504)


class _InterruptedError(Exception):
    """What came is not the whole; trying again may help."""


@dataclass(frozen=True)
class Checksum:
    """What a file's bytes hash to.

    Attributes
    ----------
    algorithm
        A name that `hashlib` knows: ``sha256``, or the ``md5`` that publishers give.
    value
        Hexadecimal digest.
    """

    algorithm: str
    value: str

    def fault(self, path: Path) -> str | None:
        """Return what differs in words, or None where the file is the expected one."""
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, self.algorithm).hexdigest()
        if found == self.value:
            return None
        return f"has the {self.algorithm} {found} instead of {self.value}"


def check(path: Path, checksum: Checksum | None) -> Path:
    """Return ``path``, or raise `SourceError` where the file is not the one expected."""
    if checksum and (fault := checksum.fault(path)):
        raise SourceError(
            f"{path} {fault}; delete it and fetch it anew, or correct the checksum if the new file "
            "is meant."
        )
    return path


def fetch(
    url: str, target: Path, checksum: Checksum | None = None, pauses: Sequence[float] = PAUSES
) -> Path:
    """Download ``url`` to ``target`` and return it; a target that is there is only checked.

    The bytes gather in ``target.part``, from which an interrupted download goes on where the
    server can. They get their name when they are complete and their checksum is right.

    Parameters
    ----------
    pauses
        Seconds to wait before each repetition; one that brought nothing new uses one up.

    Raises
    ------
    SourceError
        When the address is wrong or out of reach, or the checksum differs.
    """
    if target.exists():
        return check(target, checksum)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    _gather(url, part, target, pauses)
    if checksum and (fault := checksum.fault(part)):
        part.unlink()
        _note(part).unlink(missing_ok=True)
        raise SourceError(
            f"{url} {fault}; correct the checksum if the archive was renewed on purpose."
        )
    part.replace(target)
    _note(part).unlink(missing_ok=True)
    return target


def _gather(url: str, part: Path, target: Path, pauses: Sequence[float]) -> None:
    failures = 0
    with requests.Session() as session:
        while True:
            before = _size(part)
            try:
                return _receive(session, url, part)
            except (_InterruptedError, requests.RequestException) as error:
                failures = 0 if _size(part) > before else failures + 1
                if failures > len(pauses) or not _may_pass(error):
                    raise SourceError(_advice(url, target, error)) from None
                pause = pauses[max(failures - 1, 0)] if pauses else 0.0
                say(f"{url}: {_reason(error)}; trying again in {pause:.0f} s")
            time.sleep(pause)


def _receive(session: requests.Session, url: str, part: Path) -> None:
    start = _size(part)
    headers = {"Accept-Encoding": "identity", **_resuming(part, start)}
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:
            _settle(response, part, start)
        elif not response.ok:
            raise requests.HTTPError(response=response)
        else:
            _save(response, part, start if _continues(response, start) else 0)


def _settle(response: requests.Response, part: Path, start: int) -> None:
    """Find the file complete where the server has nothing beyond it; else begin anew."""
    if response.headers.get("Content-Range") != f"bytes */{start}":
        part.unlink()
        raise _InterruptedError("the file there is another one now")


def _save(response: requests.Response, part: Path, start: int) -> None:
    total = _total(response, start)
    _remember(response, part)
    # The bytes as they are sent: a server that labels a .tar.gz as encoded must not have it undone.
    stream: Iterator[bytes] = response.raw.stream(CHUNK, decode_content=False)
    ahead = math.ceil((total - start) / CHUNK) if total is not None else None
    try:
        _append(track(stream, f"{part.stem}, MiB", ahead), part, "ab" if start else "wb")
    except BrokenStreamError:
        raise _InterruptedError(f"the connection broke off after {_size(part)} bytes") from None
    if total is not None and _size(part) != total:
        raise _InterruptedError(f"the server sent {_size(part)} of {total} bytes")


def _append(chunks: Iterator[bytes], part: Path, mode: str) -> None:
    try:
        with part.open(mode) as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SourceError(
            f"{part} cannot be written ({error.strerror}); make room and run this again: it goes "
            "on from there."
        ) from None


def _resuming(part: Path, start: int) -> dict[str, str]:
    """Ask for the rest, and for the whole where the file has changed since."""
    note = _note(part)
    if not start:
        return {}
    condition = {"If-Range": note.read_text(encoding="utf-8")} if note.exists() else {}
    return {"Range": f"bytes={start}-", **condition}


def _remember(response: requests.Response, part: Path) -> None:
    """Keep the version that the server names, where it names one that may be relied on."""
    version = response.headers.get("ETag", "")
    if not version or version.startswith("W/"):
        version = response.headers.get("Last-Modified", "")
    _note(part).unlink(missing_ok=True)
    if version:
        _note(part).write_text(version, encoding="utf-8")


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")


def _continues(response: requests.Response, start: int) -> bool:
    content = response.headers.get("Content-Range", "")
    return response.status_code == 206 and content.startswith(f"bytes {start}-")


def _total(response: requests.Response, start: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _may_pass(error: Exception) -> bool:
    if isinstance(error, requests.HTTPError):
        return _status(error) in PASSING
    return isinstance(error, (_InterruptedError, requests.ConnectionError, requests.Timeout))


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        return f"the server answers {_status(error)} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    if isinstance(error, requests.ConnectionError):
        return "the server is out of reach"
    return str(error)


def _status(error: requests.HTTPError) -> int:
    return error.response.status_code


def _advice(url: str, target: Path, error: Exception) -> str:
    return (
        f"{url} could not be fetched: {_reason(error)}; correct the address, or fetch it where you "
        f"can, put it at {target} and run this again."
    )
