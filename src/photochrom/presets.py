"""Presets: overlays that are merged into params.yaml, whose comments and layout stay.

A preset is a YAML file in ``presets/`` that begins with a comment and holds only the keys that it
changes. It is merged by these rules:

- Sections merge key by key; everything else (numbers, text, lists, null) replaces what was there.
- A network, objective or decoding of another ``kind`` replaces the section whole.
- Under ``models``, ``"*"`` stands for every model of params.yaml and yields to an entry by name;
  a name that is null removes the model; a whole entry adds one; keys for a model that
  params.yaml does not have are skipped, with a note.
- ``!required EXAMPLE`` marks a key that the user has to give.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.nodes import Node

from photochrom.params import (
    ModelParams,
    ParamsError,
    check_params,
    edit_yaml,
    parse_yaml,
    read_text,
)

FOLDER = "presets"
EVERY = "*"
VARIANTS = ("network", "objective", "decoding")
Values = dict[str, Any]


class PresetError(Exception):
    """A preset cannot be applied. The message is one line that says what to do."""


@dataclass(frozen=True)
class Required:
    """A value that the user has to give; ``example`` shows how it looks."""

    example: str


@dataclass(frozen=True)
class Change:
    """What a preset makes of params.yaml.

    Attributes
    ----------
    before, after : the text of params.yaml.
    notes : sentences about what the preset could not change.
    """

    before: str
    after: str
    notes: tuple[str, ...]

    def diff(self) -> list[str]:
        """Return the unified diff, line by line; empty when nothing changes."""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), "params.yaml", "params.yaml, changed"
        )
        return [line.rstrip("\n") for line in lines]


def list_presets(root: Path) -> dict[str, str]:
    """Return the presets of a project and the first line of each one's comment, by name."""
    files = sorted((root / FOLDER).glob("*.yaml"))
    return {file.stem: _headline(read_text(file)) for file in files}


def plan_preset(name: str, assignments: Iterable[str], root: Path) -> Change:
    """Merge a preset and ``key=value`` assignments into params.yaml, writing nothing.

    Parameters
    ----------
    name : a file of ``presets/`` without ``.yaml``.
    assignments : dotted keys with values in YAML, such as ``data.limit=100``; they win.
    root : the project's root.

    Raises
    ------
    PresetError
        For an unknown preset, an assignment without ``=``, or a required key not given.
    ParamsError
        When params.yaml or the preset is not YAML, or the merged result is refused.
    """
    before = read_text(root / "params.yaml")
    current = parse_yaml(before, "params.yaml")
    overlay = _merge(_read_preset(name, root), _parse_assignments(assignments))
    _demand_required(name, overlay)
    target, notes = _apply(overlay, current)
    after = edit_yaml(before, current, target)
    check_params(after, f"params.yaml with preset {name}")
    return Change(before, after, notes)


def _read_preset(name: str, root: Path) -> Values:
    known = list_presets(root)
    if not known:
        raise PresetError(f"There is no {FOLDER}/ here; run this from the project's root.")
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}."
        raise PresetError(f"There is no preset {name}: {hint}")
    file = root / FOLDER / f"{name}.yaml"
    return parse_yaml(read_text(file), f"{FOLDER}/{file.name}", _loader())


def _loader() -> YAML:
    class Constructor(SafeConstructor):
        pass

    def required(_: SafeConstructor, node: Node) -> Required:
        return Required(str(node.value))

    Constructor.add_constructor("!required", required)
    loader = YAML(typ="safe", pure=True)
    loader.Constructor = Constructor
    return loader


def _headline(text: str) -> str:
    first = text.partition("\n")[0]
    return first.lstrip("# ").rstrip() if first.startswith("#") else ""


def _parse_assignments(assignments: Iterable[str]) -> Values:
    values: Values = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        parts = key.strip().split(".")
        if not equals or not all(parts):
            raise PresetError(f"--set {assignment}: write it as section.key=value.")
        value: Any = _parse_value(text)
        for part in reversed(parts):
            value = {part: value}
        values = _merge(values, value)
    return values


def _parse_value(text: str) -> Any:
    try:
        return parse_yaml(f"value: {text}", "value")["value"]
    except ParamsError:
        return text


def _merge(base: Values, overlay: Values) -> Values:
    merged = dict(base)
    for key, new in overlay.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(new, dict) and not _other_kind(key, old, new):
            merged[key] = _merge(old, new)
        else:
            merged[key] = new
    return merged


def _other_kind(key: str, old: Values, new: Values) -> bool:
    return key in VARIANTS and "kind" in new and new["kind"] != old.get("kind", new["kind"])


def _demand_required(name: str, overlay: Values) -> None:
    missing = [f"--set {key}={value.example}" for key, value in _required(overlay)]
    if missing:
        raise PresetError(f"Preset {name} needs to know more: add {' '.join(missing)}")


def _required(values: Values, prefix: str = "") -> Iterable[tuple[str, Required]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _required(value, f"{prefix}{key}.")
        elif isinstance(value, Required):
            yield f"{prefix}{key}", value


def _apply(overlay: Values, current: Values) -> tuple[Values, tuple[str, ...]]:
    present, asked = current.get("models"), overlay.get("models")
    if not isinstance(present, dict) or not isinstance(asked, dict):
        return _merge(current, overlay), ()
    named = {name: value for name, value in asked.items() if name != EVERY}
    skipped = [name for name, value in named.items() if name not in present and not _whole(value)]
    every = dict.fromkeys(present, asked.get(EVERY, {}))
    models = _merge(_merge(present, every), {k: v for k, v in named.items() if k not in skipped})
    models = {name: value for name, value in models.items() if value is not None}
    notes = (f"models.{name} is left out: params.yaml has no such model." for name in skipped)
    return _merge(current, overlay) | {"models": models}, tuple(notes)


def _whole(value: Any) -> bool:
    return isinstance(value, dict) and set(ModelParams.model_fields) <= set(value)
