"""Losses and norms that must be finite, looked at some steps later: nobody waits for each."""

import torch
from torch import Tensor

TOGETHER = 64
"""So many numbers wait to be looked at; to look at each would cost more than to compute it."""
NEVER = 2**62


class Finiteness:
    """Finds the first step with a number that is not finite.

    Attributes
    ----------
    first_bad : that step, as far as has been looked; :data:`NEVER` if there is none.
    """

    def __init__(self) -> None:
        self.first_bad = NEVER
        self._steps: list[int] = []
        self._values: list[Tensor] = []

    def note(self, step: int, value: Tensor) -> None:
        """Take in a scalar (float32) of a step; steps come in order."""
        self._steps.append(step)
        self._values.append(value)
        if len(self._values) == TOGETHER:
            self.look()

    def look(self) -> int:
        """Look at all that wait and return the first bad step."""
        if self._values:
            finite = torch.stack(self._values).isfinite().tolist()
            bad = [step for step, good in zip(self._steps, finite, strict=True) if not good]
            self.first_bad = min(self.first_bad, *bad, NEVER)
            self._steps.clear()
            self._values.clear()
        return self.first_bad
