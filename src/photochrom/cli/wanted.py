"""What the command line asks ``photochrom colorize`` for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

INTERRUPTED = 130
"""The exit status of what Ctrl-C ended, as shells have it."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for; the help of ``photochrom colorize`` tells of each.

    Attributes
    ----------
    looks : the fields of :class:`photochrom.colorizer.options.Options`, not checked yet.
    """

    photographs: tuple[str, ...]
    out: str | None
    models: tuple[str, ...]
    looks: Mapping[str, Any]
    variants: int
    compare: bool
    form: str | None
    jobs: int | None
    max_megapixels: float | None
    overwrite: bool
    as_json: bool
    quiet: bool
