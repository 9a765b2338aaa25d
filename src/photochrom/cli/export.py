"""``photochrom export``: a model for other programs, or for other people."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from photochrom.cli.names import models_completed
from photochrom.cli.refusal import RefusalError

if TYPE_CHECKING:
    from photochrom.colorizer.catalog import Entry
    from photochrom.colorizer.stored import Config


Model = Annotated[
    str | None,
    typer.Argument(
        help="The model's name or folder; none takes the best there is.",
        autocompletion=models_completed,
    ),
]
Onnx = Annotated[
    Path | None,
    typer.Option("--onnx", metavar="FILE", help="Write it as ONNX, checked by onnxruntime."),
]
Package = Annotated[
    Path | None,
    typer.Option(
        "--package", metavar="FOLDER", help="Pack it: float16 weights, SHA-256, model card."
    ),
]
Size = Annotated[
    int | None, typer.Option("--size", help="Its working size in pixels; none keeps its own.")
]
Temperature = Annotated[
    float | None,
    typer.Option("--temperature", help="Decode at this temperature; none keeps its own."),
]
License = Annotated[
    str | None,
    typer.Option("--license", help="The terms of the weights, a line; --package needs it."),
]
Notes = Annotated[
    Path | None,
    typer.Option(
        "--notes", metavar="FILE", help="Markdown for the card: intended use, biases, limits."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]


def export_model(
    model: Model = None,
    onnx: Onnx = None,
    package: Package = None,
    size: Size = None,
    temperature: Temperature = None,
    terms: License = None,
    notes: Notes = None,
    overwrite: Overwrite = False,
) -> None:
    """Export a model as ONNX for other programs, or pack it for other people."""
    _check(onnx, package, terms, notes, overwrite)
    with _refusals():
        from photochrom.colorizer.catalog import find

        entry = find(model)
        config = _changed(entry, size, temperature)
        if onnx is not None:
            _write_onnx(entry, config, terms, onnx)
        if package is not None:
            _pack(entry, config, terms or "", notes, package)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what exporting refuses into one line."""
    from photochrom.colorizer.onnx_export import OnnxError
    from photochrom.colorizer.options import OptionError
    from photochrom.colorizer.packing import PackingError
    from photochrom.colorizer.stored import ColorizerError

    try:
        yield
    except (ColorizerError, OnnxError, OptionError, PackingError) as error:
        raise RefusalError(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RefusalError(f"The model cannot be exported: {error}") from None


def _check(
    onnx: Path | None,
    package: Path | None,
    terms: str | None,
    notes: Path | None,
    overwrite: bool,
) -> None:
    if onnx is None and package is None:
        raise RefusalError("Say what to write: --onnx FILE, --package FOLDER, or both.")
    if package is not None and not (terms or "").strip():
        raise RefusalError("Say under which terms the weights may be used: --license TEXT.")
    if notes is not None and package is None:
        raise RefusalError("--notes goes into the card of a package: give --package FOLDER too.")
    if package is not None and package.exists() and not package.is_dir():
        raise RefusalError(f"{package} is no folder: give another name.")
    if overwrite:
        return
    if onnx is not None and onnx.exists():
        raise RefusalError(f"{onnx} is there already: give --overwrite, or another name.")
    if package is not None and package.exists() and any(package.iterdir()):
        raise RefusalError(f"{package} is not empty: give --overwrite, or another folder.")


def _changed(entry: "Entry", size: int | None, temperature: float | None) -> "Config":
    """Return the model's config with another working size or temperature."""
    from photochrom.colorizer.options import OptionError, Options
    from photochrom.colorizer.temperature import at_temperature

    options = Options(size=size, temperature=temperature)
    config = entry.config
    if options.size is not None:
        config = config.model_copy(update={"image_size": options.size})
    if options.temperature is None:
        return config
    if not entry.classifies:
        raise OptionError(f"{entry.name} predicts no distribution: leave --temperature out.")
    decoding = at_temperature(config.decoding, options.temperature)
    return config.model_copy(update={"decoding": decoding})


def _write_onnx(entry: "Entry", config: "Config", terms: str | None, path: Path) -> None:
    from dataclasses import replace

    import torch

    from photochrom import __version__
    from photochrom.colorizer.onnx_export import export_onnx
    from photochrom.colorizer.packing import license_of
    from photochrom.colorizer.prediction import Predictor
    from photochrom.progress import say

    say(f"Exporting {entry.name}, then comparing the file with PyTorch: up to half a minute.")
    predictor = Predictor.load(entry.folder, config.decoding, torch.device("cpu"))
    facts = {
        "model": entry.name,
        "photochrom": __version__,
        "license": terms or license_of(entry.folder) or "not stated: ask whoever trained it",
    }
    done = export_onnx(replace(predictor, size=config.image_size), path, facts)
    sizes = ", ".join(f"{n} x {height} x {width}" for n, height, width in done.shapes)
    print(
        f"{path}: {entry.name} as ONNX (opset {done.opset}, {done.size / 1e6:.1f} MB). Its colors "
        f"are those of PyTorch to within {done.largest:.1g} units of a and b at {sizes}."
    )


def _pack(entry: "Entry", config: "Config", terms: str, notes: Path | None, folder: Path) -> None:
    from photochrom.colorizer.packing import pack

    text = notes.read_text(encoding="utf-8") if notes else ""
    done = pack(entry, folder, config, " ".join(terms.split()), text)
    print(
        f"{folder}: {entry.name} packed in {done.size / 1e6:.1f} MB. Rounding to float16 changes a "
        f"and b by {done.rounding.mean:.1g} on average, {done.rounding.largest:.1g} at most. Read "
        "MODEL_CARD.md before you give it away."
    )
