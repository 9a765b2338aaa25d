"""What every section of params.yaml is made of: strict, frozen, and clear when it refuses."""

import types
from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

SHOWN_FAULTS = 3
RULES = {
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "string_too_short": "must have at least one character",
    "too_short": "must have at least one entry",
}
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60


class ParamsError(Exception):
    """params.yaml cannot be used. The message is one line that names the key and the remedy."""


class Section(BaseModel):
    """A group of parameters.

    No field has a default: what stands in params.yaml is all there is, so that DVC sees every
    value that can change a result.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def explain(error: ValidationError, root: type[Section]) -> str:
    """Turn pydantic's report into one line: each fault with its key and what would be right.

    Unknown keys come first: a misspelled key is why the right one is missing.
    """
    details = error.errors(include_url=False)
    details.sort(key=lambda detail: detail["type"] != "extra_forbidden")
    faults = [_fault(detail, root) for detail in details]
    shown = "; ".join(faults[:SHOWN_FAULTS])
    more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
    return " ".join(f"{shown}{more}".split())


def _fault(detail: ErrorDetails, root: type[Section]) -> str:
    key, section = _trace(detail["loc"], root)
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        key = f"{key}.kind"
    if detail["type"] == "extra_forbidden":
        sentence = _unknown_key(str(detail["loc"][-1]), section)
    else:
        sentence = _sentence(detail)
    return f"{key}: {sentence}" if key else sentence


def _sentence(detail: ErrorDetails) -> str:
    kind, value = detail["type"], detail["input"]
    context: dict[str, Any] = detail.get("ctx", {})
    if kind in ("missing", "union_tag_not_found"):
        return "this key is missing"
    if kind == "union_tag_invalid":
        return f"must be one of {context['expected_tags']}, not {_shown(context['tag'])}"
    if kind == "value_error":
        return str(context["error"])
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"must be a section with keys of its own, not {_shown(value)}"
    rule = RULES.get(kind) or detail["msg"].replace("Input should", "must")
    return f"{rule[0].lower()}{rule[1:]}, not {_shown(value)}{_remedy(kind, value)}"


def _remedy(kind: str, value: Any) -> str:
    if isinstance(value, str) and kind in ("float_type", "int_type") and _is_number(value):
        return "; this is text, write it without quotes"
    if kind == "string_type" and value is not None:
        return "; put it in quotes to make it text"
    if kind == "int_type" and isinstance(value, float) and value.is_integer():
        return "; leave out the point or exponent"
    return ""


def _unknown_key(key: str, section: type[Section] | None) -> str:
    names = list(section.model_fields) if section else []
    if close := get_close_matches(key, names, n=1):
        return f"unknown key (did you mean {close[0]}?)"
    return f"unknown key; the keys here are {', '.join(names)}"


def _trace(location: Iterable[int | str], root: type[Section]) -> tuple[str, type[Section] | None]:
    """Return the key as it is written in the file, and the section that holds it.

    Where a section has kinds, pydantic puts the kind into the location; the file does not.
    """
    parts: list[str] = []
    node: Any = root
    holder: type[Section] | None = None
    for part in location:
        if variant := _variants(node).get(part):
            node = variant
        elif part != "[key]":
            parts.append(str(part))
            holder = node if _is_section(node) else None
            node = _child(node, part)
    return ".".join(parts), holder


def _variants(node: Any) -> dict[int | str, type[Section]]:
    if get_origin(node) not in (Union, types.UnionType):
        return {}
    found: dict[int | str, type[Section]] = {}
    for member in get_args(node):
        if get_origin(member) is Annotated:
            # Kinds or null: the kinds are a union of their own within it.
            found |= _variants(get_args(member)[0])
        elif _is_section(member) and "kind" in member.model_fields:
            found[get_args(member.model_fields["kind"].annotation)[0]] = member
    return found


def _child(node: Any, part: int | str) -> Any:
    if _is_section(node) and part in node.model_fields:
        return _section_or_null(node.model_fields[part].annotation)
    return get_args(node)[1] if get_origin(node) is dict else None


def _section_or_null(node: Any) -> Any:
    """Return the section where the other choice is null: pydantic does not name it."""
    members = [member for member in get_args(node) if member is not type(None)]
    return members[0] if len(members) == 1 and _is_section(members[0]) else node


def _is_section(node: Any) -> bool:
    return isinstance(node, type) and issubclass(node, Section)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return _SHORT.repr(value)
    except ValueError:
        return "a number too long to print"
