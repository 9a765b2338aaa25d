"""Signals that ask a training to stop: remembered until the step is done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Remembers the last signal.

    Attributes
    ----------
    seen : its number, 0 for none.
    """

    def __init__(self) -> None:
        self.seen = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Remember signals instead of obeying them; a second one of a kind is obeyed."""
        former = {number: signal.getsignal(number) for number in WATCHED}
        # nohup has SIGHUP ignored, and a script's background job SIGINT.
        former = {
            number: handler for number, handler in former.items() if handler != signal.SIG_IGN
        }

        def remember(number: int, _: FrameType | None) -> None:
            self.seen = number
            # Whoever asks again does not want to wait for the step to end.
            signal.signal(number, former[signal.Signals(number)])

        for number in former:
            signal.signal(number, remember)
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
