"""``photochrom colorize``: gray photographs in, color photographs out."""

import sys
from typing import Annotated

import typer

from photochrom.cli.names import forms_completed, models_completed, upsamplings_completed
from photochrom.cli.wanted import INTERRUPTED, Wanted

Photographs = Annotated[
    list[str],
    typer.Argument(
        metavar="IN...",
        help="Photographs, folders of them, patterns such as 'scans/*.tif', or - for standard "
        "input.",
    ),
]
Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        "-o",
        metavar="OUT",
        help="A folder, a file for a single photograph, or - for standard output. Left out, "
        "scan.jpg becomes scan-color.jpg beside it.",
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME|FOLDER",
        help="Which model; with --compare as often as wanted. See `photochrom models`.",
        autocompletion=models_completed,
    ),
]
Size = Annotated[
    int | None,
    typer.Option(help="Shorter side in pixels at which the model sees the photograph."),
]
Temperature = Annotated[
    float | None,
    typer.Option(help="Low is vivid and bold, high is cautious and pale; 1 is the plain mean."),
]
Saturation = Annotated[float, typer.Option(help="Factor on the colors: 0 is gray.")]
Upsampling = Annotated[
    str,
    typer.Option(
        help="How colors come to the photograph's size: bicubic, or guided by its edges.",
        autocompletion=upsamplings_completed,
    ),
]
Variants = Annotated[
    int, typer.Option(metavar="K", help="Up to so many colorings of each, the likeliest first.")
]
Compare = Annotated[
    bool, typer.Option("--compare", help="A sheet of each, as all models color it.")
]
Form = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="png, jpeg, tiff or webp; else that of OUT's ending, of the photograph, or png.",
        autocompletion=forms_completed,
    ),
]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Photographs at once; else as many as there are CPUs.")
]
MaxMegapixels = Annotated[
    float | None, typer.Option(help="Refuse larger photographs unread; 200 by default.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace files that are there; else they are skipped.")
]
Json = Annotated[bool, typer.Option("--json", help="Print what was done as one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Tell only of failures.")]


def colorize(
    photographs: Photographs,
    out: Out = None,
    model: Models = None,
    size: Size = None,
    temperature: Temperature = None,
    saturation: Saturation = 1.0,
    upsampling: Upsampling = "bicubic",
    variants: Variants = 1,
    compare: Compare = False,
    form: Form = None,
    jobs: Jobs = None,
    max_megapixels: MaxMegapixels = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Color photographs. Their luminance is kept; nothing that is there is overwritten.

    Exit status: 0 all is colored or was there; 1 refused before any work; 2 wrong usage; 3 some
    photographs failed; 130 stopped by Ctrl-C.
    """
    wanted = Wanted(
        photographs=tuple(photographs),
        out=out,
        models=tuple(model or ()),
        looks={
            "size": size,
            "temperature": temperature,
            "saturation": saturation,
            "upsampling": upsampling,
        },
        variants=variants,
        compare=compare,
        form=form,
        jobs=jobs,
        max_megapixels=max_megapixels,
        overwrite=overwrite,
        as_json=as_json,
        quiet=quiet,
    )
    if status := _colored(wanted):
        raise typer.Exit(status)


def _colored(wanted: Wanted) -> int:
    try:
        from photochrom.cli.coloring import color

        return color(wanted)
    except KeyboardInterrupt:
        print("Stopped before anything was colored.", file=sys.stderr)
        return INTERRUPTED
