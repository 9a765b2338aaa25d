"""What the service takes, so that many people at once exhaust neither its memory nor its time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What the service takes.

    Attributes
    ----------
    megapixels : of a photograph; larger ones are refused before they are decoded.
    megabytes : of a request, in units of 10^6 bytes; counted while they arrive.
    gigabytes : of memory for models and one photograph, above what the worker has when it starts.
    seconds : of work on one photograph.
    waiting : photographs besides the one that is worked on, from the first byte of their upload to
        the last byte of their answer.
    transfer : seconds that a request may take to arrive, and its answer to be fetched.
    """

    megapixels: float = 50.0
    megabytes: float = 64.0
    gigabytes: float = 4.0
    seconds: float = 60.0
    waiting: int = 16
    transfer: float = 60.0

    @property
    def bytes(self) -> int:
        """Most bytes of a request."""
        return round(self.megabytes * 1e6)
