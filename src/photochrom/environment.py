"""What the machine decides, never params.yaml: processes, device, precision, places.

| variable | meaning | default |
|---|---|---|
| PHOTOCHROM_WORKERS | processes of the data stages | the CPUs this process may use |
| PHOTOCHROM_DEVICE | torch device, e.g. ``cuda:1`` | ``cuda`` if there is one, else ``cpu`` |
| PHOTOCHROM_PRECISION | ``bfloat16`` or ``float32`` | bfloat16 where the hardware computes in it |
| PHOTOCHROM_CHECKPOINT_SECONDS | longest time between two checkpoints | 60 |
| PHOTOCHROM_TRACKING | ``off`` turns MLflow off | on |
| MLFLOW_TRACKING_URI | the MLflow store | ``mlflow.db`` in the project |
"""

import os


class SettingError(ValueError):
    """A PHOTOCHROM_* variable cannot be used; the message says what to set it to."""


def workers() -> int:
    """Return how many processes the data stages use."""
    return _positive(
        "PHOTOCHROM_WORKERS",
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    )


def chunk_size(items: int, most: int) -> int:
    """Return how many items one piece of work takes: at most ``most``, and some for each worker."""
    return max(1, min(most, -(-items // (4 * workers()))))


def checkpoint_seconds() -> float:
    """Return the longest time in seconds between two checkpoints of a training."""
    return float(_positive("PHOTOCHROM_CHECKPOINT_SECONDS", 60))


def device() -> str | None:
    """Return the torch device asked for, or None to choose automatically."""
    return os.environ.get("PHOTOCHROM_DEVICE") or None


def precision() -> str | None:
    """Return the precision asked for, or None to choose automatically."""
    value = os.environ.get("PHOTOCHROM_PRECISION") or None
    if value not in (None, "bfloat16", "float32"):
        raise SettingError(f"PHOTOCHROM_PRECISION is {value!r}: set it to bfloat16 or float32.")
    return value


def tracking_wanted() -> bool:
    """Return whether trainings are mirrored to MLflow."""
    return os.environ.get("PHOTOCHROM_TRACKING", "on").lower() not in ("off", "0", "false", "no")


def _positive(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise SettingError(f"{name} is {text!r}: set it to a whole number of at least 1.")
    return int(text)
