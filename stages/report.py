"""Stage ``report``: the comparison as a page, tables and figures."""

from pathlib import Path

import photochrom
from photochrom.params import load_params
from photochrom.report import ReportError, build_report
from photochrom.tracking import record_report

from _run import run

SERVED = Path(photochrom.__file__).with_name("served.py")
"""What MLflow serves a model with; importing it would import MLflow."""


def main() -> None:
    """Read all results and write results/report."""
    params = load_params()
    build_report(params, Path(), Path("results/report"))
    record_report(Path.cwd(), params, SERVED)


if __name__ == "__main__":
    run(main, ReportError)
