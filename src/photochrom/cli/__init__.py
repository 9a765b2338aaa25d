"""``photochrom ...``: what to do besides ``dvc repro``. A group of commands is a module here.

Commands import what they need when they run, so that ``photochrom --help`` answers at once.
"""

from typing import Annotated

import typer

from photochrom import __version__
from photochrom.cli import colorize, export, models, params, presets, runs, serve, study, weights
from photochrom.cli.refusal import RefusalError, refuse
from photochrom.params import ParamsError
from photochrom.presets import PresetError

app = typer.Typer(
    help="Colorize grayscale photographs, and compare honestly the ways of doing it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(colorize.colorize)
app.command()(models.models)
app.command()(models.info)
app.command("export")(export.export_model)
app.command()(serve.serve)
app.command()(presets.preset)
app.add_typer(params.app, name="params")
app.add_typer(runs.app, name="runs")
app.add_typer(study.app, name="study")
app.add_typer(weights.app, name="weights")


def main() -> None:
    """Run the command line; a known error is one line on stderr and exit status 1."""
    try:
        app()
    except (ParamsError, PresetError, RefusalError) as error:
        refuse(str(error))


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"photochrom {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take the options that stand before any command."""
