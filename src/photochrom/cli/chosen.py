"""The models that ``photochrom colorize`` was told to use, and what they make of a photograph."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from photochrom.cli.outcomes import Told
from photochrom.cli.refusal import RefusalError
from photochrom.cli.sheet import comparison
from photochrom.cli.work import Made, Only
from photochrom.colorizer.catalog import Entry, find, opened, shipped, trained
from photochrom.colorizer.colorizer import Colorizer
from photochrom.colorizer.options import Options
from photochrom.colorizer.stored import ColorizerError
from photochrom.environment import SettingError
from photochrom.pictures.photograph import Photograph
from photochrom.progress import say

ORIGINS = {
    "trained": "trained here",
    "shipped": "comes with Photochrom",
    "registered": "registered in MLflow",
}


@dataclass(frozen=True)
class OneModel:
    """Colors photographs by one model, in one or several ways.

    Attributes
    ----------
    colorizer : the model.
    options : how.
    variants : up to so many colorings; 1 is the usual one.
    """

    colorizer: Colorizer
    options: Options
    variants: int

    def __call__(self, photograph: Photograph) -> Sequence[Made]:
        """Return what is to be written, the likeliest first."""
        if self.variants == 1:
            return [Only(self.colorizer.color(photograph, self.options))]
        return self.colorizer.variants(photograph, self.variants, self.options)


@dataclass(frozen=True)
class Comparison:
    """Draws a sheet of what several models make of a photograph."""

    colorizers: Sequence[Colorizer]
    options: Sequence[Options]

    def __call__(self, photograph: Photograph) -> Sequence[Made]:
        """Return the sheet."""
        return [Only(comparison(photograph, self.colorizers, self.options))]


def one_model(
    name: str | None, options: Options, variants: int, quiet: bool
) -> tuple[OneModel, list[Told]]:
    """Load the model that is named, or the best there is; say which it is.

    Raises
    ------
    RefusalError
        When it cannot be had, or has no distribution and one was asked for.
    """
    try:
        entry = find(name)
        _check(entry, options, variants)
        colorizer = opened(entry)
    except (ColorizerError, SettingError) as error:
        raise RefusalError(str(error)) from None
    told = _told(entry)
    if not quiet:
        say(f"Model: {entry.name}, {told.origin}{f' ({entry.why})' if entry.why else ''}.")
    return OneModel(colorizer, options, variants), [told]


def several_models(
    names: Sequence[str], options: Options, quiet: bool
) -> tuple[Comparison, list[Told]]:
    """Load the models that are named, or all that were trained here and shipped; say which.

    Raises
    ------
    RefusalError
        When one that is named cannot be had, or there is none.
    """
    try:
        entries = [find(name) for name in names] or _all()
        colorizers = [opened(entry) for entry in entries]
    except (ColorizerError, SettingError) as error:
        raise RefusalError(str(error)) from None
    if not quiet:
        say(f"Models: {', '.join(entry.name for entry in entries)}.")
    plain = replace(options, temperature=None)
    each = [options if entry.classifies else plain for entry in entries]
    return Comparison(colorizers, each), [_told(entry) for entry in entries]


def _all() -> list[Entry]:
    # None refuses in a sentence where there is no model at all.
    return [*trained(Path()), *shipped()] or [find(None)]


def _told(entry: Entry) -> Told:
    here = entry.origin != "trained" or entry.folder.parent == Path("models")
    return Told(entry.name, ORIGINS[entry.origin] if here else f"of {entry.folder}")


def _check(entry: Entry, options: Options, variants: int) -> None:
    if entry.classifies:
        return
    asked = "--temperature" if options.temperature is not None else "--variants"
    if options.temperature is not None or variants > 1:
        raise RefusalError(
            f"{entry.name} predicts colors, no distribution: leave {asked} out, or take a model "
            "that has one (`photochrom models`)."
        )
