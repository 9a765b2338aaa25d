"""Reading Lab shards: any squares in any order, and which of them to show."""

import hashlib
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_photographs import lab_set

from photochrom.data import shards as shards_room
from photochrom.data.shard_writing import Finished, is_whole, write_shard
from photochrom.data.shards import LabSet, ShardError, describe, shard_name, squares_in_order
from photochrom.files import file_digest

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


def test_a_shards_name_tells_its_split_and_number():
    assert shard_name("train", 12) == "train-00012.npy"


# Many files, and damaged ones


@given(st.lists(st.integers(0, 10), max_size=60))
def test_any_rows_in_any_order_are_read_with_few_files_open(tmp_path_factory, rows):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards_room, "OPEN", 2)
        opened = lab_set(tmp_path_factory.mktemp("shards"), SQUARES, shards=4)
        for _ in range(2):
            np.testing.assert_array_equal(opened.take(np.array(rows, dtype=int)), SQUARES[rows])


def test_more_shards_can_be_read_than_a_process_may_hold_files_open(tmp_path):
    resource = pytest.importorskip("resource")
    squares = np.random.default_rng(1).integers(0, 256, (600, 3, 8, 8), dtype=np.uint8)
    opened = lab_set(tmp_path, squares, shards=600)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))
    try:
        np.testing.assert_array_equal(opened.take(np.arange(600)), squares)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_several_threads_may_read_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(shards_room, "OPEN", 1)
    opened = lab_set(tmp_path, SQUARES, shards=11)
    orders = [np.random.default_rng(seed).permutation(11) for seed in range(200)]
    with ThreadPoolExecutor(4) as pool:
        for order, found in zip(orders, pool.map(opened.take, orders), strict=True):
            np.testing.assert_array_equal(found, SQUARES[order])


def test_an_opened_split_travels_without_its_files_after_it_was_read(tmp_path):
    opened = lab_set(tmp_path, SQUARES, shards=2)
    before = len(pickle.dumps(opened))
    opened.take(np.arange(11))
    assert len(pickle.dumps(opened)) == before
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(opened)).take(np.arange(11)), SQUARES)


@pytest.mark.parametrize("fault", ["gone", "cut off", "no array", "empty"])
def test_a_damaged_shard_is_refused_with_the_remedy(tmp_path, fault):
    opened = lab_set(tmp_path, SQUARES, shards=2)
    shard = opened.shards[1]
    data = {"cut off": shard.read_bytes()[:-1], "no array": bytes(500), "empty": b""}
    shard.unlink() if fault == "gone" else shard.write_bytes(data[fault])
    np.testing.assert_array_equal(opened.take(np.arange(6)), SQUARES[:6])
    for read in (lambda: opened.take(np.array([10])), lambda: list(squares_in_order(shard, 99))):
        with pytest.raises(ShardError, match="run `dvc repro --force lab`"):
            read()


@pytest.mark.parametrize("pixels", [1, 100, 64 * 5, 10**6])
def test_a_shard_is_read_in_order_in_pieces(tmp_path, pixels):
    (shard,) = lab_set(tmp_path, SQUARES).shards
    pieces = list(squares_in_order(shard, pixels))
    np.testing.assert_array_equal(np.concatenate(pieces), SQUARES)
    assert max(map(len, pieces)) == min(11, max(1, pixels // 64))


def test_a_written_shard_has_the_bytes_that_numpy_writes(tmp_path):
    np.save(tmp_path / "numpy.npy", SQUARES)
    pieces = [SQUARES[:3], SQUARES[3:3], SQUARES[3:]]
    digest = write_shard(tmp_path / "ours.npy", SQUARES.shape, iter(pieces))
    ours = (tmp_path / "ours.npy").read_bytes()
    assert ours == (tmp_path / "numpy.npy").read_bytes()
    assert digest == hashlib.sha256(ours).hexdigest() == file_digest(tmp_path / "ours.npy")


def test_a_shard_that_cannot_be_finished_is_not_there(tmp_path):
    def pieces():
        yield SQUARES[:3]
        raise ShardError("7.png: it has gone.")

    with pytest.raises(ShardError, match="it has gone"):
        write_shard(tmp_path / "ours.npy", SQUARES.shape, pieces())
    assert list(tmp_path.iterdir()) == []


def test_a_shard_is_whole_where_its_bytes_are_those_that_were_written(tmp_path):
    """A power cut may leave a file of the right length that is full of zeros."""
    path = tmp_path / "ours.npy"
    digest = write_shard(path, SQUARES.shape, [SQUARES])
    assert is_whole(path, digest)
    written = path.read_bytes()
    for damaged in (written[:-1], bytes(len(written)), b""):
        path.write_bytes(damaged)
        assert not is_whole(path, digest)
    path.unlink()
    assert not is_whole(path, digest)


def test_finished_shards_are_listed_one_by_one_over_several_runs(tmp_path):
    finished = Finished(tmp_path / "finished.txt")
    assert finished.digests() == {}
    for name, digest in finished.adding([("train-00000.npy", "ab"), ("test-00000.npy", "cd")]):
        assert finished.digests()[name] == digest
    assert list(finished.adding([("train-00001.npy", "ef")])) == [("train-00001.npy", "ef")]
    expected = {"train-00000.npy": "ab", "test-00000.npy": "cd", "train-00001.npy": "ef"}
    assert finished.digests() == expected


@pytest.mark.parametrize("left", ["train-00001", "train-00001.npy", "\0\0\0\0", "\xff\xfe", ""])
def test_half_a_line_in_the_list_of_finished_shards_says_nothing(tmp_path, left):
    finished = Finished(tmp_path / "finished.txt")
    list(finished.adding([("train-00000.npy", "ab")]))
    with finished.path.open("a", encoding="latin-1") as handle:
        handle.write(left)
    assert finished.digests() == {"train-00000.npy": "ab"}
