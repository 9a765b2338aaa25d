"""Which of several trained models is the best, as far as that is known."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from photochrom.files import read_json
from photochrom.measures import MEASURES, Better


def best(models: Sequence[tuple[str, Path]], root: Path) -> tuple[str, str]:
    """Choose the best of the models trained in a project, by the champion's rule of params.yaml.

    Parameters
    ----------
    models : names and folders, at least one.
    root : the project; the numbers stand in ``results/evaluate/NAME/metrics.json``.

    Returns
    -------
    The name, and why, in words that go on after "it is". Where nothing is measured it is the one
    whose training began last.
    """
    if len(models) == 1:
        return models[0][0], "the only one"
    from photochrom.tracking.champion import champion, measured

    key, better, fault = _rule(root)
    results = measured(root, tuple(name for name, _ in models))
    found = champion(_values(results, key), better)
    if found is None:
        newest = max(models, key=lambda model: (_began(model[1]), model[0]))
        return newest[0], f"the newest of {len(models)}, none of which is measured"
    title = next(measure.title for measure in MEASURES if measure.key == key)
    return found, f"the best of {len(models)} by {title}{fault}"


def _rule(root: Path) -> tuple[str, Better, str]:
    """Return the measure, its direction, and what is to be said where params.yaml names none."""
    from photochrom.params import ParamsError, load_params

    try:
        rule = load_params(root / "params.yaml").tracking.champion
    except ParamsError as error:
        first = MEASURES[0]
        return first.key, first.better, f"; params.yaml names no measure: {str(error).rstrip('.')}"
    return rule.measure, rule.direction, ""


def _values(results: Mapping[str, Mapping[str, object]], key: str) -> dict[str, float]:
    values = {name: metrics.get(key) for name, metrics in results.items()}
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def _began(folder: Path) -> str:
    """Return when a training began, ISO 8601 in UTC; empty where that is not known."""
    try:
        return str(read_json(folder / "run.json")["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
