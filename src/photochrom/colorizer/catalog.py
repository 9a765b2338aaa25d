"""Which trained models there are: those trained here, and the one that comes with the package."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from photochrom.colorizer.colorizer import Colorizer, load_colorizer
from photochrom.colorizer.stored import CONFIG, ColorizerError, Config, read_config

Origin = Literal["trained", "shipped", "registered"]
SHIPPED = Path(__file__).parents[1] / "shipped"
"""A folder for each model that comes with the package."""


@dataclass(frozen=True)
class Entry:
    """A model that can be loaded.

    Attributes
    ----------
    name : what it is called.
    origin : trained in this project, shipped with the package, or registered in MLflow.
    folder : holds config.json and weights.safetensors.
    config : what config.json says.
    """

    name: str
    origin: Origin
    folder: Path
    config: Config

    @property
    def classifies(self) -> bool:
        """Whether it predicts a distribution, and so has a temperature and variants."""
        return self.config.bins is not None


def trained(root: Path) -> list[Entry]:
    """Return the models of the project ``root`` that can be read, by name."""
    return _entries(root / "models", "trained")


def shipped() -> list[Entry]:
    """Return the models that come with the package."""
    return _entries(SHIPPED, "shipped")


def find(name: str | Path | None = None, root: Path = Path()) -> Entry:
    """Find a model.

    Parameters
    ----------
    name : of a model trained here or shipped, in this order; or a folder; None takes the best of
        those trained here, as far as they are measured, else the shipped one.
    root : the project.

    Raises
    ------
    ColorizerError
        When there is none, with the names that there are.
    """
    here, packaged = trained(root), shipped()
    if name is None:
        return (here + packaged)[0]
    for entry in here + packaged:
        if entry.name == str(name):
            return entry
    folder = Path(name)
    if (folder / CONFIG).is_file():
        return Entry(folder.resolve().name, "trained", folder, read_config(folder))
    raise ColorizerError(f"There is no model {name}.")


def load(
    name: str | Path | None = None, root: Path = Path(), device: torch.device | None = None
) -> Colorizer:
    """Load a model by its name or folder, see :func:`find`."""
    entry = find(name, root)
    return load_colorizer(entry.folder, entry.name, device)


def _entries(folder: Path, origin: Origin) -> list[Entry]:
    found = sorted(path.parent for path in folder.glob(f"*/{CONFIG}"))
    return [Entry(path.name, origin, path, read_config(path)) for path in found]
