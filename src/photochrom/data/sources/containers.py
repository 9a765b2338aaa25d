"""Pictures inside folders, ZIP archives and tar archives, one at a time.

Nothing is ever unpacked. An archive that holds a member of a kind used in attacks (a path that
leaves the archive, a link, a device, a size beyond reason) is refused whole, by that member's name.
"""

import os
import re
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo, is_zipfile

from photochrom.data.sources.base import MAX_BYTES, File, Location, SourceError, UnreadableError

SUFFIXES = frozenset(
    {
        *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"),
        *(".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
    }
)
# What the standard library raises on damaged archives, whichever compression they have.
DAMAGE = (BadZipFile, EOFError, LZMAError, NotImplementedError, OSError, zlib.error)
ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that is a picture by its name, and where its bytes lie."""

    name: str
    location: Location


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an open archive."""

    open: Callable[[], IO[bytes] | None]

    def read(self) -> bytes:
        """Return the encoded bytes, or raise `UnreadableError`."""
        try:
            stream = self.open()
            if stream is None:
                raise UnreadableError("not a regular file")
            with stream:
                return stream.read()
        except (*DAMAGE, tarfile.TarError) as error:
            raise UnreadableError(str(error)) from None


def is_picture(name: str) -> bool:
    """Return whether ``name`` is a picture's by its suffix, and not one of the hidden files."""
    folders = name.split("/")
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in folders)
    return Path(name).suffix.lower() in SUFFIXES and not hidden


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of every file below ``folder``, sorted; linked folders are not entered.

    Names are relative to ``folder``, with forward slashes. `SourceError` names what is forbidden.
    """
    for place, folders, names in os.walk(folder, onerror=_refuse_folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            yield _text(path.relative_to(folder).as_posix()), path


def is_own_picture(name: str, path: Path) -> bool:
    """Return whether the file is a picture by its name, and not a link or a device."""
    return is_picture(name) and stat.S_ISREG(path.lstat().st_mode)


def pictures(path: Path) -> Iterator[Picture]:
    """Yield the pictures of an archive, or of the folder it was unpacked to, by the same names.

    Those of an archive can be read until the next one is asked for.

    Raises
    ------
    SourceError
        When ``path`` is no archive, is damaged, or holds a member that must not be trusted.
    """
    with _whole(path):
        if path.is_dir():
            yield from _folder_pictures(path)
        elif tarfile.is_tarfile(path):
            yield from _tar_pictures(path)
        elif is_zipfile(path):
            yield from _zip_pictures(path)
        else:
            raise SourceError(
                f"{path} is neither a ZIP nor a tar archive, or only a part of one; delete it and "
                "fetch it anew."
            )


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except (*DAMAGE, tarfile.TarError) as error:
        raise SourceError(
            f"{path} cannot be read to its end ({error}); delete it and fetch it anew."
        ) from None


def _folder_pictures(folder: Path) -> Iterator[Picture]:
    for name, path in files(folder):
        if is_own_picture(name, path):
            yield Picture(f"{folder.name}/{name}", File(path))


def _zip_pictures(path: Path) -> Iterator[Picture]:
    with ZipFile(path) as archive:
        members = archive.infolist()
        for member in members:
            _refuse(path, member.filename, _zip_fault(member))
        for member in members:
            name = _plain(member.filename)
            if is_picture(name) and not member.is_dir():
                yield Picture(name, Member(partial(archive.open, member)))


def _tar_pictures(path: Path) -> Iterator[Picture]:
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            _refuse(path, member.name, _tar_fault(member))
            name = _plain(member.name)
            if is_picture(name) and member.isfile():
                yield Picture(name, Member(partial(archive.extractfile, member)))


def _zip_fault(member: ZipInfo) -> str | None:
    if stat.S_ISLNK(member.external_attr >> 16):
        return "is a link"
    if member.flag_bits & ENCRYPTED:
        return "is encrypted"
    return _name_fault(member.filename) or _size_fault(member.filename, member.file_size)


def _tar_fault(member: tarfile.TarInfo) -> str | None:
    if member.issym() or member.islnk():
        return "is a link"
    if not (member.isfile() or member.isdir()):
        return "is a device or a pipe"
    return _name_fault(member.name) or _size_fault(member.name, member.size)


def _name_fault(name: str) -> str | None:
    parts = _parts(name)
    if ".." in parts:
        return "leads out of the archive"
    if not parts[0] or re.fullmatch("[A-Za-z]:", parts[0]):
        return "has an absolute path"
    return None


def _size_fault(name: str, size: int) -> str | None:
    if is_picture(_plain(name)) and size > MAX_BYTES:
        return f"claims {size / 1e6:.0f} MB, more than a photograph's {MAX_BYTES / 1e6:.0f} MB"
    return None


def _refuse(archive: Path, member: str, fault: str | None) -> None:
    if fault:
        raise SourceError(
            f"{archive} is refused: its member {member!r} {fault}; make it anew without that."
        )


def _refuse_folder(error: OSError) -> None:
    raise SourceError(f"{error.filename} cannot be listed ({error.strerror}); give access to it.")


def _parts(name: str) -> list[str]:
    return re.split(r"[/\\]", name)


def _plain(name: str) -> str:
    return _text("/".join(part for part in _parts(name) if part not in ("", ".")))


def _text(name: str) -> str:
    """Make a name that is not UTF-8 (an old archive's, an old disk's) one that can be written."""
    return name.encode("utf-8", "xmlcharrefreplace").decode()
