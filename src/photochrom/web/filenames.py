"""Names of files as others send them: shown and sent back clean, and never used on the disk."""

import re
import unicodedata
from urllib.parse import quote

LONGEST = 100
"""Characters kept of a name."""
UNNAMED = "photograph"
UNSAFE = re.compile(r'[<>:"|?*%;]')
EDGES = " .-"
"""What a name neither begins nor ends with: some programs take it for more than a name."""


def shown(text: str) -> str:
    """Return text without what cannot be seen, and not longer than :data:`LONGEST`."""
    # Category C: control characters, marks of direction, surrogates, what is unassigned.
    seen = "".join(c for c in text if not unicodedata.category(c).startswith("C"))
    return unicodedata.normalize("NFC", seen)[:LONGEST]


def stem_of(name: str) -> str:
    """Return a file's name without its folders, its ending and whatever is not plain text.

    Examples: ``../../etc/passwd`` gives ``passwd``, ``C:\\scans\\1.tif`` gives ``1``, and what
    has nothing left gives ``photograph``.
    """
    last = re.split(r"[/\\]", name)[-1]
    whole = UNSAFE.sub("", shown(last)).strip(EDGES)
    return whole.rpartition(".")[0].strip(EDGES) or whole or UNNAMED


def disposition(stem: str, suffix: str) -> str:
    """Return the header Content-Disposition of the file ``stem`` + ``suffix`` (RFC 6266)."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().strip(EDGES)
    head = f'attachment; filename="{plain or UNNAMED}{suffix}"'
    return head if plain == stem else f"{head}; filename*=UTF-8''{quote(stem + suffix, safe='')}"
