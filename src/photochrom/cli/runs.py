"""``photochrom runs ...``: the runs in MLflow."""

from pathlib import Path

import typer

from photochrom.cli.refusal import RefusalError
from photochrom.params import load_params

app = typer.Typer(help="The runs in MLflow.", no_args_is_help=True)


@app.command("sync")
def sync() -> None:
    """Put into MLflow what it lacks of trainings, evaluations, models, votes and the report."""
    from photochrom.tracking import TrackingError, served_code
    from photochrom.tracking import sync as replay

    params = load_params()
    try:
        print(replay(Path.cwd(), params, served_code()))
    except TrackingError as error:
        raise RefusalError(str(error)) from None
