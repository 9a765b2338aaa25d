"""Large photographs are worked on one at a time, small ones together."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photochrom.cli.work import Gate


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20))
@settings(max_examples=30)
def test_no_more_pixels_are_inside_than_the_limit(sizes: list[int]) -> None:
    gate, lock = Gate(10), threading.Lock()
    inside: list[int] = []
    seen: list[int] = []

    def work(size: int) -> None:
        with gate.passed(size):
            with lock:
                inside.append(size)
                # A photograph above the limit counts as all of it: it must be alone.
                seen.append(sum(min(one, 10) for one in inside))
            time.sleep(0.0005)
            with lock:
                inside.remove(size)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, sizes))
    assert len(seen) == len(sizes)
    assert max(seen) <= 10


def test_small_ones_are_inside_together_and_a_failure_gives_the_room_back() -> None:
    gate, both = Gate(10), threading.Barrier(2, timeout=10)

    def meet(_: int) -> int:
        with gate.passed(5):
            return both.wait()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(meet, range(2))) == [0, 1]
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"), gate.passed(10):
            raise ValueError("broken")
