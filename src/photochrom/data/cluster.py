"""Work on the Dask cluster that PHOTOCHROM_DASK names.

By Dask's own client, not through joblib: joblib 1.6 waits forever for work at which the workers
died, and on a cluster of one core it does the work in the calling process.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from photochrom.environment import SettingError

Item = TypeVar("Item")
Result = TypeVar("Result")
ANSWER_SECONDS = 10


def on_cluster(
    address: str, work: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result]:
    """Do ``work`` on each item and yield the results as they come, in any order.

    Two items for each core are on their way at a time, also of cores that join later. What a
    worker was at when it died Dask gives to another.

    Raises
    ------
    SettingError
        If Dask is not installed, nobody answers at the address, the cluster has no worker, or its
        workers or its scheduler die at the work.
    """
    with _connected(address) as client:
        waiting, running = iter(items), _dask().as_completed(loop=client.loop)
        while True:
            free = max(1, 2 * sum(client.ncores().values()) - running.count())
            for item in islice(waiting, free):
                running.add(client.submit(work, item, pure=False))
            if running.is_empty():
                return
            yield next(running).result()


def _dask() -> Any:
    try:
        import distributed
    except ImportError:
        raise SettingError(
            "PHOTOCHROM_DASK is set, but Dask is missing: pip install 'photochrom[cluster]'."
        ) from None
    return distributed


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    client = _connect(address)
    with client:
        try:
            yield client
        except _dask().KilledWorker:
            raise SettingError(
                f"The Dask workers at {address} died again and again at the same piece of work, "
                "most likely since memory ran out: give each more memory or fewer threads."
            ) from None
        except (OSError, CancelledError):
            if client.status == "running":
                raise
            raise SettingError(
                f"The Dask scheduler at {address} has gone: start it and its workers again, then "
                "run this again."
            ) from None


def _connect(address: str) -> Any:
    dask = _dask()
    try:
        client = dask.Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError):
        raise SettingError(
            f"No Dask scheduler answers at {address}, which PHOTOCHROM_DASK names: start one with "
            "`dask scheduler`, or unset PHOTOCHROM_DASK to work on this machine."
        ) from None
    try:
        client.wait_for_workers(1, timeout=ANSWER_SECONDS)
    except TimeoutError:
        client.close()
        raise SettingError(
            f"The Dask scheduler at {address} has no workers: start one with "
            f"`dask worker {address}`."
        ) from None
    return client
