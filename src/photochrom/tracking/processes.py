"""Which process fills a run, so that the run of one that was killed can be told from a live one."""

import hashlib
import os
import platform
from pathlib import Path

PROCESS = "photochrom.process"
"""The tag that holds what :func:`this_process` returns."""
PROC = Path("/proc")
MACHINE, BOOT = Path("/etc/machine-id"), PROC / "sys/kernel/random/boot_id"
STARTED = 18
"""Where the time of the start stands in /proc/PID/stat behind the state."""


def this_process() -> str | None:
    """Return what tells this process from every other: machine, boot, PID namespace, PID, start.

    None on systems without /proc; what they leave unfinished stays marked as running.
    """
    try:
        return " ".join([_machine(), _boot(), _namespace(), str(os.getpid()), _start("self")])
    except (OSError, IndexError):
        return None


def is_gone(process: str) -> bool:
    """Tell whether a process has surely ended.

    False also where that cannot be known: of a process on another machine or in another container.

    Parameters
    ----------
    process : what :func:`this_process` returned there.
    """
    try:
        machine, boot, namespace, number, start = process.split(" ")
        if machine != _machine():
            return False
        if boot != _boot():
            return True
        return namespace == _namespace() and not _runs(number, start)
    except (OSError, ValueError):
        return False


def _runs(number: str, start: str) -> bool:
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # It is another user's; where /proc hides it, too, it counts as alive.
    try:
        return _start(number) == start
    except (OSError, IndexError):
        return True


def _machine() -> str:
    # systemd asks that a machine's id is not shown as it is.
    known = MACHINE.read_text(encoding="ascii").strip() if MACHINE.exists() else ""
    return hashlib.sha256(f"{platform.node()} {known}".encode()).hexdigest()[:12]


def _boot() -> str:
    return BOOT.read_text(encoding="ascii").strip()


def _namespace() -> str:
    return str((PROC / "self/ns/pid").readlink())


def _start(number: str) -> str:
    """Return when a process began, in clock ticks since the boot; empty for one that is dead."""
    # The name before the state is in parentheses and may hold anything.
    state, *rest = (PROC / number / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return "" if state in ("Z", "X") else rest[STARTED]
