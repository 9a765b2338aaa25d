"""Making the report: collect, then write each of its files."""

from pathlib import Path

from photochrom.files import write_text
from photochrom.params import Params
from photochrom.report import figures, page, tables
from photochrom.report.classes import classes_csv
from photochrom.report.collect import collect
from photochrom.report.hues import hues_csv


def build_report(params: Params, root: Path, out: Path) -> None:
    """Write the report of the project at ``root`` into the folder ``out``.

    Writes index.html (self-contained), comparison.csv, comparison.md, differences.csv, hues.csv,
    classes.csv, sheet.jpg, learning_curves.png and tradeoff.png. The same results give the same
    bytes.

    Raises
    ------
    ReportError
        In one line that names the stage to run, when a result is missing or cannot be used.
    """
    results = collect(params, root)
    write_text(out / "comparison.csv", tables.comparison_csv(results.rows))
    write_text(out / "comparison.md", tables.comparison_markdown(results))
    write_text(out / "differences.csv", tables.differences_csv(results.differences))
    write_text(out / "hues.csv", hues_csv(results.hues))
    write_text(out / "classes.csv", classes_csv(results.classes))
    figures.save_png(figures.learning_curves(results.trainings), out / "learning_curves.png")
    figures.save_png(figures.tradeoff(results.rows), out / "tradeoff.png")
    titles = [row.title for row in results.shown]
    figures.save_sheet(figures.sample_sheet(results.photographs, titles), out / "sheet.jpg")
    write_text(out / "index.html", page.render(results))
