"""The files that a page is made of."""

from collections.abc import Callable
from importlib.resources import files

from fastapi import APIRouter, Response

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def add_page(router: APIRouter, folder: str, page: str, address: str) -> None:
    """Add a page to a router.

    Parameters
    ----------
    folder : beside this module; all its files are given out, below ``/page``.
    page : the file that is the page itself.
    address : of the page.
    """
    for file in (files("photochrom.web") / folder).iterdir():
        if file.is_file():
            path = address if file.name == page else f"/page/{file.name}"
            router.get(path, include_in_schema=False)(_given(file.name, file.read_bytes()))


def _given(name: str, content: bytes) -> Callable[[], Response]:
    media_type = TYPES["." + name.rpartition(".")[2]]

    def file() -> Response:
        return Response(content, media_type=media_type)

    return file
