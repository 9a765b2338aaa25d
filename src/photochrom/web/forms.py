"""The fields that are sent with a photograph."""

from abc import abstractmethod
from typing import Annotated, Any, Literal, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from photochrom.colorizer.options import (
    HIGHEST_TEMPERATURE,
    LARGEST,
    LOWEST_TEMPERATURE,
    MOST_SATURATION,
    MOST_VARIANTS,
    SMALLEST,
    Options,
    Upsampling,
)
from photochrom.web.filenames import shown
from photochrom.web.jobs import Job, RefusedError

PHOTOGRAPH = "photograph"
"""The field that holds the file."""
FORM = "multipart/form-data"
READ = "The file: JPEG, PNG, TIFF, WebP, AVIF, BMP, GIF, JPEG 2000 or PPM, gray or color."


def _within(low: float, high: float) -> dict[str, Any]:
    """Describe a range that :class:`Options` checks, whose sentence says more than pydantic's."""
    return {"minimum": low, "maximum": high}


class Fields(BaseModel):
    """What goes with every photograph."""

    model: Annotated[
        str | None, Field(description="One of those at /models; the first by default.")
    ] = None
    size: Annotated[
        int | None,
        Field(
            description="Working size: the shorter side, in pixels, at which the model sees the "
            "photograph; its own by default. The answer always has the photograph's size.",
            json_schema_extra=_within(SMALLEST, LARGEST),
        ),
    ] = None
    temperature: Annotated[
        float | None,
        Field(
            description="Low is bold, high is cautious; only for models that have one.",
            json_schema_extra=_within(LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE),
        ),
    ] = None
    saturation: Annotated[
        float,
        Field(
            description="Factor on the colors; 0 is gray.",
            json_schema_extra=_within(0.0, MOST_SATURATION),
        ),
    ] = 1.0
    upsampling: Annotated[
        Upsampling, Field(description="How the colors come to the photograph's size.")
    ] = "bicubic"

    def options(self) -> Options:
        """Return how to color.

        Raises
        ------
        OptionError
            When a value is out of its range.
        """
        return Options(self.size, self.temperature, self.saturation, self.upsampling)

    @abstractmethod
    def job(self, model: str) -> Job:
        """Return what the worker is to do with the model called ``model``."""


class ColorizeFields(Fields):
    """What goes with a photograph that is to be colored once."""

    variant: Annotated[
        int,
        Field(
            ge=1,
            le=MOST_VARIANTS,
            description="Which of the plausible colorings, the likeliest first.",
        ),
    ] = 1
    format: Annotated[
        Literal["png", "jpeg", "tiff", "webp"] | None,
        Field(description="Of the answer; the photograph's own by default, png if that is none."),
    ] = None

    def job(self, model: str) -> Job:
        """Return what the worker is to do with the model called ``model``."""
        form = self.format.upper() if self.format else None
        return Job(model, self.options(), form, self.variant)


class VariantsFields(Fields):
    """What goes with a photograph that is to be colored in several ways."""

    variants: Annotated[
        int, Field(ge=1, le=MOST_VARIANTS, description="How many colorings to give at most.")
    ] = 4

    def job(self, model: str) -> Job:
        """Return what the worker is to do with the model called ``model``."""
        return Job(model, self.options(), variants=self.variants)


FieldsOf = TypeVar("FieldsOf", bound=Fields)


def checked(kind: type[FieldsOf], values: dict[str, str]) -> FieldsOf:
    """Read the fields as they were sent; empty ones count as left out.

    Raises
    ------
    RefusedError
        When one is unknown.
    RequestValidationError
        When one cannot be used.
    """
    for name in values.keys() - kind.model_fields:
        names = ", ".join((PHOTOGRAPH, *kind.model_fields))
        raise RefusedError(422, f"There is no field {shown(name)}: there are {names}.")
    try:
        return kind.model_validate({name: value for name, value in values.items() if value})
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(found) from None


def described(kind: type[Fields]) -> dict[str, Any]:
    """Return the OpenAPI description of a request whose form has the fields of ``kind``."""
    schema = kind.model_json_schema()
    photograph = {"type": "string", "format": "binary", "description": READ}
    schema["properties"] = {PHOTOGRAPH: photograph, **schema["properties"]}
    schema["required"] = [PHOTOGRAPH]
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}
