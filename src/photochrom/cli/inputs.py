"""Which photographs a command line means: files, folders with all in them, patterns."""

import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from photochrom.pictures.opening import FORMATS

MARKS = ("-color", "-compare")
"""What is put behind the name of a photograph for what was made of it."""
MADE = re.compile(rf"(?P<stem>.+)(?:{'|'.join(MARKS)})(?:-\d+)?")
Identity = tuple[int, int]


@dataclass(frozen=True)
class Found:
    """A file that was named or found.

    Attributes
    ----------
    path : where it lies.
    below : its folder within the folder that was named; ``.`` for a file that was named itself.
    """

    path: Path
    below: Path = Path()


@dataclass(frozen=True)
class Fault:
    """Something named that gives no photograph: what, and why, a sentence."""

    path: Path
    why: str


@dataclass
class Inputs:
    """What the arguments of a command line come to."""

    found: list[Found] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def gather(arguments: Sequence[str], out: Path | None = None) -> Inputs:
    """Return the photographs that arguments name, each once.

    What earlier runs made of photographs that are among them is left out, by its name: of
    ``scan.jpg``, ``scan-color.png``.

    Parameters
    ----------
    arguments : files; folders, in which every file with a picture's ending counts, at any depth,
        but hidden ones; patterns such as ``scans/*.tif``, where no file is called so.
    out : a folder for what is made, left out where it lies in a folder that is named.
    """
    inputs = Inputs()
    expanded = [path for argument in arguments for path in _expanded(argument, inputs.faults)]
    expanded = _without_made(expanded, arguments, out)
    several = sum(path.is_dir() for path in expanded) > 1
    for path in expanded:
        # A folder may be called `..`, which is no name to keep below -o.
        _add(path, Path(Path(place(path)).name) if several else Path(), out, inputs)
    inputs.found = _originals(inputs.found)
    return inputs


def shown(path: Path | str) -> str:
    """Return a file's name on one line, whatever is in it."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def place(path: Path) -> str:
    """Return what tells a file from others: its path from the root, links not followed."""
    return os.path.normpath(path.absolute())


def reason(error: OSError) -> str:
    """Return what an error of the system says, as a sentence."""
    return f"{error.strerror or error}."


def _expanded(argument: str, faults: list[Fault]) -> list[Path]:
    if os.path.lexists(argument) or not glob.has_magic(argument):
        return [Path(argument)]
    # Unlike Path.glob, it leaves hidden files out, as shells do.
    matches = sorted(glob.glob(argument, recursive=True), key=os.fsencode)  # noqa: PTH207
    if not matches:
        faults.append(Fault(Path(argument), "Nothing is called so."))
    return [Path(match) for match in matches]


def _without_made(paths: list[Path], named: Sequence[str], out: Path | None) -> list[Path]:
    """Leave out the folder for what is made, and matches of patterns in it, among others."""
    if out is None:
        return paths
    inside = [Path(place(path)).is_relative_to(place(out)) for path in paths]
    if all(inside):
        return paths
    kept = {Path(argument) for argument in named if not Path(argument).is_dir()}
    return [path for path, made in zip(paths, inside, strict=True) if not made or path in kept]


def _add(path: Path, below: Path, out: Path | None, inputs: Inputs) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        inputs.faults.append(Fault(path, reason(error)))
        return
    if stat.S_ISREG(mode):
        inputs.found.append(Found(path))
    elif stat.S_ISDIR(mode):
        _add_folder(path, below, out, inputs)
    else:
        why = "This is no file; send what it gives through a pipe: photochrom colorize - < IT."
        inputs.faults.append(Fault(path, why))


def _add_folder(folder: Path, below: Path, out: Path | None, inputs: Inputs) -> None:
    known = len(inputs.faults)
    files = list(_files(folder, _identity(out), inputs.faults))
    inputs.found += [Found(path, below / path.parent.relative_to(folder)) for path in files]
    if not files and len(inputs.faults) == known:
        inputs.faults.append(Fault(folder, "This folder holds no photograph."))


def _files(folder: Path, out: Identity | None, faults: list[Fault]) -> Iterator[Path]:
    """Yield the pictures in a folder and those below it, each folder once, however it is linked."""
    endings = _endings()
    waiting = [folder]
    seen = {out} if out and out != _identity(folder) else set()
    while waiting:
        here = waiting.pop()
        identity = _identity(here)
        if identity in seen:
            continue
        seen |= {identity} if identity else set()
        try:
            paths = sorted((p for p in here.iterdir() if p.name[0] != "."), key=os.fsencode)
        except OSError as error:
            faults.append(Fault(here, reason(error)))
            continue
        waiting += reversed([path for path in paths if path.is_dir()])
        yield from (p for p in paths if p.suffix.lower() in endings and not p.is_dir())


def _endings() -> set[str]:
    return {ending for ending, kind in Image.registered_extensions().items() if kind in FORMATS}


def _identity(path: Path | None) -> Identity | None:
    if path is None:
        return None
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_dev, told.st_ino


def _originals(found: list[Found]) -> list[Found]:
    """Return each file once, without those that are made of others of them."""
    once = {place(one.path): one for one in found}
    stems = {(one.path.parent, one.path.stem) for one in once.values()}
    return [one for one in once.values() if not _is_made(one.path, stems)]


def _is_made(path: Path, stems: set[tuple[Path, str]]) -> bool:
    made = MADE.fullmatch(path.stem)
    return made is not None and (path.parent, made["stem"]) in stems
