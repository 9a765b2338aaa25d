"""Presets: overlays that are merged into params.yaml, whose comments and layout stay.

A preset is a YAML file in ``presets/`` that begins with a comment and holds only the keys that it
changes. It is merged by these rules:

- Sections merge key by key; everything else (numbers, text, lists, null) replaces what was there.
- A network, objective, decoding, discriminator or rebalance of another ``kind`` replaces the
  section whole.
- Under ``models``, ``"*"`` stands for every model and yields to an entry by name. A whole entry
  adds a model, in the place of the one of that name if there is one. A name that is null sets the
  model aside, and ``"*": null`` all that the preset does not name. Keys for a model that is not
  there are skipped, with a note.
- What is set aside stays in params.yaml as a comment, marked ``#~``, and every preset begins by
  bringing it back.
- ``extends: NAME`` takes the preset NAME first.
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
    MARK,
    ModelParams,
    ParamsError,
    bring_back,
    check_params,
    edit_yaml,
    mark_added,
    names_added,
    names_aside,
    parse_yaml,
    read_text,
    set_aside,
    without_aside,
)

FOLDER = "presets"
EXTENDS = "extends"
MODELS = "models"
EVERY = "*"
LIKE = "like"
VARIANTS = ("network", "objective", "decoding", "discriminator", "rebalance")
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
    notes : sentences about what the preset could not change, and what it set aside.
    """

    before: str
    after: str
    notes: tuple[str, ...]

    def diff(self) -> list[str]:
        """Return the unified diff, line by line; empty when nothing changes.

        What is only set aside or brought back is not in it: the notes tell of that.
        """
        aside, before = names_aside(self.after), self.before
        if aside != names_aside(before):
            before = set_aside(bring_back(before), aside)
        texts = (without_aside(before), without_aside(self.after))
        lines = difflib.unified_diff(*texts, "params.yaml", "params.yaml, changed")
        return [line.rstrip("\n") for line in lines]


def list_presets(root: Path) -> dict[str, str]:
    """Return the presets of a project and the first line of each one's comment, by name."""
    files = sorted((root / FOLDER).glob("*.yaml"), key=lambda file: file.stem)
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
    parse_yaml(before, "params.yaml")
    layers = [*_layers(name, root), _parse_assignments(assignments)]
    after, notes = _apply(layers, bring_back(before), name)
    check_params(after, f"params.yaml with preset {name}")
    return Change(before, after, (*notes, *_moved(before, after)))


def _moved(text: str, changed: str) -> Iterable[str]:
    before, after = names_aside(text), names_aside(changed)
    present, added = _models(parse_yaml(text, "params.yaml")), names_added(text)
    stand_ins = [name for name in present if name in (*before, *added)]
    if stand_ins and (before, added) != (after, names_added(changed)):
        yield f"Removed, with any change of yours: the former preset's {', '.join(stand_ins)}."
    if back := [name for name in before if name not in after]:
        yield f"Brought back: {', '.join(back)}."
    if aside := [name for name in after if name not in before]:
        yield (
            f"Set aside, in lines that begin with {MARK} until another preset brings them back: "
            f"{', '.join(aside)}."
        )


def _layers(name: str, root: Path, chain: tuple[str, ...] = ()) -> list[Values]:
    """Return what a preset extends, then the preset itself."""
    if name in chain:
        circle = " > ".join([*chain, name])
        raise PresetError(f"Presets extend one another in a circle, {circle}: break it.")
    values = _read_preset(name, root, chain)
    base = values.pop(EXTENDS, None)
    below = [] if base is None else _layers(str(base), root, (*chain, name))
    return [*below, values]


def _read_preset(name: str, root: Path, chain: tuple[str, ...]) -> Values:
    known = list_presets(root)
    if not known:
        raise PresetError(f"There is no {FOLDER}/ here; run this from the project's root.")
    if name not in known:
        wanted = f", which {FOLDER}/{chain[-1]}.yaml extends" if chain else ""
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}."
        raise PresetError(f"There is no preset {name}{wanted}: {hint}")
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


