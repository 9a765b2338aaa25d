"""What came of each photograph, told to people and to programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from photochrom.cli.inputs import shown

State = Literal["colored", "skipped", "failed"]
STDIN, STDOUT = "standard input", "standard output"


@dataclass(frozen=True)
class Outcome:
    """What came of a photograph.

    Attributes
    ----------
    name : the photograph, on one line.
    path : the same as the system has it; None is standard input.
    state : colored; skipped, as what is to be made is there; or failed.
    outputs : the files that were made, or were there.
    shares : of each output how plausible the model finds it, 0..1, where there may be several.
    size : width and height in pixels, where it was read.
    milliseconds : of work.
    notes : sentences on what was not taken over.
    why : of what was not colored, a sentence.
    """

    name: str
    path: str | None
    state: State
    outputs: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    size: tuple[int, int] | None = None
    milliseconds: float | None = None
    notes: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Told:
    """A model that was used, as people and programs are told."""

    name: str
    origin: str


def lines(outcome: Outcome, quiet: bool) -> Iterator[str]:
    """Yield what is to be said of one photograph; of failures also where all else is quiet."""
    if outcome.state == "failed":
        yield f"{outcome.name}: {outcome.why}"
    elif not quiet:
        if outcome.state == "skipped":
            yield f"{outcome.name}: Skipped. {outcome.why}"
        for note in outcome.notes:
            yield f"{outcome.name}: {note}"


def summary(outcomes: Sequence[Outcome], seconds: float, left: int) -> str:
    """Return the last line: how many photographs came to what.

    Parameters
    ----------
    outcomes : of all that were not left.
    seconds : that the work took.
    left : photographs that Ctrl-C left untouched.
    """
    colored = [one for one in outcomes if one.state == "colored"]
    skipped = sum(one.state == "skipped" for one in outcomes)
    failed = sum(one.state == "failed" for one in outcomes)
    several = len(colored) != 1 or not colored[0].outputs
    what = _count(len(colored)) if several else f"{colored[0].name}: {_files(colored[0].outputs)}"
    parts = [f"Colored {what}" + (f" in {seconds:.1f} s" if colored else "")]
    if skipped:
        parts.append(f"{skipped} skipped (--overwrite replaces what is there)")
    if failed:
        parts.append(f"{failed} failed")
    if left:
        parts.append(f"{left} left when it was stopped")
    return f"{'; '.join(parts)}."


def as_json(outcomes: Sequence[Outcome], models: Sequence[Told], left: int) -> dict[str, Any]:
    """Return all that was done as plain values.

    Parameters
    ----------
    outcomes : in the order in which the photographs were named.
    models : that were used.
    left : photographs that Ctrl-C left untouched.
    """
    states = [one.state for one in outcomes]
    return {
        "models": [asdict(model) for model in models],
        "colored": states.count("colored"),
        "skipped": states.count("skipped"),
        "failed": states.count("failed"),
        "left": left,
        "photographs": [_entry(one, models) for one in outcomes],
    }


def _entry(one: Outcome, models: Sequence[Told]) -> dict[str, Any]:
    names = [model.name for model in models]
    return {
        "input": one.path,
        "state": one.state,
        "outputs": list(one.outputs),
        "shares": list(one.shares),
        "model": (names[0] if len(names) == 1 else names) if one.state == "colored" else None,
        "size": one.size,
        "milliseconds": one.milliseconds,
        "notes": list(one.notes),
        "error": one.why if one.state == "failed" else None,
    }


def _count(number: int) -> str:
    return f"{number} photograph{'' if number == 1 else 's'}"


def _files(outputs: Sequence[str]) -> str:
    first = shown(outputs[0])
    return first if len(outputs) == 1 else f"{first} and {len(outputs) - 1} more"
