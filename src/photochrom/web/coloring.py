"""One queue to one worker: what keeps many requests from being worked on at once."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from photochrom.web.jobs import Answer, Job, Model, RefusedError
from photochrom.web.limits import Limits
from photochrom.web.supervisor import Supervisor
from photochrom.web.worker import Orders

AGAIN = 5
"""Seconds after which those who found the queue full may come again."""
FULL = f"Too many photographs wait already: try again in {AGAIN} seconds."
Result = tuple[Answer, BinaryIO]


class Coloring:
    """Colors photographs in another process, one after the other, in the order they came.

    Parameters
    ----------
    names : of models or their folders, the default first; none takes all that there are.
    root : the project whose models are taken.
    limits : what is taken, see :class:`~photochrom.web.limits.Limits`.

    Attributes
    ----------
    free : how many more photographs would be taken in now.
    """

    def __init__(
        self, names: tuple[str, ...] = (), root: Path = Path(), limits: Limits | None = None
    ) -> None:
        self.limits = limits or Limits()
        orders = Orders(names, root, self.limits.megapixels, self.limits.gigabytes)
        self._supervisor = Supervisor(orders, self.limits.seconds)
        self._turns = ThreadPoolExecutor(1, thread_name_prefix="coloring")
        self._models: tuple[Model, ...] | None = None
        self.free = 1 + self.limits.waiting

    def start(self) -> None:
        """Start the worker, if it does not run yet, without waiting for it."""
        self._supervisor.start()

    def stop(self) -> None:
        """End the worker, and refuse what it works on and what waits."""
        self._supervisor.stop()

    def close(self) -> None:
        """Stop, and free all that is held."""
        self.stop()
        self._turns.shutdown(cancel_futures=True)
        self._supervisor.close()

    def ready(self) -> tuple[Model, ...]:
        """Wait for the worker; return the models, the default first.

        Raises
        ------
        RefusedError
            When there are none, or the worker cannot start.
        """
        if self._models is None:
            self._models = self._turns.submit(self._supervisor.ready).result()
        return self._models

    async def models(self) -> tuple[Model, ...]:
        """Do as :meth:`ready`, without holding up other requests."""
        if self._models is None:
            return await asyncio.to_thread(self.ready)
        return self._models

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take one of the places, which are limited, until all is done.

        Raises
        ------
        RefusedError
            503, when all are taken.
        """
        if self.free == 0:
            raise RefusedError(503, FULL, {"Retry-After": str(AGAIN)})
        self.free -= 1
        try:
            yield
        finally:
            self.free += 1

    async def run(self, job: Job, upload: BinaryIO, receive: Receive) -> Result:
        """Have a job done when its turn comes; return the answer, and a file that holds its body.

        Parameters
        ----------
        receive : tells when the client is gone: then a job that waits is dropped.

        Raises
        ------
        RefusedError
            See :meth:`Supervisor.run <photochrom.web.supervisor.Supervisor.run>`.
        ClientDisconnect
            When the client is gone.
        """
        turn = self._turns.submit(self._supervisor.run, job, upload)
        done = asyncio.wrap_future(turn)
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((done, gone), return_when=asyncio.FIRST_COMPLETED)
            if done.done():
                return done.result()
            turn.add_done_callback(_discard)
            if not turn.cancel():
                # The upload is being read: it must not be closed before that has ended.
                await asyncio.wait((done,))
                done.exception()  # Nobody is left to be told.
            raise ClientDisconnect
        finally:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    """Return when the client is gone; its whole request has been received before."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _discard(turn: "Future[Result]") -> None:
    if not turn.cancelled() and turn.exception() is None:
        turn.result()[1].close()
