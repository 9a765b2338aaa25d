"""Recipes for a machine with a GPU: what is trained, on what, and how long it may take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from photochrom.params import Params, ParamsError
from scratch_project import Project

SUFFIXES = (".jpg", ".jpeg")
OURS = "ours"


@dataclass(frozen=True)
class Recipe:
    """A setting of the project and its goal.

    Attributes
    ----------
    preset : of presets/, merged into params.yaml.
    photographs : so many are made of the archive's by repeating them; None takes what is there.
    epochs : of every model; None leaves the preset's.
    models : those to train; None takes all but the project's own.
    minutes : in which everything is to be done on one GPU.
    """

    preset: str
    photographs: int | None
    epochs: int | None
    models: tuple[str, ...] | None
    minutes: float


RECIPES = {
    "cifar10": Recipe("study-004", 60_000, None, None, 5),
    "coco-like": Recipe("study-001", 10_500, None, ("resnet34_regression",), 10),
    "table": Recipe("tiny-imagenet", None, 20, None, 25),
}


def project_of(
    recipe: Recipe, root: Path, archive: Path, epochs: int | None, limit: int | None
) -> Project:
    """Make the project of a recipe; nothing is run.

    Parameters
    ----------
    archive : a ZIP of JPEGs; one of another length is written to ``root`` where it is wanted.
    epochs, limit : instead of the recipe's epochs and photographs.

    Raises
    ------
    ParamsError
        When epochs or limit do not fit the recipe.
    """
    wanted = limit or recipe.photographs
    if wanted is not None:
        archive = of_length(archive, wanted, root / "photographs.zip")
    assignments = ["data.source=archive", f"data.url={archive.as_uri()}", "data.limit=null"]
    if epochs or recipe.epochs:
        assignments.append(f"models.*.epochs={epochs or recipe.epochs}")
    params = Project.create(root, recipe.preset, assignments).params
    return Project.create(root, recipe.preset, [*assignments, *_untrained(params)])


def _untrained(params: Params) -> Iterator[str]:
    """Yield what starts networks from fresh weights: the same speed without a download."""
    for name, model in params.models.items():
        if getattr(model.network, "pretrained", False):
            yield f"models.{name}.network.pretrained=false"


def chosen(recipe: Recipe, params: Params, names: Sequence[str] | None) -> list[str]:
    """Return the models to train, in the order of params.yaml.

    Raises
    ------
    ParamsError
        For a name that the recipe does not have.
    """
    own = [name for name, model in params.models.items() if model.study == OURS]
    wanted = names or recipe.models or [name for name in params.models if name not in own]
    if unknown := [name for name in wanted if name not in params.models]:
        known = ", ".join(params.models)
        raise ParamsError(f"The recipe has no model {', '.join(unknown)}; it has {known}.")
    return [name for name in params.models if name in wanted]


def of_length(archive: Path, count: int, out: Path) -> Path:
    """Write a ZIP of ``count`` JPEGs of another: some from its whole length, or all repeated.

    A few bytes after the end of each copy make it another file, as the filter drops duplicates.

    Raises
    ------
    ParamsError
        When there is none to take.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(archive) as source, ZipFile(out, "w") as target:
        names = [name for name in source.namelist() if name.lower().endswith(SUFFIXES)]
        if not names:
            raise ParamsError(f"{archive} holds no JPEGs; name a ZIP of photographs.")
        for number in range(count):
            again, place = divmod(number * max(len(names), count) // count, len(names))
            name = Path(names[place])
            copy = name.with_name(f"{again:05d}-{name.name}") if again else name
            target.writestr(ZipInfo(copy.as_posix()), source.read(names[place]) + b"\0" * again)
    return out
