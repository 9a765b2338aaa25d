"""The plan of the stage lab: which areas become squares, and where each of them goes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_photographs import lab_params

from photochrom.data import plan as planning
from photochrom.data.plan import areas, rows_per_shard, write_plan
from photochrom.params.data import LabParams

SPLITS = ("train", "validation", "test")


def boxes(
    name: str, width: int, height: int, split: str, params: LabParams
) -> list[tuple[float, ...]]:
    sides = np.array([width]), np.array([height])
    found = areas([name], *sides, np.array([split == "train"]), params)
    return [tuple(area) for area in found.tolist()]


@given(
    st.text(max_size=20),
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.sampled_from(SPLITS),
    st.sampled_from(["crop", "tiles"]),
    st.integers(8, 512),
    st.floats(0.01, 1),
    st.integers(0, 2**32 - 1),
)
def test_areas_are_squares_inside_the_photograph(
    name, width, height, split, fit, size, scale, seed
):
    params = lab_params(
        fit=fit, size=size, seed=seed, tiles={"train": 5, "held_out": 4, "min_scale": scale}
    )
    found = boxes(name, width, height, split, params)
    for left, top, right, bottom in found:
        assert right - left == bottom - top >= 1
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        # Never enlarged where the photograph is large enough, and no smaller than the scale says.
        shorter = min(width, height)
        assert right - left >= min(shorter, size)
        assert right - left >= min(shorter, round(scale * shorter))
    several = fit == "tiles" and min(width, height) > size
    assert len(found) == ((5 if split == "train" else 4) if several else 1)
    assert found == boxes(name, width, height, split, params)


def test_a_crop_is_the_centre_and_as_large_as_it_can_be():
    params = lab_params(fit="crop")
    assert boxes("a", 100, 60, "train", params) == [(20, 0, 80, 60)]
    assert boxes("a", 60, 100, "test", params) == [(0, 20, 60, 80)]
    assert boxes("a", 64, 64, "test", params) == [(0, 0, 64, 64)]


def test_resizing_takes_the_whole():
    assert boxes("a", 100, 60, "train", lab_params(fit="resize")) == [(0, 0, 100, 60)]


def test_small_photographs_give_one_tile_their_centre():
    assert boxes("a", 30, 16, "train", lab_params(size=16)) == [(7, 0, 23, 16)]
    assert boxes("a", 10, 12, "train", lab_params(size=16)) == [(0, 1, 10, 11)]


def test_tiles_depend_on_the_seed_and_the_name_alone():
    params = lab_params()
    tiles = boxes("a", 600, 400, "train", params)
    assert boxes("a", 600, 400, "train", lab_params(seed=1)) != tiles
    assert boxes("b", 600, 400, "train", params) != tiles
    assert boxes("a", 600, 400, "validation", params) == tiles[:2]
    more = lab_params(tiles={"train": 9})
    assert boxes("a", 600, 400, "train", more)[:3] == tiles


def test_photographs_that_are_planned_together_do_not_change_each_other():
    params, names = lab_params(), ["a", "small", "b"]
    sides, train = np.array([600, 9, 300]), np.array([True, True, False])
    together = [tuple(area) for area in areas(names, sides, sides, train, params).tolist()]
    apart = [
        boxes(name, side, side, "train" if own else "test", params)
        for name, side, own in zip(names, sides.tolist(), train, strict=True)
    ]
    assert together == [area for found in apart for area in found]
    assert [len(found) for found in apart] == [3, 1, 2]


def test_tiles_reach_all_of_the_photograph_and_have_all_sizes():
    params = lab_params(tiles={"train": 400, "min_scale": 0.25}, size=20)
    found = np.array(boxes("a", 300, 200, "train", params))
    sides = found[:, 2] - found[:, 0]
    assert 50 <= sides.min() < 60
    assert 190 < sides.max() <= 200
    assert (found[:, :2].min(axis=0) < 5).all()
    assert (found[:, 2:].max(axis=0) > (295, 195)).all()
    room = np.array([300, 200]) - sides[:, None]
    x, y = (found[:, :2] / np.maximum(room, 1)).T
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.15
    assert abs(np.corrcoef(x, sides)[0, 1]) < 0.15


def test_tiles_are_never_smaller_than_what_is_stored():
    """Enlarged tiles would teach the network to expect blur."""
    params = lab_params(tiles={"train": 300, "min_scale": 0.01}, size=64)
    found = np.array(boxes("a", 200, 200, "train", params))
    assert 64 <= (found[:, 2] - found[:, 0]).min() < 70


# Places


def manifest(place: Path, count: int, kept: float = 1.0, side: int = 60) -> Path:
    """Write a manifest of photographs that are not there; every fifth is no larger than a tile."""
    number = np.arange(count)
    sides = np.where(number % 5 == 0, 10, side)
    table = pd.DataFrame(
        {
            "id": [f"{row:05d}.png" for row in number],
            "shard": "shard-00000.zip",
            "path": [f"{row:05d}.png" for row in number],
            "group": [f"scene {row // 2}" for row in number],
            "label": None,
            "split": [SPLITS[row % 7 % 3] for row in number],
            "status": np.where(np.random.default_rng(0).random(count) < kept, "kept", "rejected"),
            "width": sides,
            "height": sides + number % 3,
        }
    )
    path = place / "manifest.parquet"
    table.to_parquet(path, index=False, row_group_size=100)
    return path


@settings(max_examples=30)
@given(
    count=st.integers(1, 250),
    batch=st.integers(1, 300),
    fit=st.sampled_from(["crop", "tiles"]),
    bounds=st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40)),
)
def test_every_square_has_one_place(tmp_path_factory, count, batch, fit, bounds):
    """However many photographs are planned at a time, and whatever the shards may hold."""
    place, params = tmp_path_factory.mktemp("plan"), lab_params(fit=fit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "BATCH", batch)
        most, shards, least = bounds
        patch.setattr("photochrom.data.plan.SHARD_BYTES", most * 3 * 16 * 16)
        patch.setattr("photochrom.data.plan.SHARDS", shards)
        patch.setattr("photochrom.data.plan.LEAST_ROWS", least)
        source = manifest(place, count, kept=0.9)
        table = pd.read_parquet(source).query("status == 'kept'")
        if table.empty:
            return
        plan = write_plan(source, params, place / "plan.arrow")
    squares = pd.concat([plan.squares(shard.number).to_pandas() for shard in plan.shards])
    for split, own in squares.groupby("split"):
        names = table.loc[table["split"] == split, "id"]
        lengths = own.groupby("shard").size()
        assert lengths.index.tolist() == list(range(len(lengths)))
        assert own["shard"].is_monotonic_increasing
        assert own["row"].tolist() == [row for length in lengths for row in range(length)]
        assert own["id"].unique().tolist() == names.tolist()
        assert own.groupby("id")["shard"].nunique().max() == 1
        assert lengths.max() <= max(most, 3 if fit == "tiles" else 1)
    expected = {
        row.id: boxes(row.id, row.width, row.height, row.split, params)
        for row in table.itertuples()
    }
    found = {
        name: list(own[list(planning.AREA)].itertuples(index=False, name=None))
        for name, own in squares.groupby("id")
    }
    assert found == expected


def test_a_plan_is_the_same_however_its_manifest_is_stored(tmp_path):
    """Categories and large strings, as Arrow may write them, are the same values."""
    plain = manifest(tmp_path, 40)
    table = pd.read_parquet(plain)
    other = tmp_path / "other.parquet"
    table.astype({"split": "category", "status": "category", "width": "int16"}).to_parquet(other)
    plans = [
        write_plan(source, lab_params(), tmp_path / f"{source.stem}.arrow")
        for source in (plain, other)
    ]
    assert plans[0].path.read_bytes() == plans[1].path.read_bytes()


def test_an_index_says_where_all_squares_lie_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "GROUP", 20)
    plan = write_plan(manifest(tmp_path, 60), lab_params(), tmp_path / "plan.arrow")
    counts = plan.write_index(tmp_path / "index.parquet")
    index = pd.read_parquet(tmp_path / "index.parquet")
    assert set(index.columns) == {
        *("id", "group", "label", "split", "width", "height"),
        *("left", "top", "right", "bottom", "shard", "row"),
    }
    assert counts == index["split"].value_counts().to_dict()
    assert len(index) == sum(shard.squares for shard in plan.shards)


# How large a shard is


def test_small_sets_are_cut_into_enough_shards_for_many_processes():
    assert rows_per_shard(64, 2000) == 32
    assert rows_per_shard(64, 64_000) == 1000
    assert rows_per_shard(64, 10) == 32


def test_shards_of_large_sets_hold_256_mebibytes_at_most():
    assert rows_per_shard(256, 1_280_000) == 256 * 2**20 // (3 * 256 * 256)
    assert rows_per_shard(4096, 1_280_000) == 5
    # With its last photograph's other tiles it must not be larger either.
    assert rows_per_shard(256, 1_280_000, 36) + 35 == 256 * 2**20 // (3 * 256 * 256)
    assert rows_per_shard(4096, 1_280_000, 36) == 1
