"""What keeps the pages safe: headers on every response and a limit on what is sent in."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' blob:; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Nothing from elsewhere is loaded, nothing is framed, kept or told to other sites."""

LARGEST_BODY = 4096
"""Most bytes of a request's body on a :class:`LimitedRoute`."""


class SecurityHeaders:
    """Add ``HEADERS`` to every response, where the response does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and put the headers on what comes back."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_guarded)


def same_origin(request: Request) -> None:
    """Refuse (403) what a page of another site had the browser send.

    Browsers say so in Sec-Fetch-Site where the address is theirs or encrypted, elsewhere in Origin
    only; other clients send neither.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        own = site in ("none", "same-origin")
    else:
        host = request.headers.get("host", "").lower()
        own = origin is None or origin.partition("://")[2].lower() == host
    if not own:
        raise HTTPException(403, "A page of another site cannot use this address.")


class LimitedRoute(APIRoute):
    """A route that refuses a body of more than ``LARGEST_BODY`` bytes while it arrives (413)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, reading through a counter."""
        handler = super().get_route_handler()

        async def limited(request: Request) -> Response:
            return await handler(Request(request.scope, counted(request.receive)))

        return limited


def counted(receive: Receive) -> Receive:
    """Return ``receive``, made to raise a 413 once more than ``LARGEST_BODY`` bytes came."""
    total = 0

    async def receive_counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > LARGEST_BODY:
            raise HTTPException(413, f"Send at most {LARGEST_BODY} bytes.")
        return message

    return receive_counted
