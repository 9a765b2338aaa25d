"""Which photographs train, choose and measure: by a set's own splits, or by a hash."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from photochrom.params.data import SplitParams

SPLITS = ("train", "validation", "test")


def split_of(group: str, params: SplitParams) -> str:
    """Return the split of a group: train, validation or test, by a hash of its name."""
    digest = hashlib.sha256(f"{params.seed}:{group}".encode()).digest()
    share = int.from_bytes(digest[:8]) / 2**64
    if share < params.test:
        return "test"
    return "validation" if share < params.test + params.validation else "train"


@dataclass(frozen=True)
class Division:
    """How the photographs of a set are divided.

    Attributes
    ----------
    params : the shares of those that are drawn.
    own : the split that stands for each of the set's own ones, where that counts.
    rest : the split of all others; None draws each one's by its group.
    """

    params: SplitParams
    own: Mapping[str, str] = field(default_factory=dict)
    rest: str | None = None

    def splits(self, groups: pa.Array, own: pa.Array) -> list[str]:
        """Return the split of each photograph by its group and its own split (None for none)."""
        if self.rest is not None:
            return [self.own.get(name, self.rest) for name in own.to_pylist()]
        coded = groups.dictionary_encode()
        drawn = [split_of(group, self.params) for group in coded.dictionary.to_pylist()]
        pairs = zip(own.to_pylist(), coded.indices.to_pylist(), strict=True)
        return [self.own.get(name) or drawn[code] for name, code in pairs]


def division(own: Collection[str], params: SplitParams) -> Division:
    """Decide how a set is divided.

    A set with its own test photographs lends training photographs for validation, and one with
    training and validation folders only is measured on the latter.

    Parameters
    ----------
    own : which splits the set has of its own.
    """
    if not params.own or not {"validation", "test"} & set(own):
        return Division(params)
    if {"validation", "test"} <= set(own):
        return Division(params, {name: name for name in SPLITS}, "train")
    measured = "test" if "test" in own else "validation"
    return Division(params.model_copy(update={"test": 0.0}), {measured: "test"})
