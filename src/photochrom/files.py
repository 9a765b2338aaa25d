"""Files that are whole or absent: written under a temporary name, then renamed."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

PACKAGE = Path(__file__).parent


@contextmanager
def whole_file(path: Path, *, on_disk: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it onto ``path`` when the block succeeds.

    A kill or a full disk never leaves half a file under a name that is read later. The temporary
    file is removed on failure.

    Parameters
    ----------
    on_disk : wait until the data is on the disk before the name appears, so that a power cut
        leaves no half file either.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Processes on several machines may have the same number.
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield temporary
        if on_disk:
            with temporary.open("rb") as handle:
                os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all. NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def fingerprint(values: Any, code: Sequence[str]) -> str:
    """Digest what decides a result: JSON values and the code that computes it (hexadecimal).

    Parameters
    ----------
    values : whatever JSON can write.
    code : files and folders of modules, from the package's root, such as ``data/shards.py``.
    """
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for part in code:
        place = PACKAGE / part
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(file.read_bytes())
    return digest.hexdigest()
