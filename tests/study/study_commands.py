"""How tests run ``photochrom study`` in their own process."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from photochrom.cli import study as commands
from photochrom.cli.refusal import RefusalError

STUDY = Path("data/study/study.db")


def run(*arguments: str) -> str:
    """Run ``photochrom study``; return what it printed."""
    done = CliRunner().invoke(commands.app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def refusal(*arguments: str) -> str:
    with pytest.raises(RefusalError) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)
