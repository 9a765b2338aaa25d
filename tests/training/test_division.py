"""How a batch is divided: every photograph once, and every process in every piece."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from photochrom.training.distributed import ALONE, Group
from photochrom.training.division import divide
from photochrom.training.errors import TrainingError


@given(total=st.integers(1, 70), size=st.integers(1, 9), most=st.none() | st.integers(1, 20))
def test_every_photograph_is_seen_once(total: int, size: int, most: int | None) -> None:
    if total < size:
        with pytest.raises(TrainingError, match="PHOTOCHROM_PROCESSES"):
            divide(total, Group(0, size), most)
        return
    shares = [divide(total, Group(rank, size), most) for rank in range(size)]
    # One process takes the whole batch as it is; whoever shares it is told its positions.
    assert all((share.positions is None) == (size == 1) for share in shares)
    positions = [torch.arange(total) if (p := s.positions) is None else p for s in shares]
    seen = [int(position) for own in positions for position in own]
    assert sorted(seen) == list(range(total))
    assert len({len(share.pieces) for share in shares}) == 1
    assert all(len(piece) > 0 for share in shares for piece in share.pieces)


@given(total=st.integers(1, 70), most=st.integers(1, 20))
def test_a_device_takes_no_more_than_it_may(total: int, most: int) -> None:
    pieces = divide(total, ALONE, most).pieces
    assert max(map(len, pieces)) <= most
    assert len(pieces) == -(-total // most)


@given(count=st.integers(0, 50), size=st.integers(1, 9))
def test_shares_are_even(count: int, size: int) -> None:
    shares = [Group(rank, size).share(count) for rank in range(size)]
    assert [place for share in shares for place in share] == list(range(count))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
