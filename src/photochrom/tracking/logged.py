"""Trained models as MLflow keeps them: loadable and servable, weights without pickle."""

import importlib
import math
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from photochrom.files import read_json, write_json
from photochrom.tracking.processes import PROCESS, is_gone, this_process
from photochrom.tracking.provenance import measured_decoding
from photochrom.tracking.record import TrainingRecord
from photochrom.tracking.runs import KEY, STATE, Store

MODEL, DECODING, COLUMN = "photochrom.model", "photochrom.decoding", "photograph"
WEIGHTS = "weights.safetensors"
OTHERS = "shipped"
"""The folder of the package's own weights, which a logged model has no use for."""
PACKAGES = (
    "mlflow",
    "numpy",
    "pandas",
    "pillow",
    "pydantic",
    "ruamel.yaml",
    "safetensors",
    "scipy",
    "tifffile",
    "torch",
)
"""What serving needs besides the package's own code, which goes with the model."""
BUILDERS = {"efficientnet": ("timm",), "resnet": ("torchvision",)}
"""What building a network needs, by its kind."""


def served_code() -> Path:
    """Return the file with which MLflow serves a trained model, in the package that it needs.

    It is a path and no import, since that module imports MLflow.
    """
    return Path(__file__).parents[1] / "served.py"


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, as it was measured.

    Attributes
    ----------
    folder : holds config.json and weights.safetensors.
    record : its training.
    decoding : how its output becomes colors; empty where config.json says none.
    """

    folder: Path
    record: TrainingRecord
    decoding: Mapping[str, Any]

    @classmethod
    def of(cls, root: Path, name: str) -> "TrainedModel":
        """Read ``models/NAME`` of the project ``root``."""
        folder = root / "models" / name
        decoding = measured_decoding(root, name)
        if decoding is None:
            decoding = read_json(folder / "config.json").get("decoding", {})
        return cls(folder, TrainingRecord.from_folder(folder), decoding)

    @property
    def colors(self) -> str:
        """The decoding in words, e.g. ``annealed_mean 0.38``."""
        return " ".join(_word(self.decoding[name]) for name in sorted(self.decoding))

    @property
    def identity(self) -> dict[str, str]:
        """The tags that tell this model from every other."""
        return {KEY: self.record.key, DECODING: self.colors}

    @property
    def tags(self) -> dict[str, str]:
        """What is worth filtering by, and the identity."""
        state = self.record.provenance.state or "none"
        return {MODEL: self.record.model, STATE: state, **self.identity}


def logged_model(store: Store, run_id: str, trained: TrainedModel, code: Path) -> Any:
    """Return MLflow's logged model of a trained one, made where the store has none.

    Parameters
    ----------
    store : the store.
    run_id : the run of the training.
    trained : the model.
    code : the file that MLflow serves it with, in the package that it needs.

    Raises
    ------
    OSError
        If the model's files are missing. What was begun is removed.
    """
    found = _found(store, trained) or _made(store, run_id, trained, code)
    outputs = store.client.get_run(run_id).outputs
    if found.model_id not in {out.model_id for out in (outputs.model_outputs if outputs else [])}:
        output = store.entities.LoggedModelOutput(found.model_id, step=0)
        store.client.log_outputs(run_id, [output])
    return found


def show_measures(store: Store, run_id: str, model: Any, trained: TrainedModel) -> None:
    """Show the run's test measures with its logged model, which has a table of its own."""
    numbers = store.client.get_run(run_id).data.metrics
    known = {metric.key: metric.value for metric in model.metrics or []}
    missing = {
        name: value
        for name, value in numbers.items()
        if name.startswith("test/") and known.get(name) != value and not math.isnan(value)
    }
    metrics = [_linked(store, run_id, name, model.model_id, trained) for name in missing]
    if metrics:
        store.client.log_batch(run_id, metrics=metrics, synchronous=True)


def _linked(store: Store, run_id: str, name: str, model_id: str, trained: TrainedModel) -> Any:
    """Return the run's newest point of a metric as one of the model, too."""
    history = store.client.get_metric_history(run_id, name)
    point = max(history, key=lambda metric: (metric.step, metric.timestamp))
    return store.entities.Metric(
        name,
        point.value,
        point.timestamp,
        point.step,
        model_id=model_id,
        run_id=run_id,
        dataset_name=trained.record.dataset.name,
        dataset_digest=trained.record.dataset.digest,
    )


