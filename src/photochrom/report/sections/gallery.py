"""The test photographs, by each colorizer."""

from dataclasses import dataclass
from pathlib import Path

from photochrom.report.collect import Results


@dataclass(frozen=True)
class Tile:
    """A rendering of a test picture; ``name`` is that of the row."""

    name: str
    title: str
    path: Path


@dataclass(frozen=True)
class Strip:
    """The renderings of one test picture: gray, each model, the truth."""

    id: str
    tiles: tuple[Tile, ...]


def strips(results: Results) -> tuple[Strip, ...]:
    """Return the photographs in their order."""
    rows = results.shown
    return tuple(
        Strip(
            photograph.id,
            tuple(Tile(row.name, row.title, photograph.pictures[row.name]) for row in rows),
        )
        for photograph in results.photographs
    )
