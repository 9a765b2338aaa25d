"""How the figures look, and how they are written.

Drawn in one middle gray on a transparent ground, so that the files read on light and dark pages
alike; on the report's own page the gray becomes the color of the text around it.
"""

import io
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from photochrom.files import whole_file

INK = "#7d7d7d"
ACCENT = "#cf6a32"
COLORS = (ACCENT, "#4d88b8", "#6b9a4e", "#a873b3", "#b99425", INK)
"""Of lines that stand beside one another: legible on light and on dark ground."""
STYLE: Any = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "font.size": 8,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.4,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "photochrom",
    "text.color": INK,
    # Names of models and people's files are words, whatever dollar signs stand in them.
    "text.parse_math": False,
    "xtick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.color": INK,
    "ytick.major.width": 0.6,
    "ytick.minor.width": 0.4,
}


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure, transparent, the same bytes for the same figure."""
    with mpl.rc_context(STYLE), whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=200, metadata={"Software": None})


def as_svg(figure: Figure) -> str:
    """Return a figure as an SVG element for the page: its text and ink in the page's own."""
    text = io.StringIO()
    nothing = {"Creator": None, "Date": None, "Format": None, "Type": None}
    with mpl.rc_context(STYLE):
        figure.savefig(text, format="svg", metadata=nothing)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    # Inside a page an id must be unique, and a style sheet would reach everything.
    svg = re.sub(r'<g id="[^"]*"', "<g", re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL))
    return re.sub(r"'DejaVu Sans',.*?sans-serif", "system-ui, sans-serif", svg)
