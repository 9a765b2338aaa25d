"""params.yaml as typed, validated, frozen objects."""

from photochrom.params.aside import (
    MARK,
    bring_back,
    mark_added,
    names_added,
    names_aside,
    set_aside,
    without_aside,
)
from photochrom.params.base import ParamsError, Section
from photochrom.params.edit import edit_yaml
from photochrom.params.models import ModelParams
from photochrom.params.pipeline import BASELINES, Params, check_params, load_params
from photochrom.params.text import parse_yaml, read_text

__all__ = [
    "BASELINES",
    "MARK",
    "ModelParams",
    "Params",
    "ParamsError",
    "Section",
    "bring_back",
    "check_params",
    "edit_yaml",
    "load_params",
    "mark_added",
    "names_added",
    "names_aside",
    "parse_yaml",
    "read_text",
    "set_aside",
    "without_aside",
]
