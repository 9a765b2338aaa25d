"""``photochrom study ...``: people judge the colorizations."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from photochrom.cli import listening
from photochrom.cli.refusal import RefusalError
from photochrom.params import load_params

app = typer.Typer(help="People judge the colorizations.", no_args_is_help=True)
STUDY = Path("data/study/study.db")
VOTES = Path("data/votes/votes.csv")
Study = Annotated[Path, typer.Option("--study", help="The study's file.")]


@app.command("trials")
def trials(
    force: Annotated[
        bool, typer.Option("--force", help="Move a study that has votes aside.")
    ] = False,
) -> None:
    """Prepare what people will see: sessions of trials, and their pictures."""
    params = load_params()
    from photochrom.colorizer.stored import ColorizerError
    from photochrom.data.shards import ShardError
    from photochrom.environment import SettingError
    from photochrom.study.prepare import prepare_study

    with _refusals(ColorizerError, SettingError, ShardError):
        prepared = prepare_study(params, Path(), STUDY, force=force)
    if prepared.aside:
        print(f"The study with votes is now {prepared.aside}.", file=sys.stderr)
    print(
        f"{STUDY}: {prepared.sessions} sessions of {prepared.trials} trials, {prepared.models} "
        f"models, {prepared.photographs} photographs, {prepared.pictures} pictures. "
        "Next: photochrom study serve"
    )


@app.command("serve")
def serve(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
    study: Study = STUDY,
) -> None:
    """Show the study to people in their browsers, until Ctrl-C."""
    with _refusals():
        from photochrom.web.app import create_app

        application = create_app(study, hosts=listening.names(host))
    listener = listening.listen(host, port)
    if not listening.is_local(host):
        listening.tell(f"Whoever can reach {host} can take part; there is no password.")
    address = listening.address_of(listener, host)
    print(f"Study: {address}/study  (stop with Ctrl-C)", flush=True)
    listening.serve_until_interrupted(application, listener)


@app.command("export")
def export(
    out: Annotated[Path, typer.Option(help="The table to write.")] = VOTES,
    study: Study = STUDY,
) -> None:
    """Write all votes as a table, which the stage study reads; also while people vote."""
    with _refusals():
        from photochrom.study.export import export_votes

        votes = export_votes(study, out)
    print(f"{out}: {votes} votes. Next: dvc repro")


@app.command("status")
def status(study: Study = STUDY) -> None:
    """Say how many people have voted, and on what."""
    with _refusals():
        from photochrom.study.export import read_status

        found = read_status(study)
    print(
        f"{study}: {found.people} people of {found.sessions} prepared for, {found.finished} "
        f"finished, {sum(found.votes.values())} votes."
    )
    width = max(map(len, found.votes))
    for protocol, votes in found.votes.items():
        print(f"{protocol:{width}}  {votes}")


@contextmanager
def _refusals(*known: type[Exception]) -> Iterator[None]:
    """Turn what the study refuses, and other errors that are known, into one line."""
    from photochrom.study.store import StudyError

    refused: tuple[type[Exception], ...] = (StudyError, *known)
    try:
        yield
    except refused as error:
        raise RefusalError(str(error)) from None
