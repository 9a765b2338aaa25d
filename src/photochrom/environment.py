"""What the machine decides, never params.yaml: processes, device, precision, places.

| variable | meaning | default |
|---|---|---|
| PHOTOCHROM_WORKERS | processes of the data stages | the CPUs this process may use |
| PHOTOCHROM_PROCESSES | processes that train a model together | the GPUs there are, 1 on a CPU |
| PHOTOCHROM_DEVICE_BATCH | photographs a device takes at once; more go one after another | all |
| PHOTOCHROM_DASK | ``tcp://host:port`` of a Dask scheduler, for the data stages | this machine |
| PHOTOCHROM_DEVICE | torch device, e.g. ``cuda:1`` | ``cuda`` if there is one, else ``cpu`` |
| PHOTOCHROM_PRECISION | ``bfloat16`` or ``float32`` | bfloat16 where the hardware computes in it |
| PHOTOCHROM_COMPILE | ``off``, ``auto`` or a mode of torch.compile | auto: long GPU trainings |
| PHOTOCHROM_CHECKPOINT_SECONDS | longest time between two checkpoints | 60 |
| PHOTOCHROM_TRACKING | ``off`` turns MLflow off | on |
| MLFLOW_TRACKING_URI | the MLflow store | ``mlflow.db`` in the project |
"""

import os
from urllib.parse import urlsplit


class SettingError(ValueError):
    """A PHOTOCHROM_* variable cannot be used; the message says what to set it to."""


def workers() -> int:
    """Return how many processes the data stages use."""
    return _positive("PHOTOCHROM_WORKERS", cores())


def cores() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def dask() -> str | None:
    """Return the address of the Dask scheduler to work with, or None to work on this machine."""
    address = os.environ.get("PHOTOCHROM_DASK") or None
    if address is not None and not _is_address(address):
        raise SettingError(
            f"PHOTOCHROM_DASK is {address!r}: set it to the scheduler's address, such as "
            "tcp://10.0.0.5:8786."
        )
    return address


def checkpoint_seconds() -> float:
    """Return the longest time in seconds between two checkpoints of a training."""
    return float(_positive("PHOTOCHROM_CHECKPOINT_SECONDS", 60))


def processes() -> int | None:
    """Return how many processes shall train a model together here, or None for automatic."""
    return _positive("PHOTOCHROM_PROCESSES", 0) or None


def device_batch() -> int | None:
    """Return how many photographs of a batch a device takes at once, or None for all."""
    return _positive("PHOTOCHROM_DEVICE_BATCH", 0) or None


def launched() -> bool:
    """Return whether torchrun, or what does its work, has started this process."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def local_rank() -> int:
    """Return this process's number among those of this machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def local_processes() -> int:
    """Return how many processes of this machine train together with this one."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def device() -> str | None:
    """Return the torch device asked for, or None to choose automatically."""
    return os.environ.get("PHOTOCHROM_DEVICE") or None


def precision() -> str | None:
    """Return the precision asked for, or None to choose automatically."""
    value = os.environ.get("PHOTOCHROM_PRECISION") or None
    if value not in (None, "bfloat16", "float32"):
        raise SettingError(f"PHOTOCHROM_PRECISION is {value!r}: set it to bfloat16 or float32.")
    return value


def compile_mode() -> str:
    """Return how networks are compiled: ``auto``, ``off`` or a mode of torch.compile."""
    value = os.environ.get("PHOTOCHROM_COMPILE") or "auto"
    known = ("auto", "off", "default", "reduce-overhead", "max-autotune")
    if value not in known:
        listed = ", ".join(known)
        raise SettingError(f"PHOTOCHROM_COMPILE is {value!r}: set it to one of {listed}.")
    return value


def tracking_wanted() -> bool:
    """Return whether trainings are mirrored to MLflow."""
    return os.environ.get("PHOTOCHROM_TRACKING", "on").lower() not in ("off", "0", "false", "no")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("tcp", "tls") and bool(parts.hostname and parts.port)
    except ValueError:  # The port is no number.
        return False


def _positive(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise SettingError(f"{name} is {text!r}: set it to a whole number of at least 1.")
    return int(text)
