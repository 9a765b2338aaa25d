"""Starting the processes that train a model together on this machine, as torchrun does.

On several machines torchrun starts them: see docs/scale.md.
"""

import logging
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from photochrom import environment, hardware
from photochrom.training.errors import TrainingError

FAMILY = "torch.distributed.elastic"


class LaunchedError(TrainingError):
    """The processes have stopped and said why themselves: there is nothing to add."""


def processes(batch_size: int) -> int:
    """Return how many processes to start here; 1 where this one shall train itself.

    Parameters
    ----------
    batch_size : photographs of a step, of which each process takes one at least.
    """
    if environment.launched():
        return 1
    return min(hardware.processes(), batch_size)


def launch(script: Path, arguments: list[str], count: int) -> None:
    """Run a Python script in so many processes and wait for them.

    Signals are passed on to them; when one is lost, the others are stopped.

    Raises
    ------
    LaunchedError
        If they ended with an error or were asked to stop, which the first of them has reported.
    TrainingError
        If one was killed.
    """
    _share_cores(count)
    _silence()
    with TemporaryDirectory() as logs:
        started = elastic_launch(_config(count, logs), sys.executable)
        try:
            started("-u", str(script), *arguments)
        except SignalException:
            raise LaunchedError from None
        except ChildFailedError as error:
            raise _explained(error, count) from None


def _config(count: int, logs: str) -> LaunchConfig:
    # A process that is asked to stop finishes its step and saves.
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "120")
    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        logs_specs=DefaultLogsSpecs(log_dir=logs),
        run_id=str(os.getpid()),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
    )


def _silence() -> None:
    """Leave out torchrun's reports, which repeat in a hundred lines what is said here in one."""
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(FAMILY):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _share_cores(count: int) -> None:
    """Give each process its share of the cores, where the user has not said otherwise."""
    cores = environment.cores()
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // count)))


def _explained(error: ChildFailedError, count: int) -> TrainingError:
    rank, failure = error.get_first_failure()
    if failure.exitcode >= 0:
        return LaunchedError()
    return TrainingError(
        f"Process {rank + 1} of {count} was stopped by {failure.signal_name()}, and the others "
        "with it. Run the same command again to continue from the last checkpoint."
    )
