"""What the tests ask of a pipeline that ran."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pandas as pd
from pipeline_clone import MODELS, Clone

from photochrom.measures import MEASURES
from photochrom.tracking.store import prepare


def digests(clone: Clone) -> dict[str, str]:
    """Return the SHA-256 of every model's weights."""
    files = {name: clone.root / f"models/{name}/weights.safetensors" for name in MODELS}
    return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def keys_inside(value: Any) -> Iterator[str]:
    """Yield the dotted keys of all that a section holds."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield key
        yield from (f"{key}.{deeper}" for deeper in keys_inside(inner))


def listed(clone: Clone) -> set[str]:
    """Return the names of all stages."""
    return set(clone.dvc("stage", "list", "--all", "--name-only").text.split())


def comparison(clone: Clone) -> pd.DataFrame:
    """Return the table of the report, a row for each colorizer."""
    return pd.read_csv(clone.root / "results/report/comparison.csv").set_index("name")


def measured(clone: Clone, name: str) -> set[str]:
    """Return the keys of all that could be measured of a colorizer."""
    row = comparison(clone).loc[name, [measure.key for measure in MEASURES]]
    return set(row.dropna().index)


def runs(clone: Clone, name: str) -> list[Any]:
    """Return the runs of MLflow that bear a name, as anyone else would see them."""
    client = mlflow_of(clone)
    experiment = client.get_experiment_by_name(clone.get("tracking.experiment"))
    return client.search_runs([experiment.experiment_id], f"attributes.run_name = '{name}'")


def only(found: list[Any]) -> Any:
    assert len(found) == 1, [run.info.run_name for run in found]
    return found[0]


def mlflow_of(clone: Clone) -> Any:
    """Return MLflow's client of the clone's own store."""
    from mlflow import MlflowClient

    prepare()
    return MlflowClient(tracking_uri=f"sqlite:///{clone.root / 'mlflow.db'}")


def champion(clone: Clone) -> str:
    """Return the name of the run whose model the registry holds for the best."""
    client = mlflow_of(clone)
    version = client.get_model_version_by_alias(clone.get("tracking.registered"), "champion")
    return str(client.get_run(version.run_id).info.run_name)


def measures_shown(run: Any) -> set[str]:
    """Return the keys of the measures that a run of MLflow shows."""
    shown = {name.removeprefix("test/") for name in run.data.metrics if name.startswith("test/")}
    return shown & {measure.key for measure in MEASURES}
