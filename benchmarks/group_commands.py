"""(g) How long the commands take that do nothing: the import, and `dvc repro` without a change."""

import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from machine import ROOT
from measuring import Found, Row, Setting, Spread

IMPORT_GOAL, REPRO_GOAL = 0.3, 2.0
DVC = (sys.executable, "-m", "dvc")


def rows(setting: Setting, root: Path = ROOT) -> Found:
    """Time both as processes of their own."""
    words = [sys.executable, "-c", "import photochrom"]
    python = [sys.executable, "-c", "pass"]
    times, empty = setting.interleaved(
        "import photochrom", partial(_run, words, root), partial(_run, python, root)
    )
    note = f"{Spread.of(empty).median:.3f} s of it Python itself"
    yield _command('python -c "import photochrom"', times, IMPORT_GOAL, note)
    yield from _repro(setting, root)


def _command(name: str, times: list[float], goal: float, note: str) -> Row:
    seconds = Spread.of(times)
    return Row("", name, seconds, "s", "lower", seconds.scaled(1000), goal=goal, note=note)


def _repro(setting: Setting, root: Path) -> Found:
    if find_spec("dvc") is None:
        yield "dvc repro was left out: install DVC."
    elif subprocess.run([*DVC, "status", "--quiet"], cwd=root).returncode:
        # It would run the stages, which is not what is timed.
        yield "dvc repro was left out, as it would have something to do: run make repro first."
    else:
        repro = partial(_run, [*DVC, "repro", "--quiet"], root)
        times = setting.alone("dvc repro with nothing to do", repro, setting.few)
        models = len(setting.params.models)
        yield _command("dvc repro with nothing to do", times, REPRO_GOAL, f"{models} models")


def _run(command: list[str], root: Path) -> None:
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)
