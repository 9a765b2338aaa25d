"""How a command refuses: one line on standard error, exit status 1."""

import sys
from typing import NoReturn


class RefusalError(Exception):
    """A command cannot do what it was asked to; the message is one line that says what to do."""


def refuse(message: str) -> NoReturn:
    """Print why, and end."""
    print(" ".join(message.split()), file=sys.stderr)
    sys.exit(1)
