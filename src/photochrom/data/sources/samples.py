"""The embedded default: photographs that ship inside installed packages, by a curated list.

samples.csv names package, file and group. It leaves out what is no color photograph (charts, logos,
calibration targets, drawings, renderings, paintings, microscopy, composites, gray pictures) and
second copies; views of one scene share a group. data/README.md tells where they come from.
"""

import csv
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from photochrom.data.sources.base import File, Photograph, SourceError
from photochrom.params.data import DataParams

INSTALL = "pip install 'photochrom[samples]'"


def photographs(params: DataParams, downloads: Path) -> list[Photograph]:
    """Return the photographs of samples.csv; nothing is fetched.

    Raises
    ------
    SourceError
        When a package is missing, or comes without a photograph of the list.
    """
    return [_photograph(**row) for row in rows()]


def rows() -> Iterator[dict[str, str]]:
    """Yield the rows of samples.csv: ``package``, ``file`` inside it, and ``group``."""
    with Path(__file__).with_name("samples.csv").open(encoding="utf-8", newline="") as table:
        yield from csv.DictReader(table)


def _photograph(package: str, file: str, group: str) -> Photograph:
    path = _folder(package) / file
    if not path.is_file():
        raise SourceError(
            f"The installed {package} comes without {file}; install the version that this list "
            f"was made for: {INSTALL}"
        )
    return Photograph(f"{package}/{file}", None, group, None, File(path))


@cache
def _folder(package: str) -> Path:
    """Find a package without importing it: some take seconds."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SourceError(
            f"The embedded photographs need the package {package}, which is not installed: "
            f"{INSTALL}"
        )
    return Path(spec.origin).parent
