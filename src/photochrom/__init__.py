"""Photochrom: colorize grayscale photographs, and compare honestly the ways of doing it.

``photochrom.load()`` gives the best colorizer at hand; ``colorizer("scan.jpg")`` colors.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photochrom.colorizer.catalog import load as load
    from photochrom.colorizer.colorizer import Colorizer as Colorizer
    from photochrom.colorizer.options import Options as Options

__version__ = "0.1.0"
__all__ = ["Colorizer", "Options", "load"]


def __getattr__(name: str) -> Any:
    """Import what is public when it is asked for, so that ``import photochrom`` is quick."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from photochrom.colorizer import catalog, colorizer, options

    public = {
        "Colorizer": colorizer.Colorizer,
        "Options": options.Options,
        "load": catalog.load,
    }
    return public[name]
