"""``photochrom preset``: ready-made settings of params.yaml."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from photochrom.presets import Change, PresetError, list_presets, plan_preset

COLORS = {"+": "green", "-": "red", "@": "cyan"}


def _preset_names(incomplete: str) -> list[str]:
    return [name for name in list_presets(Path.cwd()) if name.startswith(incomplete)]


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
