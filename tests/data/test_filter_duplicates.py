"""The same file and nearly the same picture, against comparing all with all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photochrom.data.duplicates import ALONE, near_duplicates, same_files


def twins(hashes: list[int], bits: int) -> dict[int, int]:
    found = near_duplicates(np.array(hashes, np.uint64), bits)
    return {later: int(earlier) for later, earlier in enumerate(found) if earlier != ALONE}


def brute_force_twins(hashes: list[int], bits: int) -> dict[int, int]:
    twins: dict[int, int] = {}
    for later, value in enumerate(hashes):
        close = [
            earlier
            for earlier in range(later)
            if earlier not in twins and (value ^ hashes[earlier]).bit_count() <= bits
        ]
        if close:
            twins[later] = close[0]
    return twins


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 63), max_size=5)), max_size=25),
    st.integers(0, 3),
)
def test_near_duplicates_are_those_of_comparing_all_pairs(originals, copies, bits):
    """Few originals, and copies with up to five flipped bits, in every quarter."""
    hashes = list(originals)
    for which, flips in copies:
        value = originals[which % len(originals)]
        hashes.append(value ^ sum(1 << bit for bit in flips))
    assert twins(hashes, bits) == brute_force_twins(hashes, bits)


@pytest.mark.parametrize("untouched", range(4))
def test_near_duplicates_are_found_by_whichever_quarter_is_left(untouched):
    flips = sum(1 << (16 * quarter + 5) for quarter in range(4) if quarter != untouched)
    hashes = [0x0123456789ABCDEF, 0x0123456789ABCDEF ^ flips]
    assert twins(hashes, 3) == {1: 0}
    assert twins(hashes, 2) == {}


@given(st.lists(st.sets(st.integers(0, 5), max_size=6), max_size=40), st.integers(0, 3))
def test_near_duplicates_of_a_crowd_are_those_of_comparing_all_pairs(crowd, bits):
    """All lie near the same hash, so that whom a photograph repeats hangs on who was kept."""
    hashes = [sum(1 << (11 * bit) for bit in flips) for flips in crowd]
    assert twins(hashes, bits) == brute_force_twins(hashes, bits)


def test_what_repeats_a_dropped_one_is_kept_when_it_is_far_from_the_kept_one():
    """Steps of two bits: the second repeats the first, the third is four bits from the first."""
    assert twins([0b0, 0b11, 0b1111, 0b1110], 2) == {1: 0, 3: 2}


def test_very_many_equal_hashes_are_all_of_the_first():
    hashes = np.zeros(200_000, np.uint64)
    hashes[7], hashes[-1] = 1 << 20, 0b1111 << 40
    found = near_duplicates(hashes, 2)
    assert found[0] == found[-1] == ALONE
    assert (found[1:-1] == 0).all()


def test_no_hashes_have_no_duplicates():
    assert near_duplicates(np.zeros(0, np.uint64), 2).shape == (0,)
    assert same_files(np.zeros((0, 4), np.uint64)).shape == (0,)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=30))
def test_the_same_files_are_those_of_the_same_digest(digests):
    """Digests that share words with others that differ elsewhere."""
    rows = [(0, high, 2**64 - 1, low) for high, low in digests]
    found = same_files(np.array(rows, np.uint64).reshape(-1, 4))
    firsts = [digests.index(one) for one in digests]
    expected = [first if first < place else ALONE for place, first in enumerate(firsts)]
    assert found.tolist() == expected
