"""What the worker does: photographs in, answers out. This is the only part that needs torch."""

import base64
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Self

from photochrom import hardware
from photochrom.colorizer import catalog
from photochrom.colorizer.catalog import Entry
from photochrom.colorizer.colorizer import Colorizer
from photochrom.colorizer.options import MOST_VARIANTS, OptionError
from photochrom.colorizer.stored import ColorizerError
from photochrom.colorizer.temperature import temperature_of
from photochrom.environment import SettingError
from photochrom.pictures.opening import BadPhotographError
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.reading import read_photograph
from photochrom.pictures.writing import UnwritableError, encoded, write_photograph
from photochrom.web.jobs import FORMS, Answer, Job, Model, RefusedError
from photochrom.web.memory import is_shortage

KEPT = 4
"""Models that stay loaded, those used last."""
USUAL = "PNG"
"""The format of an answer to a photograph of a format that is only read."""
Written = tuple[str, str, tuple[str, ...]]
"""Content type and file name's ending of what was written, and notes."""
FAULTS = {"too large": 413, "corrupt": 415}
NO_MEMORY = (
    "This needs more memory than the server gives: send a smaller photograph, or ask for a smaller "
    "size."
)


class Painter:
    """Colors photographs with the models that there are.

    Attributes
    ----------
    models : what there is to choose from, the default first.
    """

    def __init__(self, entries: list[Entry], megapixels: float) -> None:
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            if self._entries.setdefault(entry.name, entry).folder != entry.folder:
                raise RefusedError(503, f"Two models are called {entry.name}: serve one of them.")
        self._megapixels = megapixels
        self._loaded: Callable[[str], Colorizer] = lru_cache(KEPT)(self._load)
        self.models = tuple(_described(entry) for entry in self._entries.values())

    @classmethod
    def open(cls, names: tuple[str, ...], root: Path, megapixels: float) -> Self:
        """Find the models called ``names``; none takes all that there are.

        Raises
        ------
        RefusedError
            When one cannot be found, two have one name, or there is none at all, or no device to
            compute on.
        """
        try:
            hardware.device()
            if names:
                return cls([catalog.find(name, root) for name in names], megapixels)
            first = catalog.find(None, root)
            others = [*catalog.trained(root), *catalog.shipped()]
        except (ColorizerError, SettingError) as error:
            raise RefusedError(503, str(error)) from None
        return cls([first, *(entry for entry in others if entry.name != first.name)], megapixels)

    def paint(self, job: Job, data: bytes, body: BinaryIO) -> Answer:
        """Do a job on the encoded photograph ``data``, and write the answer to ``body``.

        Raises
        ------
        RefusedError
            When the photograph or the options cannot be used.
        """
        started = time.perf_counter()
        with _refusals():
            colorizer = self._loaded(job.model)
            photograph = read_photograph(data, self._megapixels)
            write = _write_colored if job.variants is None else _write_variants
            media_type, suffix, notes = write(colorizer, photograph, job, body)
        milliseconds = round(1000 * (time.perf_counter() - started))
        return Answer(media_type, suffix, job.model, milliseconds, notes)

    def _load(self, name: str) -> Colorizer:
        try:
            return catalog.opened(self._entries[name])
        except ColorizerError as error:
            print(error, file=sys.stderr)
            raise RefusedError(503, f"The model {name} cannot be loaded: take another.") from None


def _described(entry: Entry) -> Model:
    config = entry.config
    return Model(
        name=entry.name,
        origin=entry.origin,
        study=config.study,
        parameters=config.parameters,
        size=config.image_size,
        temperature=temperature_of(config.decoding) if entry.classifies else None,
    )


def _write_colored(
    colorizer: Colorizer, photograph: Photograph, job: Job, body: BinaryIO
) -> Written:
    own = photograph.format if photograph.format in FORMS else None
    form = job.form or own or USUAL
    colored = _chosen(colorizer, photograph, job)
    notes = write_photograph(colored, body, form)
    return *FORMS[form], photograph.notes + notes


def _chosen(colorizer: Colorizer, photograph: Photograph, job: Job) -> Photograph:
    if job.variant == 1:
        return colorizer.color(photograph, job.options)
    found = colorizer.variants(photograph, MOST_VARIANTS, job.options)
    if job.variant > len(found):
        raise OptionError(
            f"variant is {job.variant}: {job.model} finds {len(found)} plausible colorings of "
            f"this photograph, so set it from 1 to {len(found)}."
        )
    return found[job.variant - 1].photograph


def _write_variants(
    colorizer: Colorizer, photograph: Photograph, job: Job, body: BinaryIO
) -> Written:
    found = colorizer.variants(photograph, job.variants or 1, job.options)
    separator = json.dumps({"model": job.model})[:-1] + ', "variants": ['
    # One after the other: together they may be larger than memory.
    for number, variant in enumerate(found, 1):
        body.write(separator.encode())
        picture = base64.b64encode(encoded(variant.photograph, "JPEG")).decode()
        shown = {"variant": number, "share": round(variant.share, 4), "type": FORMS["JPEG"][0]}
        body.write(json.dumps(shown | {"picture": picture}).encode())
        separator = ", "
    body.write(b"]}")
    return "application/json", ".json", photograph.notes


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what cannot be done into a status and a sentence."""
    try:
        yield
    except BadPhotographError as error:
        raise RefusedError(FAULTS[error.fault], str(error)) from None
    except (OptionError, UnwritableError) as error:
        raise RefusedError(422, str(error)) from None
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        raise RefusedError(413, NO_MEMORY) from None