def _apply(layers: list[Values], text: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Merge overlays into the text of params.yaml, one after the other; return it, and notes."""
    current = target = parse_yaml(text, "params.yaml")
    notes: list[str] = []
    for layer in layers:
        target, skipped = _laid_over(target, layer)
        notes += (
            f"models.{model} is left out: params.yaml has no such model." for model in skipped
        )
    _demand_required(name, target)
    text = set_aside(text, _displaced(current, target, layers))
    text = edit_yaml(text, parse_yaml(text, "params.yaml"), target)
    return mark_added(text, _copies(layers) - _models(current).keys()), tuple(notes)


def _laid_over(values: Values, layer: Values) -> tuple[Values, list[str]]:
    """Return values with an overlay merged in, and the models that it names in vain."""
    asked = layer.get(MODELS)
    if not isinstance(asked, dict):
        return _merge(values, layer), []
    every = asked.get(EVERY, {})
    copies = {name: value for name, value in asked.items() if _copy(value)}
    if EVERY in copies:
        raise PresetError(f"models.{EVERY}.{LIKE}: a model is like one other; name it.")
    named = {name: value for name, value in asked.items() if name not in {EVERY, *copies}}
    models = _models(values)
    if every is None:
        models = {name: value for name, value in models.items() if name in named}
    else:
        models = _merge(models, dict.fromkeys(models, every))
    skipped = [name for name, value in named.items() if name not in models and not _whole(value)]
    models = _with_named(models, {k: v for k, v in named.items() if k not in skipped})
    for name, entry in copies.items():
        models[name] = _copied(name, entry, models)
    return _merge(values, layer) | {MODELS: models}, skipped


def _copies(layers: Iterable[Values]) -> set[str]:
    return {name for layer in layers for name, value in _models(layer).items() if _copy(value)}


def _copy(entry: Any) -> bool:
    return isinstance(entry, dict) and LIKE in entry


def _copied(name: str, entry: Values, models: Values) -> Values:
    """Return the entry of another model with what stands beside ``like`` merged in."""
    changes = dict(entry)
    other = changes.pop(LIKE)
    if not isinstance(other, str):
        raise PresetError(f"models.{name}.{LIKE}: write the name of a model.")
    if other not in models:
        there = f"there are {', '.join(models)}" if models else "the preset leaves none"
        raise PresetError(f"models.{name} is to be like {other}, which is not there: {there}.")
    return _merge(models[other], changes)


def _with_named(models: Values, named: Values) -> Values:
    replaced = [name for name, value in named.items() if _whole(value)]
    kept = {name: value for name, value in models.items() if name not in replaced}
    return {name: value for name, value in _merge(kept, named).items() if value is not None}


def _displaced(current: Values, target: Values, layers: list[Values]) -> set[str]:
    """Return the models of params.yaml that are gone or have another in their place."""
    whole = {name for layer in layers for name, value in _models(layer).items() if _whole(value)}
    whole |= _copies(layers)
    present, wanted = _models(current), _models(target)
    stay = {name for name in wanted if name not in whole or wanted[name] == present.get(name)}
    return present.keys() - stay


def _models(values: Values) -> Values:
    models = values.get(MODELS)
    return models if isinstance(models, dict) else {}


def _whole(value: Any) -> bool:
    return isinstance(value, dict) and set(ModelParams.model_fields) <= set(value)


def _demand_required(name: str, values: Values) -> None:
    missing = [f"--set {key}={value.example}" for key, value in _required(values)]
    if missing:
        raise PresetError(f"Preset {name} needs to know more: add {' '.join(missing)}")


def _required(values: Values, prefix: str = "") -> Iterable[tuple[str, Required]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _required(value, f"{prefix}{key}.")
        elif isinstance(value, Required):
            yield f"{prefix}{key}", value
