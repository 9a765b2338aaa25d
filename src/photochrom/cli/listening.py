"""Listening for browsers: where, under which names, and until when."""

import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from photochrom.cli.refusal import RefusalError

if TYPE_CHECKING:
    from fastapi import FastAPI

CONNECTIONS = 512
"""Most at once, others are told to come again. A browser keeps some six open while it loads."""
PATIENCE = 3
"""Seconds after Ctrl-C in which answers may still go out."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; port 0 takes any free one.

    Raises
    ------
    RefusalError
        When that cannot be.
    """
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((host, port), family=family)
    except socket.gaierror as error:
        reason = str(error.strerror)
    except UnicodeError:
        reason = "no such name"
    except OSError as error:
        # The error's own text repeats the address.
        reason = os.strerror(error.errno or 0)
    raise RefusalError(
        f"Nothing can listen at {host}, port {port} ({reason.lower()}): choose another --host or "
        "--port."
    )


def address_of(listener: socket.socket, host: str) -> str:
    """Return the address that a browser opens."""
    return f"http://{bracketed(host)}:{listener.getsockname()[1]}"


def serve_until_interrupted(
    application: "FastAPI", listener: socket.socket, ending: Callable[[], None] | None = None
) -> None:
    """Answer until Ctrl-C.

    Parameters
    ----------
    ending : called then, before those who still wait for an answer are given the time for it.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # Whatever does not end in time is cut off, which is no fault to report.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            if ending is not None:
                ending()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        application,
        http="h11",
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=PATIENCE,
    )
    with listener, suppress(KeyboardInterrupt):
        Server(config).run(sockets=[listener])


def tell(sentence: str) -> None:
    """Print a sentence on standard error, before whatever is printed next."""
    print(sentence, file=sys.stderr, flush=True)


def names(host: str) -> tuple[str, ...]:
    """Return the names under which to answer: others may call this machine anything."""
    from photochrom.web.hosts import ANY, LOOPBACK

    return (*LOOPBACK, bracketed(host)) if is_local(host) else (ANY,)


def bracketed(host: str) -> str:
    """Return a host as it stands in an address."""
    return f"[{host}]" if ":" in host else host


def is_local(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
