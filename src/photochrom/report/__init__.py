"""The report: what was compared, on which data, made by which code, and how it came out."""

from photochrom.report.build import build_report
from photochrom.report.reading import ReportError

__all__ = ["ReportError", "build_report"]
