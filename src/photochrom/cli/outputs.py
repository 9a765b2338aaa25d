"""Where colored photographs go, and under which names."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from photochrom.cli.inputs import MARKS, Found, place, shown
from photochrom.cli.refusal import RefusalError
from photochrom.pictures.writing import SUFFIXES

COLOR, COMPARE = MARKS
WRITTEN = {ending: form.lower() for ending, form in SUFFIXES.items()}
"""The formats that ``--format`` takes, by the endings of files."""
FORMS = {form: next(e for e, f in WRITTEN.items() if f == form) for form in WRITTEN.values()}
"""The ending that a file gets by its format."""
OTHERS = {".gif", ".bmp", ".avif", ".heic", ".heif", ".jp2", ".ppm", ".pgm", ".pdf", ".svg"}
"""Endings that ask for a file of another format, not for a folder that is called so."""


@dataclass(frozen=True)
class Task:
    """A photograph to be colored.

    Attributes
    ----------
    path : where it lies; None is standard input.
    targets : the files to be made of it; none is standard output.
    form : the format of standard output, a key of ``FORMS``; None keeps the photograph's own.
    """

    path: Path | None
    targets: tuple[Path, ...]
    form: str | None = None


@dataclass(frozen=True)
class Naming:
    """How files are named.

    Attributes
    ----------
    out : the file or folder asked for; None puts them beside the photographs.
    is_file : whether ``out`` is a file.
    form : the format asked for, a key of ``FORMS``; None keeps the photograph's own where that is
        written, else takes PNG.
    mark : what goes behind the photograph's name.
    count : how many files there are of each photograph; several are numbered.
    """

    out: Path | None
    is_file: bool
    form: str | None
    mark: str = COLOR
    count: int = 1

    def targets(self, found: Found) -> tuple[Path, ...]:
        """Return the files to be made of a photograph."""
        if self.out is not None and self.is_file:
            return self._numbered(self.out.parent, self.out.stem, self.out.suffix)
        ending = self._ending(found.path)
        folder = found.path.parent if self.out is None else self.out / found.below
        stem = found.path.stem
        if self.out is None or self.mark != COLOR or _same(folder / f"{stem}{ending}", found.path):
            stem += self.mark
        return self._numbered(folder, stem, ending)

    def _ending(self, path: Path) -> str:
        own = WRITTEN.get(path.suffix.lower())
        if self.form is None:
            return path.suffix if own else ".png"
        return path.suffix if own == self.form else FORMS[self.form]

    def _numbered(self, folder: Path, stem: str, ending: str) -> tuple[Path, ...]:
        if self.count == 1:
            return (folder / f"{stem}{ending}",)
        return tuple(folder / f"{stem}-{i}{ending}" for i in range(1, self.count + 1))


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    tasks : what is to be made.
    existing : photographs of which something was made before, with what is there.
    clashing : photographs whose files another one gets, with why, a sentence.
    """

    tasks: tuple[Task, ...]
    existing: tuple[tuple[Path, Path], ...]
    clashing: tuple[tuple[Path, str], ...]


def form_named(name: str | None) -> str | None:
    """Return the format that ``--format`` asks for.

    Raises
    ------
    RefusalError
        When it is none that is written.
    """
    if name is None:
        return None
    form = WRITTEN.get(f".{name.lower().removeprefix('.')}", name.lower())
    if form not in FORMS:
        raise RefusalError(f"--format {name}: photographs are written as {', '.join(FORMS)}.")
    return form


def naming_of(out: str | None, form: str | None, mark: str, count: int) -> Naming:
    """Understand ``-o``: a folder, or a file by its ending.

    Raises
    ------
    RefusalError
        When a file's ending is of a format that is not written, or not the one asked for.
    """
    if out is None:
        return Naming(None, False, form, mark, count)
    path = Path(out)
    if path.is_dir() or out.endswith(("/", os.sep)):
        return Naming(path, False, form, mark, count)
    ending = path.suffix.lower()
    if ending in OTHERS:
        raise RefusalError(
            f"-o {shown(out)}: photographs are written as {', '.join(FORMS)}; take one of these "
            "endings."
        )
    own = WRITTEN.get(ending)
    if own and form and own != form:
        raise RefusalError(f"-o {shown(out)} is {own}, but --format says {form}: leave one out.")
    if own is None and path.exists():
        raise RefusalError(
            f"-o {shown(out)} is there and no folder: name a folder, or a file that ends in "
            f"{', '.join(WRITTEN)}."
        )
    return Naming(path, own is not None, own or form, mark, count)


def plan(found: Sequence[Found], naming: Naming, overwrite: bool) -> Plan:
    """Name the files to be made, and set aside what exists and what two photographs would share."""
    tasks: list[Task] = []
    existing: list[tuple[Path, Path]] = []
    clashing: list[tuple[Path, str]] = []
    owners: dict[str, Path] = {}
    sources = {place(one.path) for one in found}
    for one in found:
        targets = naming.targets(one)
        keys = [place(target) for target in targets]
        owner = next((owners[key] for key in keys if key in owners), None)
        there = next((target for target in targets if os.path.lexists(target)), None)
        if owner is not None:
            why = f"{shown(owner)} becomes {shown(targets[0])}: color this one on its own."
            clashing.append((one.path, why))
            continue
        if overwrite and any(key in sources and key != place(one.path) for key in keys):
            why = f"{shown(targets[0])} is one of the photographs: choose another -o."
            clashing.append((one.path, why))
            continue
        owners |= dict.fromkeys(keys, one.path)
        if there is not None and not overwrite:
            existing.append((one.path, there))
        else:
            tasks.append(Task(one.path, targets))
    return Plan(tuple(tasks), tuple(existing), tuple(clashing))


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
