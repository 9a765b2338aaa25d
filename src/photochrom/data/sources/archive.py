"""Any ZIP or tar archive of photographs, by its address.

A photograph's label is the folder it lies in; a folder on its path named train, val, validation or
test is the set's own split. ``file://`` archives are read where they lie (``file:///absolute`` or
``file://relative/to/the/project``); others are kept in the downloads.
"""

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from photochrom.data.sources.base import Photograph, Rereadable, SourceError, own_label, own_split
from photochrom.data.sources.containers import pictures
from photochrom.data.sources.fetch import Checksum, check, fetch
from photochrom.params.data import DataParams


def photographs(params: DataParams, downloads: Path) -> Rereadable:
    """Return the photographs of the archive ``data.url``, fetched and checked, in its order.

    Raises
    ------
    SourceError
        When the archive is out of reach, differs from ``data.sha256``, or must not be trusted.
    """
    return Rereadable(partial(_read, _obtain(params, downloads)))


def _read(path: Path) -> Iterator[Photograph]:
    for picture in pictures(path):
        name = picture.name
        split = own_split(name.split("/")[:-1])
        yield Photograph(name, own_label(name), name, split, picture.location)


def _obtain(params: DataParams, downloads: Path) -> Path:
    url = params.url or ""
    checksum = Checksum("sha256", params.sha256) if params.sha256 else None
    scheme = urlsplit(url).scheme.lower()
    if scheme == "file":
        return check(_local(url), checksum)
    if scheme in ("http", "https"):
        return fetch(url, downloads / _kept_name(url), checksum)
    raise SourceError(f"data.url {url!r} must begin with http://, https:// or file://.")


def _local(url: str) -> Path:
    address = urlsplit(url)
    if address.netloc in ("", "localhost"):
        path = Path(url2pathname(address.path))
    else:
        path = Path(unquote(address.netloc + address.path))
    if not path.is_file():
        raise SourceError(f"data.url {url}: there is no file {path}; correct the address.")
    return path


def _kept_name(url: str) -> str:
    """Name the kept archive after its whole address: two sites may both call theirs photos.zip."""
    name = Path(unquote(urlsplit(url).path)).name or "archive"
    return f"{hashlib.sha256(url.encode()).hexdigest()[:8]}-{name}"
