"""What ``photochrom colorize`` does: check, plan, load, color, tell."""

import json
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress

from photochrom import environment
from photochrom.cli.agenda import agenda_of
from photochrom.cli.outcomes import Outcome, Told, as_json, lines, summary
from photochrom.cli.outputs import Task
from photochrom.cli.refusal import RefusalError
from photochrom.cli.wanted import INTERRUPTED, Wanted
from photochrom.colorizer.options import MOST_VARIANTS, OptionError, Options
from photochrom.pictures.reading import MOST_MEGAPIXELS
from photochrom.progress import say, track

FAILED = 3


def color(wanted: Wanted) -> int:
    """Color photographs and tell about it; return the exit status.

    Raises
    ------
    RefusalError
        Before any work, when what is asked for cannot be done.
    """
    options = _options(wanted)
    agenda = agenda_of(wanted)
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
    if wanted.max_megapixels is not None and not wanted.max_megapixels > 0:
        raise RefusalError("--max-megapixels must be above 0.")
    try:
        return Options(**wanted.looks)
    except OptionError as error:
        raise RefusalError(f"--{error}") from None


def _colored(
    tasks: Sequence[Task], options: Options, wanted: Wanted
) -> tuple[list[Told], list[Outcome]]:
    """Load what is needed and color; return the models and what came of the photographs."""
    from photochrom.cli.chosen import one_model, several_models
    from photochrom.cli.work import Gate, Work, run

    jobs = _jobs(wanted, len(tasks))
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
        with closing(run(tasks, work, jobs, done)) as outcomes:
            for outcome in _followed(outcomes, len(tasks), wanted):
                _tell([outcome], wanted)
    return models, done


def _jobs(wanted: Wanted, tasks: int) -> int:
    try:
        return min(wanted.jobs or environment.workers(), tasks)
    except environment.SettingError as error:
        raise RefusalError(str(error)) from None


def _followed(outcomes: Iterator[Outcome], total: int, wanted: Wanted) -> Iterator[Outcome]:
    if wanted.quiet or total == 1:
        return outcomes
    return track(outcomes, "Coloring", total, closing_line=False)


def _tell(outcomes: Sequence[Outcome], wanted: Wanted) -> None:
    for outcome in outcomes:
        for line in lines(outcome, wanted.quiet):
            say(line)
