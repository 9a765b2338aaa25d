"""What the tests of the data share: parameters, pictures, archives and a site to fetch from."""

import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from photochrom.params.data import DataParams


@pytest.fixture
def data_params() -> Callable[..., DataParams]:
    def make(source: str, **values: Any) -> DataParams:
        nothing = {"path": None, "url": None, "sha256": None, "limit": None, "seed": 0}
        return DataParams(**{"source": source, **nothing, **values})

    return make


@pytest.fixture
def jpeg() -> Callable[[int], bytes]:
    """Return small color pictures, a different one for each number."""

    def make(number: int) -> bytes:
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG")
        return buffer.getvalue()

    return make


@pytest.fixture
def write_zip() -> Callable[[Path, Mapping[str, bytes]], Path]:
    def write(path: Path, members: Mapping[str, bytes]) -> Path:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path

    return write


@pytest.fixture
def write_tar() -> Callable[[Path, Mapping[str, bytes]], Path]:
    """Write a tar whose compression is what its name ends in."""

    def write(path: Path, members: Mapping[str, bytes]) -> Path:
        kind = {".tgz": "gz", ".gz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(path.suffix, "")
        with tarfile.open(path, f"w:{kind}") as archive:
            for name, data in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return path

    return write


@dataclass
class Site:
    """A web site with one file, and the faults it is told to have.

    ``drops`` and ``statuses`` are used up from the front, one per request: break the connection
    after so many bytes; answer with this status instead of the file. ``asked`` collects the Range
    header of every request.
    """

    content: bytes = b""
    version: str = '"1"'
    ranges: bool = True
    encoding: str = ""
    drops: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.headers.get("Range"))
        if self.statuses:
            self._head(request, self.statuses.pop(0), {"Content-Length": "0"})
            return
        start = self._start(request)
        body = self.content[start:]
        total = len(self.content)
        if start and not body:
            self._head(request, 416, {"Content-Range": f"bytes */{total}", "Content-Length": "0"})
            return
        lines = {"Content-Length": str(len(body)), "ETag": self.version}
        if self.encoding:
            lines["Content-Encoding"] = self.encoding
        if start:
            lines["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        self._head(request, 206 if start else 200, lines)
        request.wfile.write(body[: self.drops.pop(0)] if self.drops else body)

    def _start(self, request: BaseHTTPRequestHandler) -> int:
        wanted = request.headers.get("Range")
        changed = request.headers.get("If-Range", self.version) != self.version
        if wanted is None or changed or not self.ranges:
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def _head(self, request: BaseHTTPRequestHandler, status: int, lines: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in lines.items():
            request.send_header(name, value)
        request.end_headers()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}/photographs.zip"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield made
        server.shutdown()
