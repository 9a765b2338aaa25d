"""Archives that stand at their publisher's address: used where they lie, fetched where not."""

from dataclasses import dataclass
from pathlib import Path

from photochrom.data.sources.base import SourceError
from photochrom.data.sources.fetch import Checksum, check, fetch
from photochrom.params.data import DataParams


@dataclass(frozen=True)
class Published:
    """One archive of a published set.

    Attributes
    ----------
    url
        Its publisher's address; its last part is the archive's file name.
    md5
        The checksum by which the set is known.
    folder
        What the archive unpacks to; used instead of it where someone has done that.
    """

    url: str
    md5: str
    folder: str

    @property
    def name(self) -> str:
        """The archive's file name."""
        return self.url.rsplit("/", 1)[-1]


def places(params: DataParams, downloads: Path) -> list[Path]:
    """Return where archives may lie already: ``data.path`` first, then the downloads."""
    if params.path is None:
        return [downloads]
    if not Path(params.path).is_dir():
        raise SourceError(
            f"data.path {params.path} is not a folder; name the one that holds the archives of "
            f"{params.source}, or null to fetch them."
        )
    return [Path(params.path), downloads]


def at_hand(archive: Published, folder: Path) -> Path | None:
    """Return the unpacked folder or the archive where one lies in ``folder``, or None."""
    candidates = (folder / archive.folder, folder / archive.name)
    return next((path for path in candidates if path.exists()), None)


def obtain(archive: Published, params: DataParams, downloads: Path) -> Path:
    """Return the unpacked folder or the checked archive, fetched into ``downloads`` if need be.

    Raises
    ------
    SourceError
        When the checksum differs or the publisher is out of reach; says what to put where.
    """
    checksum = Checksum("md5", archive.md5)
    for place in places(params, downloads):
        found = at_hand(archive, place)
        if found is not None:
            return found if found.is_dir() else check(found, checksum)
    return fetch(archive.url, downloads / archive.name, checksum)
