"""YAML text as plain values; every way in which it can be broken is one line."""

import warnings
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from photochrom.params.base import ParamsError


def read_text(path: Path) -> str:
    """Read a text file.

    Raises
    ------
    ParamsError
        For a file that is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ParamsError(
            f"{path.name} is not here; run this from the project's root, or restore the file."
        ) from None
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path.name} is not UTF-8 text: byte {error.start} is wrong.") from None
    except OSError as error:
        raise ParamsError(f"{path.name} cannot be read: {error.strerror}.") from None


def parse_yaml(text: str, name: str, yaml: YAML | None = None) -> dict[str, Any]:
    """Parse YAML 1.2, where ``1e-4`` is a number.

    Parameters
    ----------
    text : the document.
    name : what to call it in messages.
    yaml : the loader; a safe one when left out.

    Raises
    ------
    ParamsError
        For text that is not YAML, a key given twice, an empty document, or one without keys.
    """
    loader = yaml or YAML(typ="safe", pure=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = loader.load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise ParamsError(f"{name} is not valid YAML{_reason(error)}") from None
    if values is None:
        raise ParamsError(f"{name} is empty; restore it, or take a preset that fills it.")
    if not isinstance(values, dict):
        raise ParamsError(f"{name} must be made of sections with keys, like `data:`.")
    return values


def _reason(error: Exception) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        problem = " ".join(str(error.problem).split())
        return f", line {error.problem_mark.line + 1}: {problem}"
    return ": " + " ".join(str(error).split())
