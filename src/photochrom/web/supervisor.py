"""The server's side of its worker: it starts it, hands it jobs, ends it and starts it anew."""

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO

from photochrom.web.jobs import Answer, Job, Model, RefusedError, received_file, send_file
from photochrom.web.worker import Orders, work

STARTUP = 120.0
"""Most seconds that a worker may take to start; it takes some four on an idle machine."""
CLOSING = "The server is closing."
CRASHED = "The server broke down over this photograph, and goes on with others: send a smaller one."
UNSTARTED = "The server cannot color now: what it printed when it started says why."
TOO_LONG = (
    "This took longer than {:g} seconds: send a smaller photograph, or ask for a smaller size."
)


class Supervisor:
    """Runs jobs in a worker process, one at a time, each within its time.

    Only one thread may call :meth:`ready` and :meth:`run`; any may call :meth:`start` and
    :meth:`stop`.

    Parameters
    ----------
    orders : what the worker works by.
    seconds : that a job may take.
    """

    def __init__(self, orders: Orders, seconds: float) -> None:
        self._orders, self._seconds = orders, seconds
        self._worker: _Worker | None = None
        self._models: tuple[Model, ...] | None = None
        self._lock = threading.Lock()
        self._stopped = self._expired = False

    def start(self) -> None:
        """Start the worker where there is none; it takes seconds until it is ready."""
        with self._lock:
            if self._stopped:
                raise RefusedError(503, CLOSING)
            if self._worker is None:
                self._worker = _Worker(self._orders)

    def stop(self) -> None:
        """End the worker for good, whatever it is at; what waits for it is refused."""
        self._stopped = True
        self._kill()

    def close(self) -> None:
        """Free all that is held, after :meth:`stop`, when no job runs any more."""
        self._end()

    def ready(self) -> tuple[Model, ...]:
        """Wait until the worker is ready; return its models, the default first.

        Raises
        ------
        RefusedError
            When there are no models, or it cannot start.
        """
        if self._worker is not None and not self._worker.process.is_alive():
            self._end()
        self.start()
        if self._models is None:
            self._models = self._greeted()
        return self._models

    def _greeted(self) -> tuple[Model, ...]:
        try:
            if not self._link.poll(STARTUP):
                raise EOFError
            told: tuple[Model, ...] | RefusedError = self._link.recv()
        except (EOFError, ConnectionError):
            self._end()
            raise RefusedError(503, CLOSING if self._stopped else UNSTARTED) from None
        if isinstance(told, RefusedError):
            self._end()
            raise told
        return told

    def run(self, job: Job, upload: BinaryIO) -> tuple[Answer, BinaryIO]:
        """Have a job done; return the answer and its body, a file that the caller closes.

        Raises
        ------
        RefusedError
            When the photograph or the options cannot be used, it takes too long, or the worker
            breaks down; then it is started anew.
        """
        self.ready()
        with self._limited():
            self._link.send(job)
            send_file(self._link, upload)
            answer: Answer | RefusedError = self._link.recv()
            if isinstance(answer, Answer):
                return answer, received_file(self._link)
        raise answer

    @property
    def _link(self) -> Connection:
        if self._worker is None:
            raise EOFError
        return self._worker.connection

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """End the worker when the time is up, or when what it was told and tells breaks off."""
        self._expired = False
        alarm = threading.Timer(self._seconds, self._expire)
        alarm.start()
        whole = False
        try:
            yield
            whole = True
        except (EOFError, ConnectionError):
            raise self._reason() from None
        finally:
            alarm.cancel()
            alarm.join()
            if self._expired or not whole:
                self._renew()

    def _reason(self) -> RefusedError:
        if self._stopped:
            return RefusedError(503, CLOSING)
        if self._expired:
            return RefusedError(504, TOO_LONG.format(self._seconds))
        return RefusedError(500, CRASHED)

    def _expire(self) -> None:
        self._expired = True
        self._kill()

    def _kill(self) -> None:
        with self._lock:
            if self._worker is not None:
                self._worker.process.kill()

    def _renew(self) -> None:
        self._end()
        if not self._stopped:
            self.start()

    def _end(self) -> None:
        with self._lock:
            worker, self._worker, self._models = self._worker, None, None
        if worker is not None:
            worker.end()


class _Worker:
    """A worker's process, the connection to it, and its folder for temporary files."""

    def __init__(self, orders: Orders) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="photochrom-")
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        arguments = (theirs, orders, Path(self._folder.name))
        self.process = context.Process(target=work, args=arguments, daemon=True, name="worker")
        with _uninterrupted():
            self.process.start()
        theirs.close()

    def end(self) -> None:
        """Kill the process, and free all that it held."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()
        self._folder.cleanup()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keep Ctrl-C from a process that is started meanwhile: the server ends it in good order."""
    # Starting this one, which comes before the first process, would let Ctrl-C in again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
