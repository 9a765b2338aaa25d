"""How a stage ends: quietly, or with one line that says what to do."""

import errno
import sys
from collections.abc import Callable
from pathlib import Path

from photochrom.environment import SettingError
from photochrom.params import ParamsError
from photochrom.progress import say

FULL = (errno.ENOSPC, errno.EDQUOT)


def run(main: Callable[[], None], *refusals: type[Exception]) -> None:
    """Run a stage; what it refuses becomes one line on standard error and exit status 1.

    Parameters
    ----------
    main
        The stage.
    refusals
        Exceptions, besides `ParamsError` and `SettingError`, whose message is meant for the person
        who runs the stage. Any other is a defect and keeps its traceback, but for a full disk and
        Ctrl-C.
    """
    try:
        main()
    except (ParamsError, SettingError, *refusals) as error:
        _stop(str(error), 1)
    except KeyboardInterrupt:
        _stop("interrupted; run it again when you like.", 130)
    except OSError as error:
        if error.errno not in FULL:
            raise
        _stop(f"the disk is full ({error.filename or 'while writing'}); make room and rerun.", 1)


def _stop(message: str, status: int) -> None:
    say(f"{Path(sys.argv[0]).stem}: {' '.join(message.split())}")
    sys.exit(status)