def _found(store: Store, trained: TrainedModel) -> Any | None:
    query = f"tags.`{KEY}` = '{trained.record.key}'"
    ready = None
    for model in store.client.search_logged_models([store.experiment_id], query):
        if model.tags.get(DECODING) != trained.colors:
            continue
        if str(model.status) == "READY":
            ready = model
        elif is_gone(model.tags.get(PROCESS, "")):
            _discard(store, model)
    return ready


def _made(store: Store, run_id: str, trained: TrainedModel, code: Path) -> Any:
    record = trained.record
    (trained.folder / WEIGHTS).stat()  # Where they are missing, nothing is begun.
    model = store.client.create_logged_model(
        store.experiment_id,
        name=record.model,
        source_run_id=run_id,
        tags={**trained.tags, PROCESS: this_process() or "unknown"},
        params={name: str(value) for name, value in record.params.items()},
        model_type="colorizer",
    )
    try:
        with TemporaryDirectory(prefix="photochrom-") as scratch:
            path = Path(scratch, "model")
            _save(path, model, trained, code)
            store.client.log_model_artifacts(model.model_id, str(path))
        model = store.client.finalize_logged_model(model.model_id, "READY")
    except BaseException:
        _discard(store, model)
        raise
    store.added["models"] += 1
    return model


def _save(path: Path, model: Any, trained: TrainedModel, code: Path) -> None:
    """Write the model as MLflow's pyfunc flavor, code and all, into the new folder ``path``."""
    pyfunc, models, types = (
        importlib.import_module(f"mlflow.{name}") for name in ("pyfunc", "models", "types")
    )
    config, weights = path.parent / "config.json", trained.folder / WEIGHTS
    told = {"decoding": dict(trained.decoding)} if trained.decoding else {}
    write_json(config, {**read_json(trained.folder / config.name), **told})
    package = path.parent / "code" / code.parent.name
    copy_package(code.parent, package)
    photographs = types.Schema([types.ColSpec(types.DataType.binary, COLUMN)])
    colored = types.Schema([types.ColSpec(types.DataType.string, COLUMN)])
    pyfunc.save_model(
        path,
        python_model=str(code),
        code_paths=[str(package)],
        artifacts={"config": str(config), "weights": str(weights)},
        signature=models.ModelSignature(photographs, colored),
        pip_requirements=requirements(_network(config)),
        mlflow_model=models.Model(
            artifact_path=model.artifact_location,
            run_id=model.source_run_id,
            model_uuid=model.model_id,
            model_id=model.model_id,
        ),
    )


def requirements(network: str = "") -> list[str]:
    """Return the packages that serving needs, in the versions that are installed here.

    Parameters
    ----------
    network : the kind of the model's network, which may need packages of its own.
    """
    names = (*PACKAGES, *BUILDERS.get(network, ()))
    # A local version such as 2.7.1+cu128 is on no public index.
    return [f"{name}=={version(name).partition('+')[0]}" for name in names]


def _network(config: Path) -> str:
    return str(read_json(config).get("network", {}).get("kind", ""))


def copy_package(source: Path, target: Path) -> None:
    """Copy a package without the weights that come with it and without Python's own cache.

    Parameters
    ----------
    source : the package's folder.
    target : the copy, which must not be there yet.
    """
    unwanted = {source / OTHERS, *source.rglob("__pycache__")}

    def left_out(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder, name) in unwanted]

    shutil.copytree(source, target, ignore=left_out)


def _discard(store: Store, model: Any) -> None:
    """Delete a logged model that did not become whole, as far as the store lets that be done."""
    registry = importlib.import_module("mlflow.store.artifact.artifact_repository_registry")
    with suppress(Exception):
        registry.get_artifact_repository(model.artifact_location).delete_artifacts()
    with suppress(Exception):
        store.client.delete_logged_model(model.model_id)


def _word(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:g}" if is_number else str(value)
