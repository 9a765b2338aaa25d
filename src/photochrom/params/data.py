"""The sections that make the data: ``data``, ``filter``, ``lab`` and ``prior``."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from photochrom.params.base import Section

Source = Literal[
    "samples", "folder", "archive", "cifar10", "imagenette", "places365", "coco", "imagenet"
]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


def _hexadecimal(value: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError("a SHA-256 is 64 digits of 0-9 and a-f, as sha256sum prints it")
    return value


Sha256 = Annotated[str, AfterValidator(_hexadecimal)]


class DataParams(Section):
    """Where the photographs come from (stage ``download``)."""

    source: Source
    """Which source of photographs to read."""
    path: str | None
    """The folder of ``folder`` and ``imagenet``; for the other sets, where their archives lie."""
    url: str | None
    """The archive of ``archive``: http(s):// or file://, ZIP or tar."""
    sha256: Sha256 | None
    """The archive's checksum; refused when it differs. Null trusts what comes."""
    limit: PositiveInt | None
    """Take this many photographs, a seeded sample; null takes all."""
    seed: Seed
    """Seed of the sample."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.source == "archive" and not self.url:
            raise ValueError("source archive needs data.url, an http(s):// or file:// address")
        if self.source in ("folder", "imagenet") and not self.path:
            raise ValueError(f"source {self.source} needs data.path, the folder to read")
        return self


class SplitParams(Section):
    """How photographs are divided, by a hash of their group's name."""

    own: bool
    """Keep the split folders that the set itself comes with (train, val, test)."""
    validation: Fraction
    """Share of the groups that choose checkpoints."""
    test: Fraction
    """Share of the groups that are measured at the end. Unused where the set has its own."""
    seed: Seed
    """Another seed gives another division."""

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if self.validation + self.test >= 1.0:
            raise ValueError("validation + test must stay below 1 to leave photographs to train on")
        return self


class FilterParams(Section):
    """Which photographs are kept (stage ``filter``)."""

    min_colorfulness: Annotated[float, Field(ge=0.0, le=200.0)] | None
    """Least colorfulness (Hasler and Suesstrunk 2003, signed variant; 15 is slightly colorful);
    null keeps even photographs without any color."""
    min_side: PositiveInt
    """Least shorter side in pixels."""
    max_megapixels: Annotated[float, Field(gt=0.0, le=10_000.0)]
    """Larger pictures are refused unread: a guard against decompression bombs."""
    near_duplicate_bits: Annotated[int, Field(ge=0, le=3)] | None
    """Photographs whose 64-bit difference hashes differ in at most so many bits count as one."""
    split: SplitParams


class TileParams(Section):
    """How many random square tiles of each photograph, and how large."""

    train: PositiveInt
    """Tiles of each training photograph, at most."""
    held_out: PositiveInt
    """Tiles of each validation and test photograph, at most."""
    min_scale: Annotated[float, Field(gt=0.0, le=1.0)]
    """Smallest tile, as a share of the photograph's shorter side; the largest is the whole side."""


class LabParams(Section):
    """How photographs become Lab arrays (stage ``lab``)."""

    size: Annotated[int, Field(ge=8, le=4096)]
    """Side of the stored squares in pixels."""
    fit: Literal["resize", "crop", "tiles"]
    """``resize`` squashes to a square, ``crop`` takes the centre, ``tiles`` many random squares."""
    tiles: TileParams
    """Read where ``fit`` is ``tiles``."""
    seed: Seed
    """Seed of the tiles."""


class PriorParams(Section):
    """The distribution of colors in the training photographs (stage ``prior``)."""

    neighbours: Annotated[int, Field(ge=1, le=32)]
    """Bins that share a pixel (k of Zhang et al. 2016)."""
    sigma: Annotated[float, Field(gt=0.0, le=100.0)]
    """Width of their Gaussian weights, in ab units."""
    smoothing: Annotated[float, Field(ge=0.0, le=100.0)]
    """Width of a Gaussian over the ab plane that smooths the prior; 0 leaves it."""
    pseudo_photographs: Annotated[float, Field(ge=0.0)]
    """So many photographs of evenly spread color are counted in beside the real ones (Laplace's
    rule): the colors that few photographs lack by chance must not count for infinitely rare."""
    mix: Fraction
    """Lambda of the rebalancing weights: 0 is 1 / prior, 1 is no rebalancing."""
