"""``photochrom ...``: what to do with params.yaml and the runs besides ``dvc repro``.

Commands import what they need when they run, so that ``photochrom --help`` answers at once.
"""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from photochrom import __version__
from photochrom.params import ParamsError, load_params
from photochrom.presets import Change, PresetError, list_presets, plan_preset

app = typer.Typer(
    help="Colorize grayscale photographs, and compare honestly the ways of doing it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
params_app = typer.Typer(help="What params.yaml says.", no_args_is_help=True)
runs_app = typer.Typer(help="The runs in MLflow.", no_args_is_help=True)
app.add_typer(params_app, name="params")
app.add_typer(runs_app, name="runs")

COLORS = {"+": "green", "-": "red", "@": "cyan"}


def main() -> None:
    """Run the command line; a known error is one line on stderr and exit status 1."""
    try:
        app()
    except (ParamsError, PresetError) as error:
        _refuse(str(error))


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(1)


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


def _preset_names(incomplete: str) -> list[str]:
    return [name for name in list_presets(Path.cwd()) if name.startswith(incomplete)]


@app.command()
def preset(
    name: Annotated[
        str | None,
        typer.Argument(help="The preset; none lists them.", autocompletion=_preset_names),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a key too, as in data.limit=100."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change.")
    ] = False,
) -> None:
    """Merge a preset into params.yaml, comments kept, and show what changed."""
    if name is None:
        _list_presets(assignments or [])
        return
    change = plan_preset(name, assignments or [], Path.cwd())
    _print_change(change)
    _finish_preset(name, change, dry_run)


def _list_presets(assignments: list[str]) -> None:
    if assignments:
        raise PresetError("--set goes with a preset: photochrom preset NAME --set KEY=VALUE.")
    presets = list_presets(Path.cwd())
    if not presets:
        raise PresetError("There is no presets/ here; run this from the project's root.")
    width = max(map(len, presets))
    for name, headline in presets.items():
        print(f"{name:{width}}  {headline}")


def _print_change(change: Change) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for line in change.diff():
        console.print(line, style=COLORS.get(line[:1]), markup=False, emoji=False)
    for note in change.notes:
        print(note, file=sys.stderr)


def _finish_preset(name: str, change: Change, dry_run: bool) -> None:
    from photochrom.files import write_text

    if change.before == change.after:
        print(f"params.yaml already says what preset {name} asks for.", file=sys.stderr)
    elif dry_run:
        print("Nothing was written; leave out --dry-run to write it.", file=sys.stderr)
    else:
        write_text(Path("params.yaml"), change.after)
        print("params.yaml is changed. Next: dvc repro", file=sys.stderr)


@params_app.command("check")
def check() -> None:
    """Check params.yaml: say what it asks for, or in one line what is wrong."""
    params = load_params()
    models = ", ".join(params.models)
    print(
        f"params.yaml is good: {len(params.models)} models ({models}) on {params.data.source}, "
        f"{params.lab.size} px."
    )


@runs_app.command("sync")
def sync() -> None:
    """Replay into MLflow the finished trainings that it does not have yet."""
    from photochrom.tracking import TrackingError
    from photochrom.tracking import sync as replay

    experiment = load_params().tracking.experiment
    try:
        print(replay(Path.cwd(), experiment))
    except TrackingError as error:
        _refuse(str(error))
