"""``photochrom runs ...``: the runs in MLflow."""

from pathlib import Path

import typer

import photochrom
from photochrom.cli.refusal import RefusalError
from photochrom.params import load_params

SERVED = Path(photochrom.__file__).with_name("served.py")
"""What MLflow serves a model with; importing it would import MLflow."""

app = typer.Typer(help="The runs in MLflow.", no_args_is_help=True)


@app.command("sync")
def sync() -> None:
    """Put into MLflow what it lacks of trainings, evaluations, models, votes and the report."""
    from photochrom.tracking import TrackingError
    from photochrom.tracking import sync as replay

    params = load_params()
    try:
        print(replay(Path.cwd(), params, SERVED))
    except TrackingError as error:
        raise RefusalError(str(error)) from None
