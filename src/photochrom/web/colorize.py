"""Coloring over HTTP: the page, the models, and photographs in and out.

Photographs wait on disk, in files without a name, and are worked on one at a time in another
process. Nothing is left of them when the answer has gone out, or failed.
"""

from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from photochrom.colorizer.options import (
    HIGHEST_TEMPERATURE,
    LARGEST,
    LOWEST_TEMPERATURE,
    MOST_SATURATION,
    MOST_VARIANTS,
    SMALLEST,
)
from photochrom.web.answers import FileAnswer
from photochrom.web.coloring import Coloring
from photochrom.web.files import add_page
from photochrom.web.forms import ColorizeFields, Fields, VariantsFields, checked, described
from photochrom.web.guard import same_origin
from photochrom.web.jobs import FORMS, Job, RefusedError
from photochrom.web.uploads import received


class ModelShown(BaseModel):
    """A model to color with."""

    name: str
    origin: str = Field(description="trained, shipped or registered")
    study: str = Field(description="What it was trained for, in a sentence.")
    parameters: int | None
    size: int = Field(description="Its working size in pixels.")
    temperature: float | None = Field(
        description="Its own; null where it predicts no distribution: then it takes none, and "
        "gives one coloring only."
    )
    default: bool


class LimitsShown(BaseModel):
    """What can be sent."""

    megabytes: float = Field(description="Of a request.")
    megapixels: float = Field(description="Of a photograph.")
    seconds: float = Field(description="Of work on a photograph.")
    variants: int
    saturation: float
    temperature: tuple[float, float]
    size: tuple[int, int]


class Models(BaseModel):
    """The models, the default first, and the limits."""

    models: list[ModelShown]
    limits: LimitsShown


class VariantShown(BaseModel):
    """One of the plausible colorings."""

    variant: int = Field(description="To be asked for at /colorize.")
    share: float = Field(description="How plausible it is beside the others, 0..1.")
    type: str = Field(description="image/jpeg")
    picture: str = Field(description="The picture's bytes in Base64.")


class Variants(BaseModel):
    """The plausible colorings, the likeliest first."""

    model: str
    variants: list[VariantShown]


class Refusal(BaseModel):
    """Why there is no answer."""

    detail: str = Field(description="A sentence.")


REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": why}
    for status, why in {
        400: "The request cannot be read.",
        403: "A page of another site sent it.",
        404: "There is no such model.",
        408: "The upload came too slowly.",
        413: "It is too large, in bytes or in pixels.",
        415: "It is no photograph that can be read.",
        422: "An option cannot be used.",
        500: "The server broke down over this photograph.",
        503: "Too many wait already, or there is no model now.",
        504: "It took too long.",
    }.items()
}
HEADERS = {
    "Content-Disposition": "The name of the file to save it as.",
    "X-Photochrom-Model": "Which model colored it.",
    "X-Photochrom-Milliseconds": "How long that took, waiting excluded.",
    "X-Photochrom-Notes": "What was not taken over, where there is such.",
}
PICTURE: dict[str, Any] = {
    "description": "The colored photograph, of the same size.",
    "content": {
        media: {"schema": {"type": "string", "format": "binary"}} for media, _ in FORMS.values()
    },
    "headers": {
        name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()
    },
}
VARIANTS: dict[str, Any] = {"model": Variants, "description": "The colorings as JPEGs."}


def colorize_router(coloring: Coloring) -> APIRouter:
    """Return the page and the routes that color photographs with ``coloring``."""
    router = APIRouter()
    add_page(router, "colorizing", "colorize.html", "/")
    _add_models(router, coloring)
    _add_colorize(router, coloring)
    _add_variants(router, coloring)
    return router


def _add_models(router: APIRouter, coloring: Coloring) -> None:
    @router.get("/models", responses={503: REFUSALS[503]})
    async def models() -> Models:
        """Which models there are, and what can be sent."""
        found = await coloring.models()
        shown = [ModelShown(**asdict(model), default=model is found[0]) for model in found]
        limits = coloring.limits
        return Models(
            models=shown,
            limits=LimitsShown(
                megabytes=limits.megabytes,
                megapixels=limits.megapixels,
                seconds=limits.seconds,
                variants=MOST_VARIANTS,
                saturation=MOST_SATURATION,
                temperature=(LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE),
                size=(SMALLEST, LARGEST),
            ),
        )


def _add_colorize(router: APIRouter, coloring: Coloring) -> None:
    @router.post(
        "/colorize",
        dependencies=[Depends(same_origin)],
        response_class=Response,
        responses={200: PICTURE, **REFUSALS},
        openapi_extra=described(ColorizeFields),
    )
    async def colorize(request: Request) -> Response:
        """Color a photograph."""
        return await _answered(request, coloring, ColorizeFields)


def _add_variants(router: APIRouter, coloring: Coloring) -> None:
    @router.post(
        "/variants",
        dependencies=[Depends(same_origin)],
        response_class=Response,
        responses={200: VARIANTS, **REFUSALS},
        openapi_extra=described(VariantsFields),
    )
    async def variants(request: Request) -> Response:
        """Color a photograph in several plausible ways."""
        return await _answered(request, coloring, VariantsFields)


async def _answered(request: Request, coloring: Coloring, kind: type[Fields]) -> Response:
    """Take a place, receive the form, have it colored; free all when the response is out."""
    async with AsyncExitStack() as held:
        held.enter_context(coloring.place())
        async with received(request, coloring.limits) as upload:
            job = await _job(checked(kind, upload.fields), coloring)
            answer, body = await coloring.run(job, upload.file, request.receive)
        held.callback(body.close)
        response = FileAnswer(answer, body, upload.stem, coloring.limits.transfer)
        response.held = held.pop_all()
    return response


async def _job(fields: Fields, coloring: Coloring) -> Job:
    names = [model.name for model in await coloring.models()]
    name = fields.model or names[0]
    if name not in names:
        raise RefusedError(404, f"There is no such model; there are {', '.join(names)}.")
    return fields.job(name)
