"""Which trained model the registry's alias ``champion`` points to."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from photochrom.files import read_json
from photochrom.measures import Better
from photochrom.params import Params
from photochrom.tracking.provenance import is_current

EVALUATE = "results/evaluate"


@dataclass(frozen=True)
class Registration:
    """How trained models are registered.

    Attributes
    ----------
    code : the file that MLflow serves a model with; the package beside it is kept with the model.
    name : what the registered model is called.
    measure, better : the champion is the best by this measure, in this direction.
    models : the names that compete.
    """

    code: Path
    name: str
    measure: str
    better: Better
    models: tuple[str, ...]

    @classmethod
    def of(cls, params: Params, code: Path) -> Self:
        """Return what params.yaml asks for."""
        asked = params.tracking
        champion = asked.champion
        return cls(
            code, asked.registered, champion.measure, champion.direction, tuple(params.models)
        )


def champion(values: Mapping[str, float], better: Better) -> str | None:
    """Return the name with the best value; of equals the first in the alphabet.

    Parameters
    ----------
    values : a measure of each model that has it.
    better : which direction is better.

    Returns
    -------
    None where there is no value.

    Raises
    ------
    ValueError
        For a measure without a direction.
    """
    losses = {name: _loss(value, better) for name, value in values.items()}
    return min(losses, key=lambda name: (losses[name], name), default=None)


def measured(root: Path, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return metrics.json of those models and baselines whose evaluation is whole and current."""
    found = {}
    for name in names:
        path = root / EVALUATE / name / "metrics.json"
        if path.is_file() and is_current(root, f"{EVALUATE}/{name}"):
            with suppress(ValueError):  # Who shows the evaluation says that it is damaged.
                found[name] = dict(read_json(path))
    return found


def _loss(value: float, better: Better) -> float:
    if better == "none":
        raise ValueError("A measure without a direction has no champion.")
    return {"higher": -value, "lower": value, "closest to 0": abs(value)}[better]
