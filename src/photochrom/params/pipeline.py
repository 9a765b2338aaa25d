"""The whole of params.yaml, read and checked before any work begins."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, ValidationError, field_validator, model_validator

from photochrom.measures import MEASURES
from photochrom.params.base import ParamsError, Section, explain
from photochrom.params.data import DataParams, FilterParams, LabParams, PriorParams, Seed
from photochrom.params.models import ModelParams
from photochrom.params.study import GOLD, StudyParams
from photochrom.params.text import parse_yaml, read_text

MODEL_NAME = re.compile(r"[a-z][a-z0-9_]*")
# What a ResNet cut after its 6th child and the VGG-style network divide the side by.
STRIDE = 8
AUTOENCODER_STRIDE = 16
# The VGG-style network answers at a quarter of the side, and there its colors are judged.
VGG_SHRINKS = 4
# A patch discriminator ends with two 4 x 4 convolutions that each take one pixel; the other one
# with a 4 x 4 convolution without a margin.
SMALLEST_MAP = {"patchgan": 3, "dcgan": 4}
BASELINES = ("gray", "mean_color", "random_photograph", "truth")


class TrainParams(Section):
    """What all trainings share (stage ``train@``)."""

    seed: Seed
    """Seed of weights, order and augmentation."""
    preview: PositiveInt
    """Validation photographs on the sheet that each epoch draws."""


class EvaluateParams(Section):
    """How models are measured (stages ``baselines`` and ``evaluate@``)."""

    accuracy_threshold: Annotated[float, Field(gt=0.0, le=1.0)]
    """A pixel counts as right when each of R, G, B is within this share of 255."""
    pictures: PositiveInt
    """Test photographs whose colorizations are kept for the report."""
    failures: PositiveInt
    """Photographs on each sheet of the worst and of the best."""
    resamples: Annotated[int, Field(ge=100)]
    """Draws of the bootstrap from which every 95 % interval comes."""
    seed: Seed
    """Seed of those draws, and of the baseline that borrows a random photograph's colors."""


class ReportParams(Section):
    """How the report looks (stage ``report``)."""

    title: str
    pictures: PositiveInt
    """Test photographs on the comparison sheet."""


class ChampionParams(Section):
    """Which model MLflow's alias `champion` points to."""

    measure: str
    """A key of the comparison."""
    direction: Literal["higher", "lower", "closest to 0"]
    """Which values of it are better."""

    @field_validator("measure")
    @classmethod
    def _known(cls, measure: str) -> str:
        known = [known.key for known in MEASURES]
        if measure not in known:
            raise ValueError(f"{measure} is no measure; there are {', '.join(known)}")
        return measure

    @model_validator(mode="after")
    def _crowns_the_best(self) -> Self:
        (better,) = (known.better for known in MEASURES if known.key == self.measure)
        if better not in ("none", self.direction):
            raise ValueError(f"direction: of {self.measure} {better} is better")
        return self


class TrackingParams(Section):
    """Where MLflow files the runs. Changing it reruns nothing."""

    experiment: Annotated[str, Field(min_length=1)]
    registered: Annotated[str, Field(pattern=r"^[\w .-]+$")]
    """The name under which trained models are registered."""
    champion: ChampionParams


class Params(Section):
    """params.yaml."""

    data: DataParams
    filter: FilterParams
    lab: LabParams
    prior: PriorParams
    train: TrainParams
    models: Annotated[dict[str, ModelParams], Field(min_length=1)]
    evaluate: EvaluateParams
    study: StudyParams
    report: ReportParams
    tracking: TrackingParams

    @model_validator(mode="after")
    def _models_fit_data(self) -> Self:
        for name, model in self.models.items():
            if fault := _name_fault(name) or _size_fault(name, model, self.lab.size):
                raise ValueError(f"models.{fault}")
        return self

    @model_validator(mode="after")
    def _judged_models_exist(self) -> Self:
        for name in self.study.models or ():
            if name not in self.models:
                raise ValueError(f"study.models: there is no model {name} under models")
        return self


def load_params(path: Path = Path("params.yaml")) -> Params:
    """Read and check params.yaml.

    Raises
    ------
    ParamsError
        In one line, for a file that is missing, not YAML, or holds a wrong key or value.
    """
    return check_params(read_text(path), path.name)


def check_params(text: str, name: str = "params.yaml") -> Params:
    """Check the text of params.yaml; ``name`` is what messages call it.

    Raises
    ------
    ParamsError
        In one line, for text that is not YAML, or holds a wrong key or value.
    """
    values = parse_yaml(text, name)
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise ParamsError(f"{name}: {explain(error, Params)}") from None


def _name_fault(name: str) -> str | None:
    if not MODEL_NAME.fullmatch(name):
        return f"{name}: a model's name is made of a-z, 0-9 and _, and starts with a letter"
    if name in BASELINES:
        return f"{name}: this name belongs to a baseline ({', '.join(BASELINES)}); choose another"
    if name == GOLD:
        return f"{name}: this name belongs to the obvious fakes of the human study; choose another"
    return None


def _size_fault(name: str, model: ModelParams, stored: int) -> str | None:
    size = model.image.size or stored
    if size > stored:
        return f"{name}.image.size: {size} is more than what is stored, lab.size {stored}"
    side = model.image.crop or size
    if side > size:
        return f"{name}.image.crop: {side} is more than the photographs' side, {size}"
    return _network_fault(name, model, side) or _discriminator_fault(name, model, side)


def _network_fault(name: str, model: ModelParams, side: int) -> str | None:
    network = model.network
    levels: int = getattr(network, "levels", 0)
    if levels and side % 2**levels:
        fitting = (side & -side).bit_length() - 1
        return (
            f"{name}.network.levels: {levels} halvings need a side that is a multiple of "
            f"{2**levels}; photographs of side {side} take at most {fitting}"
        )
    if network.kind == "residual" and side == 2**levels and model.batch_size == 1:
        return (
            f"{name}.batch_size: 1 is too few for network residual with {levels} levels on "
            f"photographs of side {side}, whose innermost norm then sees a single value; use 2 "
            "or more, or fewer levels"
        )
    stride = AUTOENCODER_STRIDE if network.kind == "autoencoder" else STRIDE
    if not levels and side % stride:
        return (
            f"{name}.image: network {network.kind} needs photographs whose side is a multiple of "
            f"{stride}, not {side}; change lab.size, image.size or image.crop"
        )
    return None


def _discriminator_fault(name: str, model: ModelParams, side: int) -> str | None:
    if model.objective.kind != "adversarial":
        return None
    discriminator = model.objective.discriminator
    judged = side // VGG_SHRINKS if model.network.kind == "vgg" else side
    most = 0
    while judged >> (most + 1) >= SMALLEST_MAP[discriminator.kind]:
        most += 1
    if discriminator.layers > most:
        return (
            f"{name}.objective.discriminator.layers: {discriminator.layers} halvings leave too "
            f"little of colors of side {judged}; they take at most {most}"
        )
    return None
