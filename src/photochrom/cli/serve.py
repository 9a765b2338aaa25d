"""``photochrom serve``: photographs are colored in the browser, and over HTTP."""

import webbrowser
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochrom.cli import listening
from photochrom.cli.names import models_completed
from photochrom.cli.refusal import RefusalError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from photochrom.web.coloring import Coloring


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="NAME|FOLDER",
            help="A model, again for more; all there are by default.",
            autocompletion=models_completed,
        ),
    ] = None,
    study: Annotated[
        Path | None, typer.Option("--study", help="A study's file, to show it too.")
    ] = None,
    max_megapixels: Annotated[float, typer.Option(min=0.01, help="Of a photograph.")] = 50.0,
    max_megabytes: Annotated[float, typer.Option(min=0.01, help="Of an upload.")] = 64.0,
    max_gigabytes: Annotated[
        float, typer.Option(min=0.1, help="Of memory for models and a photograph.")
    ] = 4.0,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of work on a photograph.")] = 60.0,
    waiting: Annotated[int, typer.Option(min=0, help="Photographs that may wait.")] = 16,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Color photographs in the browser, and over HTTP, until Ctrl-C."""
    from photochrom.web.coloring import Coloring
    from photochrom.web.limits import Limits

    limits = Limits(max_megapixels, max_megabytes, max_gigabytes, seconds, waiting)
    with (
        listening.listen(host, port) as listener,
        closing(Coloring(tuple(model or ()), limits=limits)) as coloring,
    ):
        application = _application(study, coloring, host)
        _announce(listening.address_of(listener, host), host, study)
        if open_page:
            webbrowser.open(listening.address_of(listener, host))
        listening.serve_until_interrupted(application, listener, coloring.stop)


def _application(study: Path | None, coloring: "Coloring", host: str) -> "FastAPI":
    # The worker takes seconds to start; what the server itself needs is imported meanwhile.
    coloring.start()
    from photochrom.study.store import StudyError
    from photochrom.web.app import create_app
    from photochrom.web.jobs import RefusedError

    try:
        application = create_app(study, coloring, listening.names(host))
        models = [model.name for model in coloring.ready()]
    except StudyError as error:
        raise RefusalError(str(error)) from None
    except RefusedError as error:
        raise RefusalError(error.detail) from None
    listening.tell(f"Models: {', '.join(models)}; the first is the default.")
    return application


def _announce(address: str, host: str, study: Path | None) -> None:
    if not listening.is_local(host):
        listening.tell(
            f"Whoever can reach {host} can have photographs colored; there is no password."
        )
    if study:
        print(f"Study: {address}/study")
    print(f"Photochrom: {address}/  (stop with Ctrl-C)", flush=True)
