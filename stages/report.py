"""Stage ``report``: the comparison as a page, tables and figures."""

from pathlib import Path

from photochrom.params import load_params
from photochrom.report import ReportError, build_report
from photochrom.tracking import record_report, served_code

from _run import run


def main() -> None:
    """Read all results and write results/report."""
    params = load_params()
    build_report(params, Path(), Path("results/report"))
    record_report(Path.cwd(), params, served_code())


if __name__ == "__main__":
    run(main, ReportError)
