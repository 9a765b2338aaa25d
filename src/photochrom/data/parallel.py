"""Many pieces of work at once: processes of this machine, or a Dask cluster."""

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import Generic, TypeVar

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from photochrom import environment
from photochrom.data.cluster import on_cluster
from photochrom.environment import SettingError
from photochrom.progress import track

Item = TypeVar("Item")
Result = TypeVar("Result")
LOSSES = 3
"""So many times in a row processes may be killed without that any piece of work gets done."""


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], title: str, total: int
) -> Iterator[Result]:
    """Do ``work`` on each item and yield the results as they come, in any order.

    On the processes of this machine, or where PHOTOCHROM_DASK says so on those of a cluster. What
    a killed process was at is done again, so that ``work`` may run twice on an item: what it
    writes must be whole or absent. Each result is yielded once.

    Parameters
    ----------
    work : a function of a module, or a partial of one; it computes on one thread, as
        Dask's workers do unless told otherwise. Workers run in other directories: the paths that
        it is given must be absolute.
    items : taken as they are needed, so that they need not be in memory at once.
    title, total : what the progress says.

    Raises
    ------
    SettingError
        If PHOTOCHROM_DASK names no cluster that works, or if processes are killed again and again.
    """
    address = environment.dask()
    here = _on_this_machine(work, items)
    results = here if address is None else on_cluster(address, work, items)
    yield from track(results, title, total)


def _on_this_machine(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    remaining, losses = _Remaining(items), 0
    # Pools of threads in every process would only wait for each other.
    with parallel_config("loky", n_jobs=environment.workers(), inner_max_num_threads=1):
        pool = Parallel(return_as="generator_unordered", batch_size=1)
    while remaining:
        try:
            for number, result in pool(
                delayed(_numbered)(work, number, item) for number, item in remaining
            ):
                losses = 0
                if remaining.finish(number):
                    yield result
        except TerminatedWorkerError:
            losses += 1
            if losses == LOSSES:
                raise SettingError(_killed()) from None


class _Remaining(Generic[Item]):
    """What is still to be done; a worker's death gives back what it had been given.

    joblib takes items from other threads, hence the lock.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._source = enumerate(items)
        self._taken: dict[int, Item] = {}
        self._lock = Lock()
        self._exhausted = False

    def __bool__(self) -> bool:
        return bool(self._taken) or not self._exhausted

    def __iter__(self) -> Iterator[tuple[int, Item]]:
        yield from list(self._taken.items())
        while (following := self._take()) is not None:
            yield following

    def finish(self, number: int) -> bool:
        """Cross out an item; return whether it had been open."""
        return self._taken.pop(number, self) is not self

    def _take(self) -> tuple[int, Item] | None:
        with self._lock:
            following = next(self._source, None)
            if following is None:
                self._exhausted = True
            else:
                self._taken[following[0]] = following[1]
            return following


def _numbered(work: Callable[[Item], Result], number: int, item: Item) -> tuple[int, Result]:
    return number, work(item)


def _killed() -> str:
    return (
        f"Processes were killed {LOSSES} times in a row, most likely since memory ran out: set "
        f"PHOTOCHROM_WORKERS to fewer than {environment.workers()}."
    )
