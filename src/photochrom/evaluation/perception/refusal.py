"""How the perceptual measures refuse."""

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten


class PerceptionError(Exception):
    """A network cannot be used; the message is one line that says what to do."""


@contextmanager
def importing(package: str, extra: str) -> Iterator[None]:
    """Turn whatever goes wrong while a package is imported into one line.

    Raises
    ------
    PerceptionError
        If the package is missing, or only half of what it needs is installed.
    """
    try:
        yield
    # Packages whose compiled parts do not fit together fail with more than ImportError.
    except Exception as error:
        raise PerceptionError(
            f"{package} cannot be imported ({shorten(str(error), 200)}): "
            f"`pip install 'photochrom[{extra}]'` brings what is missing."
        ) from None
