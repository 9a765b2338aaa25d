"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track as rich_track

T = TypeVar("T")
LINE_SECONDS = 10.0


def say(message: str) -> None:
    """Print one line of what is going on, at once."""
    print(message, file=sys.stderr, flush=True)


def track(
    items: Iterable[T], description: str, total: int | None = None, *, closing_line: bool = True
) -> Iterator[T]:
    """Yield the items, showing how far the work has come.

    On a terminal this is a progress bar; elsewhere a line every ten seconds, and one at the end
    unless ``closing_line`` is false.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        return iter(rich_track(items, description, total=total, console=console, transient=True))
    return _lines(items, description, total, closing_line)


def _lines(
    items: Iterable[T], description: str, total: int | None, closing_line: bool
) -> Iterator[T]:
    started = last = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        if time.monotonic() - last > LINE_SECONDS:
            last = time.monotonic()
            say(f"{description}: {done}{f' of {total}' if total else ''}, {last - started:.0f} s")
    if closing_line:
        say(f"{description}: {done} done in {time.monotonic() - started:.1f} s")
