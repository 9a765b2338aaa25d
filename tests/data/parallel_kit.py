"""What the tests of parallel work let other processes do: functions of a module they can import."""

import os
import signal
from pathlib import Path


def squared(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def written_once(folder: str, number: int) -> int:
    """Leave a file for each time this was begun."""
    (Path(folder) / f"{number}-{len(list(Path(folder).glob(f'{number}-*')))}").touch()
    return number


def dying_once(folder: str, number: int) -> int:
    """Kill the process at number 3 the first time."""
    mark = Path(folder) / "died"
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return written_once(folder, number)


def dying(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def failing(number: int) -> int:
    if number == 5:
        raise ValueError("five")
    return number


def folder_and_threads(_: int) -> tuple[str, int]:
    import torch

    return str(Path.cwd()), torch.get_num_threads()
