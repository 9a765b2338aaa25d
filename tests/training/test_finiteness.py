"""Numbers that must be finite: the first bad step is found, however many wait."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from photochrom.training.finiteness import NEVER, TOGETHER, Finiteness


@given(st.sets(st.integers(0, 3 * TOGETHER)), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_the_first_bad_step_is_found(bad: set[int], value: float) -> None:
    watch = Finiteness()
    for step in range(3 * TOGETHER + 1):
        watch.note(step, torch.tensor(value if step in bad else 3e38))
    assert watch.look() == min(bad, default=NEVER)
    assert watch.look() == min(bad, default=NEVER)


def test_a_step_may_have_several_numbers_and_a_look_may_come_at_any_time() -> None:
    watch = Finiteness()
    assert watch.look() == NEVER
    for value in (1.0, math.nan):
        watch.note(7, torch.tensor(value))
    assert watch.look() == 7
    watch.note(9, torch.tensor(math.inf))
    assert watch.look() == 7


@pytest.mark.parametrize("count", [TOGETHER - 1, TOGETHER])
def test_no_more_than_some_numbers_wait(count: int) -> None:
    watch = Finiteness()
    for step in range(count):
        watch.note(step, torch.tensor(math.nan))
    assert watch.first_bad == (0 if count == TOGETHER else NEVER)
