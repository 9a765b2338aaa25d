"""What MLflow is told about a training, kept in run.json so that it can be told again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from photochrom.files import read_json
from photochrom.tracking.provenance import Dataset, Provenance

Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class TrainingRecord:
    """A training as MLflow shows it, apart from its numbers.

    Attributes
    ----------
    model : the model's name; the name of the run.
    key : what identifies the training, the hexadecimal digits of a UUID. A training that is
        resumed keeps its key, and so its run.
    params : flat parameters; :func:`flatten` makes them of nested ones.
    tags : short facts to filter by (study, network, objective); ``photochrom.`` is put before
        each name.
    description : prose in Markdown that heads the run's page.
    dataset : the data; see :func:`photochrom.tracking.dataset_of`.
    provenance : the code and data; see :func:`photochrom.tracking.provenance`.
    """

    model: str
    key: str
    params: dict[str, Scalar] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    description: str = ""
    dataset: Dataset = field(default_factory=lambda: Dataset("photographs", "unknown", {}))
    provenance: Provenance = field(default_factory=Provenance)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the record that :meth:`to_json` turned into ``values``."""
        parts = {
            "dataset": Dataset(**values["dataset"]),
            "provenance": Provenance(**values["provenance"]),
        }
        return cls(**{**values, **parts})

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Return the record of the trained model in ``folder``.

        A run.json without a record (written elsewhere) gives what config.json tells.
        """
        run = read_json(folder / "run.json")
        if "record" in run:
            return cls.from_json(run["record"])
        config = read_json(folder / "config.json")
        return cls(config["model"], run["key"], flatten(config), {"study": config["study"]})


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Scalar]:
    """Flatten nested parameters: ``{"network": {"kind": "vgg"}}`` gives ``network.kind``.

    Lists are written as text, since MLflow's parameters are text.
    """
    flat: dict[str, Scalar] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        elif value is None or isinstance(value, str | int | float | bool):
            flat[prefix + name] = value
        else:
            flat[prefix + name] = str(list(value))
    return flat
