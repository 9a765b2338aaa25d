"""Which trained models there are: trained here, shipped with the package, registered in MLflow."""

import atexit
import difflib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal

import torch
from pydantic import TypeAdapter, ValidationError

from photochrom.colorizer.best import best
from photochrom.colorizer.colorizer import Colorizer
from photochrom.colorizer.places import SHIPPED as SHIPPED
from photochrom.colorizer.places import TRAINED, model_folders
from photochrom.colorizer.prediction import Predictor
from photochrom.colorizer.stored import CONFIG, WEIGHTS, ColorizerError, Config, read_config
from photochrom.params.models import Decoding

Origin = Literal["trained", "shipped", "registered"]
REGISTERED = "models:/"
"""How an address in MLflow's registry begins: models:/NAME/VERSION or models:/NAME@alias."""
DECODING: TypeAdapter[Decoding] = TypeAdapter(Decoding)


@dataclass(frozen=True)
class Entry:
    """A model that can be loaded.

    Attributes
    ----------
    name : what it is called; of a registered one its address.
    origin : trained in this project, shipped with the package, or registered in MLflow.
    folder : holds config.json and weights.safetensors.
    config : what config.json says, with the decoding that the model was measured with.
    why : why it was chosen where no name was given; empty otherwise.
    """

    name: str
    origin: Origin
    folder: Path
    config: Config
    why: str = ""

    @property
    def classifies(self) -> bool:
        """Whether it predicts a distribution, and so has a temperature and variants."""
        return self.config.bins is not None


@dataclass(frozen=True)
class Unusable:
    """A model whose files cannot be used.

    Attributes
    ----------
    name, origin, folder : as of :class:`Entry`.
    why : what is wrong, a sentence.
    """

    name: str
    origin: Origin
    folder: Path
    why: str


def trained(root: Path) -> list[Entry]:
    """Return the models of the project ``root`` that can be read, by name."""
    return _usable(_trained(root))


def shipped() -> list[Entry]:
    """Return the models that come with the package and can be read."""
    return _usable(_shipped())


def unusable(root: Path = Path()) -> list[Unusable]:
    """Return the models of the project ``root`` and of the package that cannot be used."""
    found = [*_trained(root), *_shipped()]
    return [one for one in found if isinstance(one, Unusable)]


def find(name: str | Path | None = None, root: Path = Path()) -> Entry:
    """Find a model.

    Parameters
    ----------
    name : of a model trained here or shipped, in this order; a folder; or an address in MLflow's
        registry, ``models:/NAME/VERSION`` or ``models:/NAME@alias``. None takes the best of those
        trained here, by the rule of params.yaml, or the shipped one where nothing was.
    root : the project.

    Raises
    ------
    ColorizerError
        When there is none or it cannot be used; for an unknown name with the names that there are.
    """
    if name is None:
        return _default(root)
    if isinstance(name, str) and name.startswith(REGISTERED):
        return _registered(name, root)
    known = [*_trained(root), *_shipped()]
    if not isinstance(name, Path) and os.sep not in name:
        for one in known:
            if one.name == name:
                return _sound(one)
    folder = Path(name)
    if (folder / CONFIG).is_file():
        return _sound(_entry(folder, "trained", folder.resolve().name))
    raise ColorizerError(_unknown(str(name), [one.name for one in known]))


def opened(entry: Entry, device: torch.device | None = None) -> Colorizer:
    """Load a model that was found.

    Parameters
    ----------
    entry : the model.
    device : where to compute; None chooses.

    Raises
    ------
    ColorizerError
        If its files are missing, damaged, or do not fit together.
    """
    predictor = Predictor.load(entry.folder, entry.config.decoding, device)
    return Colorizer(entry.name, predictor)


def load(
    name: str | Path | None = None, root: Path = Path(), device: torch.device | None = None
) -> Colorizer:
    """Load a model by its name, folder or address, see :func:`find`."""
    return opened(find(name, root), device)


def _default(root: Path) -> Entry:
    if here := trained(root):
        name, why = best([(entry.name, entry.folder) for entry in here], root)
        return next(replace(entry, why=why) for entry in here if entry.name == name)
    if packaged := shipped():
        return replace(packaged[0], why="nothing that can be used was trained here")
    if faults := unusable(root):
        raise ColorizerError(faults[0].why)
    raise ColorizerError("There is no model here: train one with `dvc repro`, or name a folder.")


def _registered(address: str, root: Path) -> Entry:
    from photochrom.tracking.registered import RegistryError, fetch

    try:
        folder = fetch(address, root, _downloads())
    except RegistryError as error:
        raise ColorizerError(f"{address} cannot be had: {error}") from None
    return _sound(_entry(folder, "registered", address))


@cache
def _downloads() -> Path:
    """Make the folder of what comes from a registry; it goes with the process."""
    folder = Path(mkdtemp(prefix="photochrom-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _trained(root: Path) -> list[Entry | Unusable]:
    found = [_entry(path, "trained", path.name) for path in model_folders(root / TRAINED)]
    if not found or not (root / "dvc.lock").is_file():
        return found
    return [_as_measured(one, root) if isinstance(one, Entry) else one for one in found]


def _shipped() -> list[Entry | Unusable]:
    return [_entry(path, "shipped", path.name) for path in model_folders(SHIPPED)]


def _entry(folder: Path, origin: Origin, name: str) -> Entry | Unusable:
    try:
        config = read_config(folder)
        if not (folder / WEIGHTS).is_file():
            raise ColorizerError(f"{folder / WEIGHTS} is missing: run `dvc pull` or `dvc repro`.")
        if not _fits(config, config.decoding):
            raise ColorizerError(
                f"{folder / CONFIG} cannot be used: objective and decoding differ."
            )
    except (ColorizerError, OSError, RecursionError) as error:
        return Unusable(name, origin, folder, str(error))
    return Entry(name, origin, folder, config)


def _as_measured(entry: Entry, root: Path) -> Entry:
    """Give a model the decoding with which it was evaluated: a new one retrains nothing."""
    from photochrom.tracking.provenance import measured_decoding

    try:
        decoding = DECODING.validate_python(measured_decoding(root, entry.name))
    except ValidationError:
        return entry
    if not _fits(entry.config, decoding):
        return entry
    return replace(entry, config=entry.config.model_copy(update={"decoding": decoding}))


def _fits(config: Config, decoding: Decoding) -> bool:
    """Tell whether a decoding is one of colors for a network that gives colors, or of bins."""
    try:
        return (config.bins is None) == (decoding.kind == "direct")
    except (KeyError, TypeError):  # No such bins.
        return False


def _usable(found: Iterable[Entry | Unusable]) -> list[Entry]:
    return [one for one in found if isinstance(one, Entry)]


def _sound(one: Entry | Unusable) -> Entry:
    if isinstance(one, Unusable):
        raise ColorizerError(one.why)
    return one


def _unknown(name: str, known: list[str]) -> str:
    if not known:
        return f"There is no model {name}, and none at all here: train one with `dvc repro`."
    near = difflib.get_close_matches(name, known)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"There is no model {name}.{meant} There are {', '.join(dict.fromkeys(known))}."
