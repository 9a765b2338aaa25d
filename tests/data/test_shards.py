"""Reading Lab shards: any squares in any order, and which of them to show."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_photographs import lab_set

from photochrom.data.shards import LabSet, ShardError, describe, rows_per_shard, shard_name

SQUARES = np.random.default_rng(0).integers(0, 256, (11, 3, 8, 8), dtype=np.uint8)


@pytest.mark.parametrize("shards", [1, 3, 11])
def test_squares_are_read_by_their_position_from_all_shards(tmp_path, shards):
    opened = lab_set(tmp_path, SQUARES, shards=shards)
    assert len(opened) == 11
    for rows in ([0], [10, 0, 5], [3, 3, 3], list(range(11)), []):
        found = opened.take(np.array(rows, dtype=int))
        np.testing.assert_array_equal(found, SQUARES[rows])
        assert found.dtype == np.uint8


def test_what_is_read_may_be_changed_without_harm(tmp_path):
    opened = lab_set(tmp_path, SQUARES)
    opened.take(np.array([0]))[:] = 0
    np.testing.assert_array_equal(opened.take(np.array([0])), SQUARES[:1])


def test_positions_beyond_the_end_are_refused(tmp_path):
    with pytest.raises(IndexError):
        lab_set(tmp_path, SQUARES).take(np.array([11]))


def test_a_split_knows_its_own_squares_only(tmp_path):
    opened = lab_set(tmp_path, SQUARES, split="test")
    assert (opened.split, opened.size) == ("test", 8)
    assert set(opened.index["split"]) == {"test"}
    empty = LabSet.open(tmp_path, "train")
    assert len(empty) == 0
    assert empty.take(np.array([], dtype=int)).shape == (0, 3, 8, 8)
    assert empty.spread(5).tolist() == []


def test_an_opened_split_travels_to_other_processes(tmp_path):
    opened = lab_set(tmp_path, SQUARES, shards=2)
    travelled = pickle.loads(pickle.dumps(opened))
    np.testing.assert_array_equal(travelled.take(np.arange(11)), SQUARES)


def test_unfinished_shards_are_refused(tmp_path):
    lab_set(tmp_path, SQUARES)
    (tmp_path / "lab.json").unlink()
    for read in (lambda: LabSet.open(tmp_path, "train"), lambda: describe(tmp_path)):
        with pytest.raises(ShardError, match="holds no Lab shards: run `dvc repro lab` first"):
            read()


def of_groups(groups: list[int]) -> LabSet:
    return LabSet(None, "test", pd.DataFrame({"group": groups}), 8)


@given(st.lists(st.integers(0, 6), max_size=40), st.integers(0, 45))
def test_shown_squares_are_of_as_many_groups_as_there_are(groups, count):
    found = of_groups(groups).spread(count).tolist()
    assert found == sorted(set(found))
    assert len(found) == min(count, len(groups))
    assert len({groups[position] for position in found}) == min(count, len(set(groups)))
    assert found == of_groups(groups).spread(count).tolist()


def test_a_large_group_does_not_crowd_out_the_others():
    assert {28, 29} < set(of_groups([0] * 28 + [1, 2]).spread(4).tolist())


def test_shown_squares_are_spread_over_the_whole_split():
    assert of_groups(list(range(100))).spread(4).tolist() == [0, 33, 66, 99]


def test_shards_are_of_half_a_gibibyte(monkeypatch):
    assert rows_per_shard(64) == 512 * 2**20 // (3 * 64 * 64)
    assert rows_per_shard(4096) == 10
    monkeypatch.setattr("photochrom.data.shards.SHARD_BYTES", 1)
    assert rows_per_shard(64) == 1
    assert shard_name("train", 12) == "train-00012.npy"
