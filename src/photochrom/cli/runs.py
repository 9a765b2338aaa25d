"""``photochrom runs ...``: the runs in MLflow."""

from pathlib import Path

import typer

from photochrom.cli.refusal import RefusalError
from photochrom.params import load_params

app = typer.Typer(help="The runs in MLflow.", no_args_is_help=True)


@app.command("sync")
def sync() -> None:
    """Replay into MLflow the finished trainings that it does not have yet."""
    from photochrom.tracking import TrackingError
    from photochrom.tracking import sync as replay

    experiment = load_params().tracking.experiment
    try:
        print(replay(Path.cwd(), experiment))
    except TrackingError as error:
        raise RefusalError(str(error)) from None
