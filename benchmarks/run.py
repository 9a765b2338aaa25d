"""`make bench`: how near the project comes to the limits, and how far ahead of the usual it is.

Every ratio is of two things measured in turn, A B A B .., in one run on this machine; the median
counts, and the quartiles tell its spread. Runs are kept in benchmarks/results/ and each is
compared with the latest earlier one on the same hardware.
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import group_commands
import group_data
import group_device
import group_encoding
import group_evaluation
import group_inference
import group_steps
from history import earlier, facts, keep
from machine import ROOT
from measuring import Found, Row, Setting
from photochrom import hardware
from photochrom.params import load_params
from photochrom.progress import say
from showing import show, value_text

RESULTS = ROOT / "benchmarks/results"
GROUPS: dict[str, tuple[str, Callable[[Setting], Found]]] = {
    "a": ("Data stages", group_data.rows),
    "b": ("Training", group_steps.rows),
    "c": ("Soft encoding and its loss", group_encoding.rows),
    "d": ("Coloring by size", group_inference.rows),
    "e": ("Evaluation", group_evaluation.rows),
    "f": ("The device", group_device.rows),
    "g": ("Commands", group_commands.rows),
}
QUICK_ROUNDS = 2


def main(words: Sequence[str] | None = None) -> None:
    """Measure, show and keep."""
    options = parser().parse_args(words)
    command = shlex.join(["python", "benchmarks/run.py", *(words or sys.argv[1:])])
    with tempfile.TemporaryDirectory(prefix="photochrom-bench-") as scratch:
        setting = _setting(options, Path(scratch))
        found = {group: list(measured(group, setting)) for group in options.only}
    rows = [row for lines in found.values() for row in lines if isinstance(row, Row)]
    run = facts(rows, setting, command)
    show({GROUPS[group][0]: lines for group, lines in found.items()}, earlier(run, options.results))
    if options.keep:
        print(f"Kept in {keep(run, options.results)}.")


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    groups = "; ".join(f"{letter} {title}" for letter, (title, _) in GROUPS.items())
    made = argparse.ArgumentParser(prog="benchmarks/run.py", description=f"Groups: {groups}.")
    made.add_argument("--only", type=letters, default=list(GROUPS), help="groups, such as b,c")
    made.add_argument("--rounds", type=positive, default=None, help="timings of each pair (15)")
    made.add_argument("--quick", action="store_true", help="tiny sizes, to try the scripts")
    made.add_argument("--no-keep", dest="keep", action="store_false", help="keep no record")
    made.add_argument("--photographs", type=archive, metavar="ZIP", help="use those of a ZIP")
    made.add_argument("--results", type=Path, default=RESULTS, help="folder of the records")
    return made


def letters(text: str) -> list[str]:
    """Read the groups to measure, in their usual order."""
    chosen = {part.strip() for part in text.split(",")}
    if unknown := sorted(chosen - GROUPS.keys()):
        raise argparse.ArgumentTypeError(
            f"there is no group {', '.join(unknown)}; there are {', '.join(GROUPS)}"
        )
    return [group for group in GROUPS if group in chosen]


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} must be a whole number of at least 1")
    return int(text)


def archive(text: str) -> Path:
    """Read the path of a ZIP that is there."""
    path = Path(text).resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path


def _setting(options: argparse.Namespace, scratch: Path) -> Setting:
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else Setting.rounds)
    return Setting(
        load_params(ROOT / "params.yaml"),
        hardware.device(),
        scratch,
        options.photographs,
        rounds,
        options.quick,
    )


def measured(group: str, setting: Setting) -> Iterator[Row | str]:
    """Yield what a group finds, its rows marked with its letter."""
    title, rows = GROUPS[group]
    say(f"({group}) {title}")
    for line in rows(setting):
        found = _marked(line, group, setting) if isinstance(line, Row) else line
        say(f"{found.name}: {value_text(found)}" if isinstance(found, Row) else found)
        yield found


def _marked(row: Row, group: str, setting: Setting) -> Row:
    """Give a row its group; tiny sizes have no goal."""
    return replace(row, group=group, goal=None if setting.quick else row.goal)


if __name__ == "__main__":
    main()
