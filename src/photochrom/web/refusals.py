"""How the application refuses: a status and a sentence, never a trace."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from photochrom.colorizer.options import OptionError
from photochrom.study.store import BadVoteError, OutOfTurnError, StudyError, UnknownError
from photochrom.web.guard import HEADERS
from photochrom.web.jobs import RefusedError

STATUSES: dict[type[StudyError], int] = {UnknownError: 404, OutOfTurnError: 409, BadVoteError: 422}
UNAVAILABLE = 503
GONE = 499
"""The client is gone: nobody reads this."""
SENTENCES = {
    400: "The request cannot be read.",
    405: "This address takes another method.",
}
FAILED = "The server could not do this. Try again in a moment."


def add_refusals(app: FastAPI, places: str) -> None:
    """Make ``app`` answer every error with JSON: ``{"detail": "a sentence"}``.

    Parameters
    ----------
    places : a sentence on what is at which address, for those who ask for another.
    """
    sentences = SENTENCES | {404: f"There is nothing at this address. {places}"}

    @app.exception_handler(RefusedError)
    def refuse_photograph(_: Request, error: RefusedError) -> JSONResponse:
        return refusal(error.status, error.detail, error.headers)

    @app.exception_handler(OptionError)
    def refuse_option(_: Request, error: OptionError) -> JSONResponse:
        return refusal(422, str(error))

    @app.exception_handler(ClientDisconnect)
    def leave_alone(_: Request, __: ClientDisconnect) -> Response:
        return Response(status_code=GONE)

    @app.exception_handler(StudyError)
    def refuse_study(_: Request, error: StudyError) -> JSONResponse:
        return refusal(STATUSES.get(type(error), UNAVAILABLE), str(error))

    @app.exception_handler(RequestValidationError)
    def refuse_request(_: Request, error: RequestValidationError) -> JSONResponse:
        return refusal(422, complaint(error))

    @app.exception_handler(HTTPException)
    def refuse_address(_: Request, error: HTTPException) -> JSONResponse:
        response = refusal(error.status_code, sentences.get(error.status_code, error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    def refuse_failure(_: Request, __: Exception) -> JSONResponse:
        # Starlette answers this one outside of all middleware, so it brings the headers itself.
        return refusal(500, FAILED, HEADERS)


def refusal(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the response that says why."""
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)


def complaint(error: RequestValidationError) -> str:
    """Return a sentence on the first thing wrong with a request; never what was sent."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return "The request is not valid JSON."
    names = [str(part) for part in first["loc"][1:]]
    place = f"The field {'.'.join(names)}" if names else "The request"
    return f"{place} cannot be used: {first['msg']}."
