"""The plots that compare colorizers: accuracy against color, colors, calibration."""

from dataclasses import dataclass

from markupsafe import Markup

from photochrom.report import embed, figures
from photochrom.report.collect import Results
from photochrom.report.standings import MEASURE, printed

OVERLAP = MEASURE["color_overlap"]


@dataclass(frozen=True)
class Plane:
    """The colors of a colorizer on the ab plane, and the percent they share with the truth."""

    title: str
    address: str
    overlap: str


def tradeoff(results: Results) -> Markup:
    """Return accuracy against colorfulness as SVG."""
    return Markup(figures.as_svg(figures.tradeoff(results.rows)))


def calibration(results: Results) -> Markup:
    """Return the reliability of the classifiers as SVG; nothing where there are none."""
    tables = {
        row.name: table
        for row in results.models
        if (table := results.details[row.name].calibration) is not None
    }
    return Markup(figures.as_svg(figures.calibration(tables)) if tables else "")


def planes(results: Results) -> tuple[Plane, ...]:
    """Return the truth, then every model, best first by rebalanced AuC."""
    rows = (results.row("truth"), *results.models)
    return tuple(
        Plane(
            row.title,
            embed.address(figures.color_plane(results.details[row.name].histogram)),
            printed(OVERLAP, row.metrics.get(OVERLAP.key)) if row.trained else "",
        )
        for row in rows
    )
