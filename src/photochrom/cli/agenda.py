"""What ``photochrom colorize`` is to do, before anything is loaded."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from photochrom.cli.inputs import Found, gather, shown
from photochrom.cli.outcomes import STDIN, Outcome, State
from photochrom.cli.outputs import COLOR, COMPARE, WRITTEN, Task, form_named, naming_of, plan
from photochrom.cli.refusal import RefusalError
from photochrom.cli.wanted import Wanted

PIPE = "-"


@dataclass(frozen=True)
class Agenda:
    """What is to be done, and what needs no work.

    Attributes
    ----------
    tasks : photographs to be colored.
    settled : those that are skipped, or failed before any work.
    order : every path in the order in which it was named.
    """

    tasks: Sequence[Task]
    settled: Sequence[Outcome]
    order: Mapping[str | None, int]


def agenda_of(wanted: Wanted) -> Agenda:
    """Find the photographs, and name the files to be made of them.

    Raises
    ------
    RefusalError
        When what is asked for makes no sense.
    """
    form = form_named(wanted.form)
    if PIPE in (*wanted.photographs, wanted.out):
        return _piped(wanted, form)
    mark = COMPARE if wanted.compare else COLOR
    naming = naming_of(wanted.out, form, mark, wanted.variants)
    inputs = gather(wanted.photographs, None if naming.is_file else naming.out)
    if naming.is_file and (len(inputs.found) > 1 or any(map(os.path.isdir, wanted.photographs))):
        raise RefusalError(
            f"-o {shown(wanted.out or '')} is one file for several photographs: name a folder, "
            "with / at its end."
        )
    planned = plan(inputs.found, naming, wanted.overwrite)
    settled = [_settled(fault.path, "failed", fault.why) for fault in inputs.faults]
    settled += [_settled(path, "failed", why) for path, why in planned.clashing]
    settled += [
        _settled(path, "skipped", f"{shown(there)} is there already.", (str(there),))
        for path, there in planned.existing
    ]
    named = [fault.path for fault in inputs.faults] + [one.path for one in inputs.found]
    return Agenda(planned.tasks, settled, {str(path): place for place, path in enumerate(named)})


def _piped(wanted: Wanted, form: str | None) -> Agenda:
    """Plan the one photograph that comes from standard input, goes to standard output, or both."""
    if len(wanted.photographs) > 1:
        raise RefusalError("- stands for one photograph: name no other beside it.")
    to_stdout = wanted.out in (None, PIPE)
    if to_stdout and wanted.as_json:
        raise RefusalError("--json and the photograph cannot both go to standard output: use -o.")
    if to_stdout and wanted.variants > 1:
        raise RefusalError("Several variants cannot all go to standard output: name a file by -o.")
    if to_stdout and sys.stdout.isatty():
        raise RefusalError("A terminal shows no photographs: name a file by -o, or use a pipe.")
    given = wanted.photographs[0]
    if given == PIPE:
        if sys.stdin.isatty():
            raise RefusalError("- reads a photograph from a pipe: photochrom colorize - < scan.jpg")
        if to_stdout:
            return Agenda([Task(None, (), form)], [], {None: 0})
        return _from_stdin(wanted, form)
    inputs = gather([given])
    if inputs.faults or len(inputs.found) != 1 or Path(given).is_dir():
        why = inputs.faults[0].why if inputs.faults else "Only one photograph goes there."
        raise RefusalError(f"{shown(given)} cannot go to standard output. {why}")
    path = inputs.found[0].path
    own = form or WRITTEN.get(path.suffix.lower())
    return Agenda([Task(path, (), own)], [], {str(path): 0})


def _from_stdin(wanted: Wanted, form: str | None) -> Agenda:
    naming = naming_of(wanted.out, form, COLOR, wanted.variants)
    if not naming.is_file:
        raise RefusalError(
            f"-o {shown(wanted.out or '')}: what comes through a pipe has no name; name a file "
            f"that ends in {', '.join(WRITTEN)}."
        )
    planned = plan([Found(Path())], naming, wanted.overwrite)
    tasks = [Task(None, task.targets) for task in planned.tasks]
    settled = [
        Outcome(STDIN, None, "skipped", (str(there),), why=f"{shown(there)} is there already.")
        for _, there in planned.existing
    ]
    return Agenda(tasks, settled, {None: 0})


def _settled(path: Path, state: State, why: str, outputs: tuple[str, ...] = ()) -> Outcome:
    return Outcome(shown(path), str(path), state, outputs, why=why)
