"""Entries of ``models`` that are set aside: commented out in place, and brought back to the byte.

A line that is set aside begins with ``#~`` in the first column, a mark that no other comment has.
Above an entry that was added stands such a line with an empty one: there was nothing before.
"""

from collections.abc import Container, Iterable, Iterator
from itertools import compress
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node

from photochrom.params.base import ParamsError
from photochrom.params.edit import end_of, inline, is_block
from photochrom.params.text import parse_yaml

MARK = "#~"
MODELS = "models"


def set_aside(text: str, names: Iterable[str]) -> str:
    """Comment out the models called ``names``, each with the comment directly above it.

    Raises
    ------
    ParamsError
        When one of them is not an entry of a block, with lines of its own.
    """
    lines, wanted = text.split("\n"), set(names)
    entries = list(_entries(text, wanted))
    if len(entries) < len(wanted):
        raise ParamsError(
            "params.yaml: write the section models with a line for each key, not in braces, so "
            "that a preset can set models aside."
        )
    for start, end in entries:
        lines[start:end] = [f"{MARK} {line}" if line else MARK for line in lines[start:end]]
    return "\n".join(lines)


def mark_added(text: str, names: Container[str]) -> str:
    """Note above the models called ``names`` that there were none before."""
    lines = text.split("\n")
    for name, _ in reversed(_models(text)):
        if name.value in names:
            mark = name.start_mark
            lines.insert(mark.line, f"{MARK} {' ' * mark.column}{_empty(name.value)}")
    return "\n".join(lines)


def bring_back(text: str) -> str:
    """Undo :func:`set_aside` and :func:`mark_added`.

    A model that stands there under the name of one set aside has only taken its place; it goes,
    with its comment, and so does one that was added.

    Raises
    ------
    ParamsError
        When what is set aside was changed by hand and is not YAML any more.
    """
    aside = _aside(text)
    lines: list[str | None] = [*text.split("\n")]
    for start, end in list(_entries(text, aside)):
        lines[start:end] = [None] * (end - start)
    marks = {_empty(name) for name, entry in aside.items() if not entry}
    stay = [_restored(line) for line in lines if line is not None]
    return "\n".join(line for line in stay if line.strip() not in marks)


def names_aside(text: str) -> tuple[str, ...]:
    """Return the names of the models that are set aside, in their order.

    Raises
    ------
    ParamsError
        When what is set aside was changed by hand and is not YAML any more.
    """
    return tuple(name for name, entry in _aside(text).items() if entry)


def names_added(text: str) -> tuple[str, ...]:
    """Return the names of the models that a preset has added, in their order.

    Raises
    ------
    ParamsError
        As :func:`names_aside`.
    """
    return tuple(name for name, entry in _aside(text).items() if not entry)


def _aside(text: str) -> dict[str, dict[str, Any]]:
    marked = [_restored(line) for line in text.split("\n") if line.startswith(MARK)]
    if not marked:
        return {}
    try:
        aside: dict[str, Any] = parse_yaml("\n".join(marked), "")
    except ParamsError:
        aside = {}
    if not aside or not all(isinstance(entry, dict) for entry in aside.values()):
        first = next(n for n, line in enumerate(text.split("\n"), 1) if line.startswith(MARK))
        raise ParamsError(
            f"params.yaml, line {first}: the lines that begin with {MARK} are models that a preset "
            "set aside, and can no longer be read as such; put them right or delete them."
        )
    return aside


def without_aside(text: str) -> list[str]:
    """Return the lines of the text but those that are set aside."""
    return [line for line in text.splitlines() if not line.startswith(MARK)]


def _empty(name: str) -> str:
    return f"{inline(name)}: {{}}"


def _restored(line: str) -> str:
    return line[len(MARK) + 1 :] if line.startswith(MARK) else line


def _entries(text: str, names: Container[str]) -> Iterator[tuple[int, int]]:
    """Yield the first line of each entry, and the line after its last, counted from 0."""
    lines = text.split("\n")
    for name, value in _models(text):
        if name.value in names:
            start = name.start_mark.line
            while _is_comment(lines[start - 1]):
                start -= 1
            yield start, text.count("\n", 0, end_of(text, name, value)) + 1


def _models(text: str) -> list[tuple[Node, Node]]:
    root = YAML(typ="safe", pure=True).compose(text)
    sections = [value for name, value in root.value if name.value == MODELS]
    blocks: Iterable[MappingNode] = compress(sections, map(is_block, sections))
    return [entry for block in blocks for entry in block.value]


def _is_comment(line: str) -> bool:
    return line.lstrip(" ").startswith("#") and not line.startswith(MARK)
