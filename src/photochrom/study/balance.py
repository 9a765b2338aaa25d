"""Dealing things out evenly: names, pairs, sides and photographs.

All of it is fair at any point, not only at the end: a study stops when people stop coming.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment

T = TypeVar("T")
Slot = tuple[str, tuple[str, ...]]
"""A trial that has no photograph yet: its protocol and the names that it judges."""
WEIGHT = 2.0
"""How much more it counts that photographs are even in a protocol than for a name within it."""


def deal(items: Sequence[T], rng: np.random.Generator) -> Iterator[T]:
    """Yield the items without end: each once, then each once again in a new order, and so on."""
    while items:
        yield from [items[place] for place in rng.permutation(len(items))]


def deal_pairs(names: Sequence[str], rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Yield ordered pairs of different names without end; none where there is but one name.

    Every pair comes once before any comes again, and then the other way round. At any point no
    name has taken part twice more than another, nor stood first over twice more than second.
    """
    while len(names) > 1:
        drawn = [names[place] for place in rng.permutation(len(names))]
        pairs = [(drawn[first], drawn[second]) for first, second in tournament(len(names))]
        yield from pairs
        yield from [(second, first) for first, second in pairs]


def tournament(count: int) -> list[tuple[int, int]]:
    """Return all pairs of 0 .. count - 1, ordered and turned so that all take part evenly.

    At any point none has been in two pairs more than another, nor twice more often first than
    second. The pairs are those of Hamiltonian cycles, each walked in one direction: every other
    edge, then the rest. An odd number has Walecki's cycles; an even one those that two perfect
    matchings of the circle method make, and one matching that is left.
    """
    ring = count - 1
    step, turns = (1, range(ring // 2)) if count % 2 else (2, range(0, ring, 2))
    pairs: list[tuple[int, int]] = []
    for turn in turns:
        cycle = [ring, *((turn + step * _zigzag(k)) % ring for k in range(ring))]
        edges = list(zip(cycle, [*cycle[1:], ring], strict=True))
        pairs += edges[::2] + edges[1::2]
    return pairs[: count * ring // 2]


def _zigzag(k: int) -> int:
    """Return 0, 1, -1, 2, -2 and so on."""
    return (k + 1) // 2 * (1 if k % 2 else -1)


class PhotographSpread:
    """Gives the trials of one session after another their photographs.

    Within a protocol each photograph is shown about as often as any other, and so is each
    photograph with each name. Each session takes the most even choice that is left (an assignment
    problem); the counts then differ by 1, at times by 2.
    """

    def __init__(self, photographs: int, rng: np.random.Generator) -> None:
        self._photographs, self._rng = photographs, rng
        self._shown: dict[str, np.ndarray] = defaultdict(self._zeros)
        self._with: dict[tuple[str, str], np.ndarray] = defaultdict(self._zeros)

    def assign(self, slots: Sequence[Slot]) -> list[int]:
        """Return a different photograph for each slot, at most as many as there are."""
        if not slots:
            return []
        costs = [WEIGHT * self._shown[slot[0]] + self._seen_with(slot) for slot in slots]
        # Of equally even choices a random one; all ties together weigh less than any difference.
        ties = self._rng.random((len(slots), self._photographs)) / (4 * len(slots))
        _, chosen = linear_sum_assignment(np.reshape(costs, ties.shape) + ties)
        for (protocol, names), photograph in zip(slots, chosen, strict=True):
            self._shown[protocol][photograph] += 1
            for name in names:
                self._with[protocol, name][photograph] += 1
        return [int(photograph) for photograph in chosen]

    def _zeros(self) -> np.ndarray:
        return np.zeros(self._photographs)

    def _seen_with(self, slot: Slot) -> np.ndarray:
        protocol, names = slot
        mean: np.ndarray = np.mean([self._with[protocol, name] for name in names], axis=0)
        return mean
