"""``photochrom params ...``: what params.yaml says."""

import typer

from photochrom.params import load_params

app = typer.Typer(help="What params.yaml says.", no_args_is_help=True)


@app.command("check")
def check() -> None:
    """Check params.yaml: say what it asks for, or in one line what is wrong."""
    params = load_params()
    models = ", ".join(params.models)
    print(
        f"params.yaml is good: {len(params.models)} models ({models}) on {params.data.source}, "
        f"{params.lab.size} px."
    )
