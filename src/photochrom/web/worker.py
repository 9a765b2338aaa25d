"""The process that reads and colors photographs, one at a time, for the server.

It is another process than the server's, because a photograph may take too long, or more memory
than there is: then it is ended, and the server goes on.
"""

import os
import shutil
import signal
import tempfile
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from photochrom.web.jobs import Answer, Job, RefusedError, received_file, send_file, unnamed_file
from photochrom.web.memory import limit_memory

if TYPE_CHECKING:
    from photochrom.web.painter import Painter

FAILED = "The server could not color this photograph; it goes on with others."


@dataclass(frozen=True)
class Orders:
    """What a worker works by.

    Attributes
    ----------
    names : of models or their folders, the default first; none takes all that there are.
    root : the project whose models are taken.
    megapixels : most of a photograph.
    gigabytes : of memory for models and a photograph, see :func:`limit_memory`.
    """

    names: tuple[str, ...]
    root: Path
    megapixels: float
    gigabytes: float


def work(connection: Connection, orders: Orders, folder: Path) -> None:
    """Tell which models there are, then do one job after the other until the server is gone.

    Parameters
    ----------
    connection : to the server.
    folder : for temporary files; whoever sees this process end removes it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    _end_with_server(folder)
    try:
        painter = _painter(orders)
    except RefusedError as refused:
        connection.send(refused)
        return
    connection.send(painter.models)
    with suppress(EOFError, ConnectionError):
        while True:
            _do(connection, painter)
    # The server is gone. This thread may be through before the one that waits for that.
    shutil.rmtree(folder, ignore_errors=True)


def _end_with_server(folder: Path) -> None:
    """End this process when the server's ends, whatever it is at."""
    server = parent_process()

    def wait() -> None:
        if server is not None:
            server.join()
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _painter(orders: Orders) -> "Painter":
    # torch takes seconds to import, and the server itself does without.
    from photochrom import hardware
    from photochrom.web.painter import Painter

    painter = Painter.open(orders.names, orders.root, orders.megapixels)
    if hardware.device().type == "cpu":
        # Drivers of GPUs reserve far more than they use.
        limit_memory(orders.gigabytes)
    return painter


def _do(connection: Connection, painter: "Painter") -> None:
    job: Job = connection.recv()
    with received_file(connection) as upload, unnamed_file() as body:
        try:
            answer: Answer | RefusedError = painter.paint(job, upload.read(), body)
        except RefusedError as refused:
            answer = refused
        except Exception:
            traceback.print_exc()
            answer = RefusedError(500, FAILED)
        connection.send(answer)
        if isinstance(answer, Answer):
            send_file(connection, body)
