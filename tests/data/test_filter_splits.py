"""Splits: by a hash of the group, or a set's own."""

import hashlib
from collections import Counter

import pandas as pd
import pytest
from filter_kit import GOOD, judge
from made_photographs import encoded, filter_params, picture, store

from photochrom.data.raw import write_raw
from photochrom.data.selection import summary
from photochrom.data.sources.base import File, Photograph
from photochrom.data.splits import SPLITS, split_of
from photochrom.params.data import SplitParams


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")


def by_hash(**changes) -> SplitParams:
    return SplitParams(**{"own": True, "validation": 0.2, "test": 0.1, "seed": 5, **changes})


def test_shares_of_the_splits_are_those_asked_for():
    counts = Counter(split_of(f"group {number}", by_hash()) for number in range(20_000))
    assert counts["test"] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert counts["validation"] / 20_000 == pytest.approx(0.2, abs=0.01)


def test_a_group_stays_in_its_split_when_the_test_share_does():
    """More validation takes from training only, and another seed gives another division."""
    names = [f"group {number}" for number in range(500)]
    few, many, other = (
        [split_of(name, params) for name in names]
        for params in (by_hash(), by_hash(validation=0.5), by_hash(seed=6))
    )
    assert all(a == b or (a, b) == ("train", "validation") for a, b in zip(few, many, strict=True))
    assert few != other


def test_the_splits_are_the_same_on_every_machine_and_in_every_version():
    assert [split_of(name, by_hash()) for name in "abcdefghij"] == [
        hashed(name, 5, 0.2, 0.1) for name in "abcdefghij"
    ]


def hashed(group: str, seed: int, validation: float, test: float) -> str:
    share = int(hashlib.sha256(f"{seed}:{group}".encode()).hexdigest()[:16], 16) / 2**64
    return ["train", "validation", "test"][(share < test + validation) + (share < test)]


def test_adding_photographs_moves_none(tmp_path):
    before = judge(store(tmp_path / "few", GOOD), filter_params())["split"]
    more = {f"a/{number}.png": encoded(picture(400 + number)) for number in range(20)}
    after = judge(store(tmp_path / "more", GOOD | more), filter_params())["split"]
    assert after[before.index].equals(before)


def test_no_group_stands_on_two_sides(tmp_path):
    raw = tmp_path / "raw"
    listed = []
    for number in range(60):
        path = tmp_path / f"{number}.png"
        path.write_bytes(encoded(picture(number, (20, 16))))
        listed.append(Photograph(path.name, None, f"scene {number // 3}", None, File(path)))
    write_raw(listed, raw)
    table = judge(raw, filter_params())
    assert len(table[["group", "split"]].drop_duplicates()) == 20
    numbers = summary(tmp_path / "filtered.parquet")
    assert sum(numbers[f"groups_{split}"] for split in SPLITS) == 20


def own(tmp_path, *folders: str, each: int = 20) -> pd.Series:
    files = {
        f"{folder}/{position:02d}.png": encoded(picture(100 * number + position, (20, 16)))
        for number, folder in enumerate(folders)
        for position in range(each)
    }
    return judge(store(tmp_path, files), filter_params())["split"]


def of(splits: pd.Series, folder: str) -> Counter:
    return Counter(splits[splits.index.str.startswith(f"{folder}/")])


def test_the_three_splits_of_a_set_are_kept(tmp_path):
    splits = own(tmp_path, "train", "val", "test", each=3)
    assert of(splits, "train") == {"train": 3}
    assert of(splits, "val") == {"validation": 3}
    assert of(splits, "test") == {"test": 3}


def test_a_set_with_train_and_test_lends_training_photographs_for_validation(tmp_path):
    splits = own(tmp_path, "train", "test")
    assert of(splits, "test") == {"test": 20}
    assert set(of(splits, "train")) == {"train", "validation"}


def test_a_set_with_train_and_validation_is_measured_on_the_latter(tmp_path):
    splits = own(tmp_path, "train", "val")
    assert of(splits, "val") == {"test": 20}
    assert set(of(splits, "train")) == {"train", "validation"}


def test_a_set_that_sets_nothing_aside_is_divided_by_hash(tmp_path):
    assert set(own(tmp_path, "train")) == {"train", "validation", "test"}


def test_a_sets_own_splits_are_ignored_on_request(tmp_path):
    files = {
        f"{folder}/{position}.png": encoded(picture(position + start, (20, 16)))
        for folder, start in (("train", 0), ("test", 50))
        for position in range(20)
    }
    params = filter_params(split={"own": False})
    splits = judge(store(tmp_path, files), params)["split"]
    assert set(of(splits, "test")) == set(of(splits, "train")) == set(SPLITS)
