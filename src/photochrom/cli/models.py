"""``photochrom models`` and ``photochrom info``: which models there are, all of one."""

import json
from typing import Annotated

import typer

from photochrom.cli.names import models_completed

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def models(as_json: Json = False) -> None:
    """List the models that can color: trained here, shipped, registered in MLflow."""
    from photochrom.cli.listing import listing, print_table

    rows = listing()
    if as_json:
        print(json.dumps({"models": [row.as_json() for row in rows]}, indent=2))
    else:
        print_table(rows)


def info(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|FOLDER]",
            help="The model; none tells of the default one and of this installation.",
            autocompletion=models_completed,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell all about a model: what it is, how it was trained, what it measures."""
    from photochrom.cli.about import about
    from photochrom.cli.telling import print_facts

    facts = about(name)
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        print_facts(facts)
