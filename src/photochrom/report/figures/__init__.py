"""The figures of the report."""

from photochrom.report.figures.calibration import calibration
from photochrom.report.figures.curves import learning_curve, learning_curves
from photochrom.report.figures.planes import color_plane
from photochrom.report.figures.sheets import sample_sheet, save_sheet
from photochrom.report.figures.style import as_svg, save_png
from photochrom.report.figures.tradeoff import tradeoff
from photochrom.report.figures.whiskers import Whisker, whiskers

__all__ = [
    "Whisker",
    "as_svg",
    "calibration",
    "color_plane",
    "learning_curve",
    "learning_curves",
    "sample_sheet",
    "save_png",
    "save_sheet",
    "tradeoff",
    "whiskers",
]
