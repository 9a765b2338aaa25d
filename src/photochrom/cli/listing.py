"""The table of all models there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from photochrom.colorizer.catalog import Entry, Origin, find, shipped, trained, unusable
from photochrom.colorizer.stored import ColorizerError
from photochrom.measures import MEASURES, Measure
from photochrom.progress import say

Answer = Literal["distribution", "colors", ""]
HEADLINE = ("auc_rebalanced", "colorfulness")
SHOWN = tuple(measure for measure in MEASURES if measure.key in HEADLINE)
PLAIN_WIDTH = 200
"""Columns of text where the output is no terminal: wide enough that no line is broken."""


@dataclass(frozen=True)
class Row:
    """A model in the list.

    Attributes
    ----------
    name : under which it is found.
    origin : trained here, shipped or registered.
    aliases : of a registered one.
    network : its kind.
    answer : whether it predicts a distribution over colors, or colors.
    size : the working size in pixels; None where it is not known.
    parameters : how many there are.
    measures : by the keys of metrics.json, as far as they are current.
    default : whether it is used when none is named.
    problem : why it cannot be used, a sentence; empty where it can.
    """

    name: str
    origin: Origin
    aliases: tuple[str, ...] = ()
    network: str = ""
    answer: Answer = ""
    size: int | None = None
    parameters: int | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    default: bool = False
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; what is not known is null."""
        return {
            "name": self.name,
            "origin": self.origin,
            "aliases": list(self.aliases),
            "network": self.network or None,
            "answer": self.answer or None,
            "size": self.size,
            "parameters": self.parameters,
            "measures": dict(self.measures),
            "default": self.default,
            "problem": self.problem or None,
        }


def listing(root: Path = Path()) -> list[Row]:
    """Return all models: trained in the project, shipped, registered, and those that are broken."""
    here, packaged = trained(root), shipped()
    try:
        default = find(None, root)
    except ColorizerError:
        default = None
    measures = _measures(root, [entry.name for entry in here])
    rows = [
        _row(entry, measures.get(entry.name, {}), _is(entry, default))
        for entry in (*here, *packaged)
    ]
    rows += _registered(root)
    return rows + [Row(broken.name, broken.origin, problem=broken.why) for broken in unusable(root)]


def print_table(rows: Sequence[Row]) -> None:
    """Print the list for people: a table, and below it what cannot be used."""
    sound = [row for row in rows if not row.problem]
    if not rows:
        print("There is no model: train one with `dvc repro`.")
    if sound:
        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=PLAIN_WIDTH)
        console.print(_table(sound))
    for row in rows:
        if row.problem:
            print(f"{row.name} cannot be used. {row.problem}")
    if any(row.default for row in sound):
        print("* is used when no --model is named. `photochrom info NAME` tells more.")


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("", "Model", "Origin", "Network", "Answer"):
        table.add_column(heading, overflow="fold")
    for heading in ("Size", "Parameters", *(f"{m.title} {m.unit}".strip() for m in SHOWN)):
        table.add_column(heading, justify="right")
    for row in rows:
        name = f"{row.name} ({', '.join(row.aliases)})" if row.aliases else row.name
        cells = ["*" if row.default else "", name, row.origin, row.network, row.answer]
        cells += [f"{row.size} px" if row.size else "", _number(row.parameters)]
        cells += [_measure(measure, row.measures) for measure in SHOWN]
        # What a folder is called is no markup.
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _row(entry: Entry, measures: Mapping[str, float], default: bool) -> Row:
    config = entry.config
    return Row(
        name=entry.name,
        origin=entry.origin,
        network=config.network.kind,
        answer="distribution" if entry.classifies else "colors",
        size=config.image_size,
        parameters=config.parameters,
        measures=measures,
        default=default,
    )


def _is(entry: Entry, default: Entry | None) -> bool:
    return default is not None and entry.folder == default.folder


def _measures(root: Path, names: Sequence[str]) -> dict[str, dict[str, float]]:
    if not names:
        return {}
    from photochrom.tracking.champion import measured

    known = {measure.key for measure in MEASURES}
    return {
        name: {key: value for key, value in metrics.items() if key in known}
        for name, metrics in measured(root, tuple(names)).items()
    }


def _registered(root: Path) -> list[Row]:
    """Return what MLflow's registry holds, as far as there is one; a dead one is told of."""
    from photochrom.tracking.registered import RegistryError, Version, has_store, versions

    def row(version: Version) -> Row:
        size, parameters = version.params.get("image.size", ""), version.measures.get("parameters")
        classifies = version.params.get("objective.kind") == "classification"
        return Row(
            name=version.address,
            origin="registered",
            aliases=version.aliases,
            network=version.params.get("network.kind", ""),
            answer="distribution" if classifies else "colors",
            size=int(size) if size.isdecimal() else None,
            parameters=None if parameters is None else int(parameters),
            measures=version.measures,
        )

    try:
        return [row(version) for version in versions(root)] if has_store(root) else []
    except RegistryError as error:
        say(f"What is registered is left out. {error}")
        return []


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _measure(measure: Measure, measures: Mapping[str, float]) -> str:
    value = measures.get(measure.key)
    return "" if value is None else f"{value:,.{measure.digits}f}"
