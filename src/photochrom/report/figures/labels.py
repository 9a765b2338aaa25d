"""Names beside the points of a plot, kept apart from one another, from points and from lines."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

CHARACTER, LINE = 4.7, 10.0
"""Size of a character in points at font size 8, as wide as browsers draw it."""
MARKER, GAP = 5.0, 3.0
DIRECTIONS = tuple(math.tau * turn / 16 for turn in (0, 8, 4, 12, 2, 6, 14, 10, 1, 7, 15, 9))
FARTHEST = 160
Spot = tuple[float, float]


class Box(NamedTuple):
    """A rectangle on the figure, in points."""

    left: float
    low: float
    right: float
    high: float

    def meets(self, other: "Box") -> bool:
        """Return whether two rectangles share more than an edge."""
        across = self.left < other.right and other.left < self.right
        return across and self.low < other.high and other.low < self.high

    def holds(self, other: "Box") -> bool:
        """Return whether the other lies within."""
        across = self.left <= other.left and other.right <= self.right
        return across and self.low <= other.low and other.high <= self.high


class Place(NamedTuple):
    """Where a name stands: its rectangle, and how far that is from its point."""

    box: Box
    distance: int


def label(axes: Axes, points: Sequence[tuple[str, float, float]], color: str) -> None:
    """Write a name beside each point (name, x, y), with a line to it where it is not near.

    The figure must have been laid out, at 72 dots an inch. Lines across the whole plot are kept
    free; where there is no room at all, a name lies where it would without the others.
    """
    frame = Box(*axes.get_window_extent().extents)
    spots = {name: _pair(axes.transData.transform((x, y))) for name, x, y in points}
    taken = [_around(*spot, MARKER) for spot in spots.values()] + _lines(axes, frame)
    for name in sorted(spots, key=lambda name: -_crowd(name, spots)):
        place = _free(spots[name], CHARACTER * len(name), frame, taken)
        leader = place.distance > GAP
        taken += [place.box, *(_leader(spots[name], place.box) if leader else [])]
        _write(axes, name, spots[name], place.box, color if leader else None)


def _free(spot: Spot, width: float, frame: Box, taken: Sequence[Box]) -> Place:
    """Return the nearest place where a name and the line to it cover nothing."""
    places = _places(spot, width)
    nearest = next(places)
    for place in (nearest, *places):
        track = _leader(spot, place.box)[3:] if place.distance > GAP else []
        if frame.holds(place.box) and not any(
            part.meets(other) for part in (place.box, *track) for other in taken
        ):
            return place
    return nearest


def _places(spot: Spot, width: float) -> Iterator[Place]:
    for distance in range(0, FARTHEST, 3):
        for angle in DIRECTIONS:
            x = spot[0] + math.cos(angle) * (width / 2 + MARKER + GAP + distance)
            y = spot[1] + math.sin(angle) * (LINE / 2 + MARKER + distance)
            half = width / 2, LINE / 2
            yield Place(Box(x - half[0], y - half[1], x + half[0], y + half[1]), distance)


def _leader(spot: Spot, box: Box) -> list[Box]:
    """Return the line from a point to a name as small rectangles."""
    end = _nearest(spot, box)
    steps = max(2, round(math.dist(spot, end) / 3))
    shares = [step / steps for step in range(steps)]
    return [
        _around(spot[0] + share * (end[0] - spot[0]), spot[1] + share * (end[1] - spot[1]), 0.5)
        for share in shares
    ]


def _nearest(spot: Spot, box: Box) -> Spot:
    return (
        min(max(spot[0], box.left), box.right),
        min(max(spot[1], box.low), box.high),
    )


def _lines(axes: Axes, frame: Box) -> list[Box]:
    """Return the rectangles of texts and of lines that go across the whole plot."""
    texts = [Box(*text.get_window_extent().extents) for text in axes.texts]
    ends = [line.get_transform().transform(line.get_xydata()) for line in axes.lines]
    whole = [Box(*e.min(0), *e.max(0)) for e in ends if len(e) == 2]
    return texts + whole


def _crowd(name: str, spots: dict[str, Spot]) -> float:
    """Return how closely the others stand: the crowded choose first."""
    others = (math.dist(spots[name], spot) for other, spot in spots.items() if other != name)
    return sum(1 / (10 + distance) for distance in others)


def _around(x: float, y: float, reach: float) -> Box:
    return Box(x - reach, y - reach, x + reach, y + reach)


def _pair(numbers: np.ndarray) -> Spot:
    return float(numbers[0]), float(numbers[1])


def _write(axes: Axes, name: str, spot: Spot, box: Box, leader: str | None) -> None:
    axes.annotate(
        name,
        _pair(axes.transData.inverted().transform(spot)),
        ((box.left + box.right) / 2 - spot[0], (box.low + box.high) / 2 - spot[1]),
        textcoords="offset points",
        ha="center",
        va="center",
    )
    if leader:
        ends = axes.transData.inverted().transform([spot, _nearest(spot, box)])
        axes.plot(*ends.T, color=leader, lw=0.5, zorder=1)
