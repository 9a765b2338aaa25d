"""Stage ``report``: the comparison as a page, tables and figures."""

from pathlib import Path

from photochrom.params import load_params
from photochrom.report import ReportError, build_report

from _run import run


def main() -> None:
    """Read all results and write results/report."""
    build_report(load_params(), Path(), Path("results/report"))


if __name__ == "__main__":
    run(main, ReportError)
