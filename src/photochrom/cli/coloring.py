"""What ``photochrom colorize`` does: check, plan, load, color, tell."""

import json
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photochrom import environment
from photochrom.cli.inputs import Found, gather, shown
from photochrom.cli.outcomes import STDIN, Outcome, State, Told, as_json, lines, summary
from photochrom.cli.outputs import COLOR, COMPARE, WRITTEN, Task, form_named, naming_of, plan
from photochrom.cli.refusal import RefusalError
from photochrom.colorizer.options import MOST_VARIANTS, OptionError, Options
from photochrom.pictures.reading import MOST_MEGAPIXELS
from photochrom.progress import say, track

PIPE = "-"
FAILED, INTERRUPTED = 3, 130


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for; :mod:`photochrom.cli.colorize` tells of each."""

    photographs: tuple[str, ...]
    out: str | None
    models: tuple[str, ...]
    looks: Mapping[str, Any]
    variants: int
    compare: bool
    form: str | None
    jobs: int | None
    max_megapixels: float | None
    overwrite: bool
    as_json: bool
    quiet: bool


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


def color(wanted: Wanted) -> int:
    """Color photographs and tell about it; return the exit status.

    Raises
    ------
    RefusalError
        Before any work, when what is asked for cannot be done.
    """
    options = _options(wanted)
    agenda = _agenda(wanted)
    _tell(agenda.settled, wanted)
    started = time.perf_counter()
    models, done = _colored(agenda.tasks, options, wanted) if agenda.tasks else ([], [])
    outcomes = sorted([*agenda.settled, *done], key=lambda one: agenda.order[one.path])
    left = len(agenda.tasks) - len(done)
    if not wanted.quiet:
        say(summary(outcomes, time.perf_counter() - started, left))
    if wanted.as_json:
        print(json.dumps(as_json(outcomes, models, left), indent=2))
    if left:
        return INTERRUPTED
    return FAILED if any(outcome.state == "failed" for outcome in outcomes) else 0


def _options(wanted: Wanted) -> Options:
    if not 1 <= wanted.variants <= MOST_VARIANTS:
        raise RefusalError(f"--variants {wanted.variants}: set it from 1 to {MOST_VARIANTS}.")
    if wanted.compare and wanted.variants > 1:
        raise RefusalError("--compare shows one coloring of each model: leave out --variants.")
    if len(wanted.models) > 1 and not wanted.compare:
        raise RefusalError("Several models color the same photographs only with --compare.")
    if wanted.max_megapixels is not None and wanted.max_megapixels <= 0:
        raise RefusalError("--max-megapixels must be above 0.")
    try:
        return Options(**wanted.looks)
    except OptionError as error:
        raise RefusalError(f"--{error}") from None


def _agenda(wanted: Wanted) -> Agenda:
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


def _colored(
    tasks: Sequence[Task], options: Options, wanted: Wanted
) -> tuple[list[Told], list[Outcome]]:
    """Load what is needed and color; return the models and what came of the photographs."""
    from photochrom.cli.chosen import one_model, several_models
    from photochrom.cli.work import Gate, Work, run

    name = wanted.models[0] if wanted.models else None
    make, models = (
        several_models(wanted.models, options, wanted.quiet)
        if wanted.compare
        else one_model(name, options, wanted.variants, wanted.quiet)
    )
    work = Work(make, wanted.max_megapixels or MOST_MEGAPIXELS, wanted.overwrite, Gate())
    done: list[Outcome] = []
    # Odd metadata is no reason to speak; threads share one list of what is ignored.
    with warnings.catch_warnings(), suppress(KeyboardInterrupt):
        warnings.simplefilter("ignore")
        with closing(run(tasks, work, _jobs(wanted, len(tasks)), done)) as outcomes:
            for outcome in _followed(outcomes, len(tasks), wanted):
                _tell([outcome], wanted)
    return models, done


def _jobs(wanted: Wanted, tasks: int) -> int:
    return min(wanted.jobs or environment.workers(), tasks)


def _followed(outcomes: Iterator[Outcome], total: int, wanted: Wanted) -> Iterator[Outcome]:
    if wanted.quiet or total == 1:
        return outcomes
    return track(outcomes, "Coloring", total, closing_line=False)


def _tell(outcomes: Sequence[Outcome], wanted: Wanted) -> None:
    for outcome in outcomes:
        for line in lines(outcome, wanted.quiet):
            say(line)
