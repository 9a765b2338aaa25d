"""The page: one file that needs nothing else, neither a server nor a network."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from photochrom.report.collect import Results
from photochrom.report.embed import Collection, Rung, addresses
from photochrom.report.reading import ReportError
from photochrom.report.sections import (
    cards,
    comparison,
    failures,
    gallery,
    margins,
    origin,
    people,
    plots,
    strengths,
)
from photochrom.report.standings import ARROWS, certainty
from photochrom.report.verdict import verdict

LIMIT = 15_000_000
"""Most bytes of the page."""
TILES, SHEETS, FIGURES = 5.0, 5.0, 1.5
"""What the photographs, the failures and the other pictures may claim of the room."""
TILE_RUNGS = tuple(Rung(side, 88) for side in (512, 384, 256, 192, 128, 96, 64))
SHEET_RUNGS = tuple(
    Rung(*rung)
    for rung in ((1600, 88), (1200, 88), (1200, 78), (900, 78), (700, 72), (540, 72), (420, 65))
)
FIGURE_RUNGS = tuple(Rung(side, 88) for side in (1600, 1200, 800, 400))


def render(results: Results) -> str:
    """Return the page as HTML, of at most :data:`LIMIT` bytes as UTF-8.

    What the words leave of it is for the pictures.

    Raises
    ------
    ReportError
        If the words alone take more: thousands of models.
    """
    content, template = _content(results), _environment().get_template("index.html")
    collections = _collections(content)
    every = {path: "" for one in collections for part in one.parts for path in part}
    room = LIMIT - len(template.render(**content, address=every).encode())
    if room < 0:
        raise ReportError(
            f"The page would be larger than {LIMIT / 1e6:g} MB without any picture: compare fewer "
            "models in params.yaml."
        )
    return template.render(**content, address=addresses(collections, room))


def _content(results: Results) -> dict[str, Any]:
    headline, *rest = verdict(results)
    return {
        "title": results.params.report.title,
        "headline": headline,
        "rest": rest,
        "arrows": ARROWS,
        "certainty": certainty(results),
        "comparison": comparison.comparison(results),
        "groups": comparison.GROUPS,
        "margins": margins.margins(results),
        "tradeoff": plots.tradeoff(results),
        "calibration": plots.calibration(results),
        "planes": plots.planes(results),
        "strips": gallery.strips(results),
        "indicators": failures.indicators(results),
        "indications": failures.indications(results),
        "sheets": failures.sheets(results),
        "hues": results.hues,
        "hue_tables": strengths.hue_tables(results),
        "class_tables": strengths.class_tables(results),
        "class_note": strengths.class_note(results),
        "models": results.models,
        "people": results.people,
        "people_basis": people.basis(results.people),
        "panels": people.panels(results.people),
        "cards": [cards.card(training) for training in results.trainings],
        "data": origin.data(results),
        "provenance": origin.provenance(results),
        "durations": origin.durations(results),
        "threshold": results.params.evaluate.accuracy_threshold,
    }


def _collections(content: Mapping[str, Any]) -> list[Collection]:
    strips = tuple(tuple(tile.path for tile in strip.tiles) for strip in content["strips"])
    by_measure: dict[str, list[Path]] = {}
    for sheet in content["sheets"]:
        by_measure.setdefault(sheet.measure.key, []).append(sheet.source.sheet)
    data = content["data"]
    figures = tuple((data[name],) for name in ("histogram", "prior", "sheet"))
    return [
        Collection(strips, TILE_RUNGS, TILES),
        Collection(tuple(map(tuple, by_measure.values())), SHEET_RUNGS, SHEETS),
        Collection(figures, FIGURE_RUNGS, FIGURES),
    ]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("photochrom.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["breakable"] = _breakable
    environment.filters["code"] = _code
    return environment


def _breakable(name: str) -> Markup:
    """Let a browser break a long name after its underscores."""
    return escape(name).replace("_", Markup("_<wbr>"))


def _code(text: str) -> Markup:
    """Set what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))
