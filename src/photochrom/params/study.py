"""How people judge colorizations, and whose votes count."""

from typing import Annotated, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from photochrom.params.base import Section
from photochrom.params.data import Seed

GOLD = "gold"
"""The name of a constructed fake, which anyone who looks can tell; gold@90 is another."""
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class TrialsParams(Section):
    """How many trials of each protocol a person does; 0 leaves a protocol out."""

    real_or_fake: NonNegativeInt
    """A photograph and its colorization, one after the other: which has the fake colors?"""
    naturalness: NonNegativeInt
    """One picture: are its colors natural, and how natural from 1 to 5?"""
    pick_real: NonNegativeInt
    """The photograph among all its colorizations: which one is real?"""
    preference: NonNegativeInt
    """Two colorizations side by side: which looks better?"""

    @model_validator(mode="after")
    def _any(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("at least one protocol needs trials")
        return self


class ExcludeParams(Section):
    """Whose votes do not count. Fixed before any vote is seen."""

    gold: Share
    """Least share of right answers to the trials whose answer is obvious."""
    fastest: NonNegativeInt
    """Least median time to answer, in milliseconds."""
    finished: Share
    """Least share of the trials that was answered."""


class StudyParams(Section):
    """The human study (`photochrom study`, stage `study`)."""

    trials: TrialsParams
    practice: NonNegativeInt
    """Trials with feedback before each protocol; they do not count."""
    gold: NonNegativeInt
    """Trials per protocol but preference whose answer is obvious, to know who pays attention."""
    sessions: PositiveInt
    """People to prepare for."""
    exposure: Annotated[int, Field(ge=100, le=60_000)]
    """How long each picture of a pair is shown, in milliseconds."""
    models: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] | None
    """The models to judge; null takes all."""
    exclude: ExcludeParams
    resamples: Annotated[int, Field(ge=100)]
    """Draws of the bootstrap over people and photographs."""
    seed: Seed
    """Seed of trials and draws."""
