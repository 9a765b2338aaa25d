"""What a run was measured on, and of what."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from photochrom import environment, hardware

ROOT = Path(__file__).parent.parent
PACKAGES = ("torch", "torchvision", "numpy", "pillow", "scikit-image", "scikit-learn", "joblib")


def machine() -> dict[str, Any]:
    """Return what makes two runs comparable: processor, cores, GPU and precision."""
    device = hardware.device()
    return {
        "processor": processor(),
        "cores": environment.cores(),
        "gpu": torch.cuda.get_device_name() if device.type == "cuda" else None,
        "device": device.type,
        "precision": str(hardware.precision(device)).removeprefix("torch."),
    }


def processor() -> str:
    """Return the processor's name."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            named = (line for line in lines if line.startswith("model name"))
            return next(named).partition(":")[2].strip()
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that the time depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def commit() -> dict[str, Any]:
    """Return the commit, and whether anything but kept benchmarks differs from it."""
    changed = _git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    return {
        "commit": _git("rev-parse", "--short", "HEAD"),
        "dirty": None if changed is None else bool(changed),
    }


def _git(*words: str) -> str | None:
    """Return what git says; None where there is no git or no repository."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
