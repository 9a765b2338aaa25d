"""What MLflow's pages say in words: of a run, of a version, of the comparison."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from photochrom.measures import BOUNDED, MEASURES, Measure
from photochrom.tracking.champion import Registration, champion
from photochrom.tracking.record import TrainingRecord

MEASURE: Mapping[str, Measure] = {measure.key: measure for measure in MEASURES}
BASELINE_NOTES = {
    "gray": "Leaves the photographs gray: what any colorizer must beat.",
    "mean_color": "Gives every pixel the mean color of the training photographs.",
    "random_photograph": "Borrows the colors of a random training photograph.",
    "truth": "The true photographs: what a perfect colorizer would reach.",
}
ADJECTIVES = {"higher": "highest", "lower": "lowest", "closest to 0": "closest to 0"}


def told(key: str, metrics: Mapping[str, Any]) -> str:
    """Return a measure with its unit and interval: "75.8 % (95 % interval 68.1 to 83.0)"."""
    measure = MEASURE[key]
    low, high = metrics.get("interval", {}).get(key, (None, None))
    text = _with_unit(measure, metrics[key])
    if low is None or high is None or low == high:
        return text
    return f"{text} (95\u00a0% interval {_number(measure, low)} to {_number(measure, high)})"


def outcome(metrics: Mapping[str, Any]) -> str:
    """Return what came out on the test photographs, the first measures of the comparison."""
    shown = [f"{MEASURE[key].title} {told(key, metrics)}" for key in BOUNDED if key in metrics]
    return f"On {metrics['photographs']:,} test photographs: {'; '.join(shown)}."


def of_training(record: TrainingRecord, metrics: Mapping[str, Any] | None, decoding: str) -> str:
    """Describe a trained model: method, study, data and, if evaluated, what came out."""
    count = record.dataset.source.get("train")
    name = record.dataset.name
    data = f"{count:,} photographs ({name})" if count else name
    colors = f" Decoding: {decoding}." if decoding else ""
    parts = [f"{record.description} Trained on {data}.{colors}".strip()]
    return "\n\n".join([*parts, *([outcome(metrics)] if metrics else [])])


def of_baseline(name: str, metrics: Mapping[str, Any]) -> str:
    """Describe an untrained baseline and what came out."""
    note = BASELINE_NOTES.get(name, "Evaluated without a training of its own.")
    return f"{note}\n\n{outcome(metrics)}"


def of_registered(registration: Registration) -> str:
    """Describe the registered model and how to serve it."""
    measure = MEASURE[registration.measure]
    return (
        "Colorizers of gray photographs; every version is a trained model with the decoding it was "
        "measured with. The alias `champion` is on the trained model whose "
        f"{measure.title} is {ADJECTIVES[registration.better]}.\n\n"
        f'Serve it with `mlflow models serve -m "models:/{registration.name}@champion" '
        "--env-manager local`: the column `photograph` takes a PNG or JPEG in base64 and gives "
        "the colored PNG in base64."
    )


def verdict(
    registration: Registration, results: Mapping[str, Mapping[str, Any]], differences: Path
) -> str | None:
    """Say who leads by the champion's measure, by how much, and what gray reaches.

    Parameters
    ----------
    registration : names the measure, its direction and the models that compete.
    results : metrics.json of models and baselines.
    differences : differences.csv of the report; where it is missing, nothing is said of rivals
        that the photographs do not tell from the leader.

    Returns
    -------
    None where no model has the measure.
    """
    key, measure = registration.measure, MEASURE[registration.measure]
    values = {n: results[n][key] for n in registration.models if key in results.get(n, {})}
    leader = champion(values, registration.better)
    if leader is None:
        return None
    second = champion(
        {name: value for name, value in values.items() if name != leader}, registration.better
    )
    lead = f"`{leader}` leads by {measure.title}: {told(key, results[leader])}"
    after = f", before `{second}` with {_with_unit(measure, values[second])}" if second else ""
    gray = results.get("gray", {}).get(key)
    plain = "" if gray is None else f" Leaving them gray gives {_with_unit(measure, gray)}."
    equals = _equals(differences, key, leader, values)
    unclear = f" Not distinguishable from it: {_listed(equals)}." if equals else ""
    best = ADJECTIVES[registration.better]
    return f"{lead}, the {best} of {len(values)} trained models{after}.{plain}{unclear}"


def _equals(path: Path, key: str, leader: str, names: Mapping[str, float]) -> list[str]:
    """Return the models whose paired difference to the leader cannot be told from 0."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        pairs = [
            {row["a"], row["b"]}
            for row in csv.DictReader(lines)
            if row["measure"] == key and row["distinguishable"] == "no"
        ]
    rivals = {name for pair in pairs if leader in pair for name in pair - {leader}}
    return [name for name in names if name in rivals]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _with_unit(measure: Measure, value: float) -> str:
    return f"{_number(measure, value)}\u00a0{measure.unit}".rstrip()


def _number(measure: Measure, value: float) -> str:
    return f"{round(value, measure.digits) + 0.0:,.{measure.digits}f}".replace("-", "−")
