"""Change values in YAML text and leave every other character, comments above all, as it is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node

from photochrom.params.base import ParamsError
from photochrom.params.text import parse_yaml

INDENT = 2


@dataclass(frozen=True)
class Splice:
    """Replace ``text[start:end]`` by ``new``."""

    start: int
    end: int
    new: str


def edit_yaml(text: str, current: dict[str, Any], target: dict[str, Any]) -> str:
    """Return the text changed so that it holds ``target`` in place of ``current``.

    Values that stay keep their spelling; new keys come after the others of their section; a key
    that goes takes the comment directly above it along.

    Parameters
    ----------
    text : YAML in block style.
    current : the values of ``text``.
    target : the values wanted.
    """
    if text and not text.endswith("\n"):
        text += "\n"
    node = YAML(typ="safe", pure=True).compose(text)
    # Of two insertions at one place, that of the outer section comes first and so ends up below.
    splices = reversed(list(_splices(text, node, current, target)))
    for splice in sorted(splices, key=_last_first):
        text = text[: splice.start] + splice.new + text[splice.end :]
    return text


def _last_first(splice: Splice) -> tuple[int, int]:
    return -splice.start, -splice.end


def _splices(
    text: str, node: MappingNode, current: dict[str, Any], target: dict[str, Any]
) -> Iterator[Splice]:
    column = node.start_mark.column
    keys = list(current)
    for key, (name, value) in zip(keys, node.value, strict=True):
        if key not in target:
            yield _removal(text, name, value)
        elif _same(current[key], target[key]):
            continue
        elif is_block(value) and isinstance(target[key], dict) and target[key]:
            yield from _splices(text, value, current[key], target[key])
        else:
            new = _render(target[key], column)
            yield Splice(name.end_mark.index, end_of(text, name, value), f":{new}")
    added = {key: value for key, value in target.items() if key not in current}
    if added:
        after = _next_line(text, end_of(text, *node.value[-1]))
        yield Splice(after, after, _block(added, column) + "\n")


def _removal(text: str, name: Node, value: Node) -> Splice:
    start = text.rfind("\n", 0, name.start_mark.index) + 1
    above = text.rfind("\n", 0, start - 1) + 1
    while start and text[above:start].lstrip(" ").startswith("#"):
        start, above = above, text.rfind("\n", 0, above - 1) + 1
    return Splice(start, _next_line(text, end_of(text, name, value)), "")


def end_of(text: str, name: Node, value: Node) -> int:
    """Return the index after a value's last character; a block's own mark lies after comments."""
    if is_block(value):
        return end_of(text, *value.value[-1])
    if value.start_mark.index == value.end_mark.index:
        # Nothing stands after the colon, as DVC spells null; the mark is that of the next key.
        return text.index(":", name.end_mark.index) + 1
    index: int = value.end_mark.index
    return index


def _next_line(text: str, index: int) -> int:
    return text.index("\n", index) + 1


def is_block(node: Node) -> bool:
    """Tell whether a node is a section with its keys on lines of their own."""
    return isinstance(node, MappingNode) and not node.flow_style and bool(node.value)


def _same(old: Any, new: Any) -> bool:
    return type(old) is type(new) and bool(old == new)


def _render(value: Any, column: int) -> str:
    if isinstance(value, dict) and value:
        return "\n" + _block(value, column + INDENT)
    return f" {inline(value)}"


def _block(values: dict[str, Any], column: int) -> str:
    lines = (f"{inline(key)}:{_render(value, column)}" for key, value in values.items())
    return "\n".join(" " * column + line for line in lines)


def inline(value: Any) -> str:
    """Return a value as YAML in one line; text that would be read as something else is quoted."""
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{inline(k)}: {inline(v)}" for k, v in value.items()) + "}"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(str(value), str(value))


def _is_plain(value: str) -> bool:
    try:
        both = parse_yaml(f"alone: {value}\nlisted: [{value}]", "")
    except ParamsError:
        return False
    return both == {"alone": value, "listed": [value]}


def _quoted(value: str) -> str:
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() else f"\\U{ord(char):08x}"
