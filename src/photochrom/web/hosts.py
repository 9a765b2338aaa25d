"""Under which names the application answers.

A page elsewhere may let its own name lead to this machine (DNS rebinding) and would then be of one
origin with what is shown here. The name that the browser asked for gives it away.
"""

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from photochrom.web.refusals import refusal

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ANY = "*"
PORT = re.compile(r":\d*$")
UNKNOWN = "{} is not at this address: open the one that `{}` printed."


class KnownHosts:
    """Refuse (400) every request whose Host is none of ``hosts``, whatever its port.

    Parameters
    ----------
    hosts : names and addresses in lower case, those of IPv6 in brackets; ``"*"`` takes all.
    what, command : what is there, and what was run to show it.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str],
        what: str = "The study",
        command: str = "photochrom study serve",
    ) -> None:
        self.app, self._hosts = app, frozenset(hosts)
        self._sentence = UNKNOWN.format(what, command)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        known = scope["type"] != "http" or ANY in self._hosts or _host(scope) in self._hosts
        await (self.app if known else refusal(400, self._sentence))(scope, receive, send)


def _host(scope: Scope) -> str:
    return PORT.sub("", Headers(scope=scope).get("host", "").lower())
