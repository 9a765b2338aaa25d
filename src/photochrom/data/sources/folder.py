"""Any folder of photographs, with its subfolders.

A photograph's label is the folder it lies in. Top folders named train, val, validation or test are
the set's own splits. Broken pictures are taken all the same: the filter names what is wrong.
"""

from pathlib import Path

from photochrom.data.sources.base import File, Photograph, SourceError, own_label, own_split
from photochrom.data.sources.containers import SUFFIXES, files, is_own_picture
from photochrom.params.data import DataParams
from photochrom.progress import say


def photographs(params: DataParams, downloads: Path) -> list[Photograph]:
    """Return the photographs below ``data.path``, sorted by name; nothing is fetched.

    Raises
    ------
    SourceError
        When there is no such folder, it may not be listed, or no picture is in it.
    """
    folder = Path(params.path or "")
    if not folder.is_dir():
        raise SourceError(f"data.path {folder} is not a folder; name the one with photographs.")
    everything = list(files(folder))
    found = [_photograph(name, path) for name, path in everything if is_own_picture(name, path)]
    _account(folder, len(everything) - len(found))
    return found


def _photograph(name: str, path: Path) -> Photograph:
    top = name.split("/")[:-1][:1]
    return Photograph(name, own_label(name), name, own_split(top), File(path))


def _account(folder: Path, others: int) -> None:
    if others:
        say(
            f"{folder}: {others} other files left alone (links, hidden files, and names that end "
            f"in none of {' '.join(sorted(SUFFIXES))})"
        )
