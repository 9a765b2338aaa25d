"""The tables that a run prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from history import change, is_slower
from machine import commit, machine
from measuring import Row, Spread

COLUMNS = ("ms", "against, ms", "result", "goal", "since")
WIDTH = 260
"""Columns where the output is no terminal, so that no line of the table is broken."""
NOTHING = "–"

Earlier = Mapping[tuple[str, str], dict[str, Any]]


def show(groups: Mapping[str, Sequence[Row | str]], before: Earlier) -> None:
    """Print a table for each group, what was left out, and what became slower.

    Parameters
    ----------
    before : the latest earlier value of each row, as :func:`history.earlier` gives it.
    """
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    console.print(headline())
    for title, lines in groups.items():
        rows = [line for line in lines if isinstance(line, Row)]
        if rows:
            console.print(_table(title, rows, before))
        for line in lines:
            if isinstance(line, str):
                console.print(line)
    everything = [row for lines in groups.values() for row in lines if isinstance(row, Row)]
    for line in verdict(everything, before):
        console.print(line)


def headline() -> str:
    """Return where and of what this was measured."""
    here, code = machine(), commit()
    where = here["gpu"] or "no GPU"
    dirty = " with changes" if code["dirty"] else ""
    return (
        f"{here['processor']}, {here['cores']} cores, {where}; networks in {here['precision']} "
        f"on {here['device']}; commit {code['commit'] or 'unknown'}{dirty}. Medians and quartiles."
    )


def _table(title: str, rows: Sequence[Row], before: Earlier) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("", overflow="fold")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    table.add_column("", overflow="fold")
    for row in rows:
        former = before.get((row.group, row.name))
        times = [time_text(spread) for spread in (row.milliseconds, row.reference)]
        table.add_row(
            row.name, *times, value_text(row), goal_text(row), since(row, former), row.note
        )
    return table


def time_text(spread: Spread | None) -> str:
    """Return a time in milliseconds."""
    return NOTHING if spread is None else f"{spread.median:.4g}"


def value_text(row: Row) -> str:
    """Return the value and its quartiles."""
    value = row.value
    median, lower, upper = (f"{number:.3g}" for number in (value.median, value.lower, value.upper))
    return f"{median} ({lower} to {upper}) {row.unit}"


def goal_text(row: Row) -> str:
    """Return the goal and whether it is met."""
    if row.goal is None:
        return NOTHING
    bound = "at most" if row.better == "lower" else "at least"
    return f"{bound} {row.goal:.4g}: {'met' if row.met else 'missed'}"


def since(row: Row, before: dict[str, Any] | None) -> str:
    """Return the change since the earlier run, marked where it is one for the worse."""
    if before is None:
        return NOTHING
    mark = " SLOWER" if is_slower(row, before) else ""
    return f"{change(row, before):+.0%}{mark}"


def verdict(rows: Sequence[Row], before: Earlier) -> list[str]:
    """Return sentences: how many goals are met, which are missed, what became slower."""
    judged = [row for row in rows if row.met is not None]
    met = sum(bool(row.met) for row in judged)
    lines = [f"Goals met: {met} of {len(judged)}."] if judged else []
    lines += [f"Missed: {row.name}, {value_text(row)}." for row in judged if not row.met]
    known = [(row, before[row.group, row.name]) for row in rows if (row.group, row.name) in before]
    if not known:
        return [*lines, "There is no earlier run on this hardware to compare with."]
    runs = sorted({f"{former['date']} ({former['commit']})" for _, former in known})
    lines.append(f"Compared with {', '.join(runs)}.")
    slower = [(row, former) for row, former in known if is_slower(row, former)]
    lines += [f"Slower: {row.name}, {change(row, former):+.0%}." for row, former in slower]
    return lines if slower else [*lines, "Nothing became slower."]
