"""A ceiling on the memory of the process that colors.

Pixels and the working size bound what a photograph needs only loosely: a long strip at a large
working size can ask for ten gigabytes.
"""

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def limit_memory(gigabytes: float) -> None:
    """Let this process take so many gigabytes (10^9 bytes) more than it has now.

    Beyond, an allocation fails (RLIMIT_DATA, which on Linux counts all private memory that can be
    written to), and what it was for is refused. Other systems, and the memory of a GPU, know no
    such ceiling.
    """
    if sys.platform != "linux":
        return
    ceiling = _written() + round(gigabytes * 1e9)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or ceiling < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (ceiling, hard))


def _written() -> int:
    """Return the bytes that RLIMIT_DATA counts (proc(5), VmData)."""
    lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    (kibibytes,) = (line.split()[1] for line in lines if line.startswith("VmData:"))
    return int(kibibytes) * 1024


def is_shortage(error: Exception) -> bool:
    """Return whether an error says that memory is short; torch says so in words only."""
    words = ("can't allocate memory", "not enough memory", "out of memory")
    said = isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    return said or isinstance(error, MemoryError)
