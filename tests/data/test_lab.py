"""Kept photographs become squares of eight-bit Lab: which areas, which pixels, which files."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage.color
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from made_photographs import encoded, filter_params, lab_params, picture, store
from PIL import Image

from photochrom.data import lab as lab_stage
from photochrom.data.lab import boxes, plan, write_lab
from photochrom.data.raw import write_raw
from photochrom.data.selection import select
from photochrom.data.shards import LabSet, ShardError
from photochrom.data.sources.base import InPlace, Photograph

SPLITS = ("train", "validation", "test")
FLOWER = Path(sklearn.__file__).parent / "datasets" / "images" / "flower.jpg"


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Return the raw folder of 24 photographs of several sizes and kinds, and their table."""
    sizes = [(60, 40), (40, 60), (33, 33), (16, 16), (90, 20), (12, 30)]
    files = {
        f"{number:02d}.{kind.lower()}": encoded(picture(number, sizes[number % len(sizes)]), kind)
        for number in range(24)
        for kind in [("PNG", "JPEG", "WEBP")[number % 3]]
    }
    raw = store(tmp_path_factory.mktemp("lab"), files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOTOCHROM_WORKERS", "1")
        return raw, select(raw, filter_params())


def one_photograph(tmp_path, data: bytes, split: str = "train", suffix: str = "png"):
    """Return the raw folder and the table of one photograph, put into a split."""
    files = {f"it.{suffix}": data} | {f"z{n}.png": encoded(picture(n)) for n in range(20)}
    raw = store(tmp_path, files)
    table = select(raw, filter_params())
    return raw, table[table["id"] == f"it.{suffix}"].assign(split=split)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def reference(rgb: np.ndarray) -> np.ndarray:
    """Convert with scikit-image to unrounded stored Lab (3, S, S)."""
    lab = skimage.color.rgb2lab(rgb)
    return np.stack((lab[..., 0] * 2.55, lab[..., 1] + 128, lab[..., 2] + 128))


def square_of(out: Path, split: str = "train", number: int = 0) -> np.ndarray:
    return LabSet.open(out, split).take(np.array([number]))[0].astype(int)


# Areas


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


def test_tiles_reach_all_of_the_photograph_and_have_all_sizes():
    params = lab_params(tiles={"train": 400, "min_scale": 0.25}, size=20)
    areas = np.array(boxes("a", 300, 200, "train", params))
    sides = areas[:, 2] - areas[:, 0]
    assert 50 <= sides.min() < 60
    assert 190 < sides.max() <= 200
    assert (areas[:, :2].min(axis=0) < 5).all()
    assert (areas[:, 2:].max(axis=0) > (295, 195)).all()
    room = np.array([300, 200]) - sides[:, None]
    x, y = (areas[:, :2] / np.maximum(room, 1)).T
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.15
    assert abs(np.corrcoef(x, sides)[0, 1]) < 0.15


def test_tiles_are_never_smaller_than_what_is_stored():
    """Enlarged tiles would teach the network to expect blur."""
    params = lab_params(tiles={"train": 300, "min_scale": 0.01}, size=64)
    areas = np.array(boxes("a", 200, 200, "train", params))
    assert 64 <= (areas[:, 2] - areas[:, 0]).min() < 70


# Places


def test_the_plan_gives_every_square_its_own_place(judged, monkeypatch):
    monkeypatch.setattr("photochrom.data.shards.SHARD_BYTES", 5 * 3 * 16 * 16)
    index = plan(judged[1], lab_params())
    for split in SPLITS:
        part = index[index["split"] == split]
        places = list(zip(part["shard"], part["row"], strict=True))
        assert places == [(number // 5, number % 5) for number in range(len(part))]


def test_the_index_describes_every_square(judged, tmp_path):
    raw, table = judged
    about = write_lab(table, raw, tmp_path / "lab", lab_params(), 50)
    index = pd.read_parquet(tmp_path / "lab" / "index.parquet")
    assert set(index.columns) == {
        *("id", "group", "label", "split", "width", "height"),
        *("left", "top", "right", "bottom", "shard", "row"),
    }
    assert {split: about[split] for split in SPLITS} == index["split"].value_counts().to_dict()
    expected = {
        row.id: boxes(row.id, row.width, row.height, row.split, lab_params())
        for row in table.itertuples()
    }
    for name, squares in index.groupby("id"):
        found = squares[["left", "top", "right", "bottom"]].itertuples(index=False, name=None)
        assert list(found) == expected[name]


def test_rejected_photographs_have_no_squares(judged, tmp_path):
    raw, table = judged
    some = table.copy()
    some.loc[some["id"] == "00.png", "status"] = "rejected"
    write_lab(some, raw, tmp_path / "lab", lab_params(), 50)
    index = pd.read_parquet(tmp_path / "lab" / "index.parquet")
    assert set(index["id"]) == set(table["id"]) - {"00.png"}


# Pixels


def test_a_photograph_of_the_right_size_is_stored_to_half_a_step(tmp_path):
    image = picture(3, (24, 24))
    raw, table = one_photograph(tmp_path, encoded(image))
    write_lab(table, raw, tmp_path / "lab", lab_params(fit="crop", size=24), 50)
    error = square_of(tmp_path / "lab") - reference(np.asarray(image))
    assert np.abs(error).max() <= 0.502


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("fit", ["crop", "resize", "tiles"])
@pytest.mark.parametrize("size", [32, 100])
def test_stored_squares_are_those_of_pillow_and_skimage(tmp_path, kind, fit, size):
    """Cut from the whole photograph and scaled in one go: that it is opened reduced moves nothing.

    Half a pixel of displacement costs some 7 dB.
    """
    with Image.open(FLOWER) as flower:
        image = flower.convert("RGB")
    options = {"quality": 95} if kind == "JPEG" else {}
    data = encoded(image, kind, **options)
    raw, table = one_photograph(tmp_path, data, suffix=kind.lower())
    write_lab(table, raw, tmp_path / "lab", lab_params(fit=fit, size=size), 50)
    index = LabSet.open(tmp_path / "lab", "train").index
    with Image.open(io.BytesIO(data)) as opened:
        whole = opened.convert("RGB")
    for number, row in enumerate(index.itertuples()):
        area = (row.left, row.top, row.right, row.bottom)
        cut = whole.resize((size, size), Image.Resampling.BICUBIC, box=area)
        error = square_of(tmp_path / "lab", number=number) - reference(np.asarray(cut))
        assert 10 * np.log10(255**2 / np.square(error[0]).mean()) > 33
        assert np.abs(error.mean(axis=(1, 2))).max() < 0.25
    assert len(index) == (3 if fit == "tiles" else 1)


BANDS = np.zeros((50, 100, 3), dtype=np.uint8)
BANDS[:, :25], BANDS[:, 25:75], BANDS[:, 75:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def band_colors(stored: np.ndarray) -> list[str]:
    """Name the colors of the middle row, from left to right."""
    names = {}
    for name, color in (("red", (255, 0, 0)), ("green", (0, 255, 0)), ("blue", (0, 0, 255))):
        lab = reference(np.array(color, dtype=np.uint8)[None, None])[:, 0, 0]
        names[name] = np.abs(stored[:, stored.shape[1] // 2] - lab[:, None]).max(axis=0) < 3
    return [next((name for name in names if names[name][x]), "") for x in range(stored.shape[2])]


def test_crops_do_not_squash_and_resizing_does(tmp_path):
    raw, table = one_photograph(tmp_path, encoded(Image.fromarray(BANDS)))
    for fit in ("crop", "resize"):
        write_lab(table, raw, tmp_path / fit, lab_params(fit=fit, size=50), 50)
    assert set(band_colors(square_of(tmp_path / "crop"))) == {"green"}
    squashed = band_colors(square_of(tmp_path / "resize"))
    assert [squashed[x] for x in (2, 25, 47)] == ["red", "green", "blue"]
    assert squashed.count("green") in range(20, 26)


def test_a_rotated_photograph_is_stored_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    sensor = Image.fromarray(BANDS).transpose(Image.Transpose.ROTATE_90)
    raw, table = one_photograph(tmp_path, encoded(sensor, exif=exif))
    write_lab(table, raw, tmp_path / "lab", lab_params(fit="resize", size=50), 50)
    assert [band_colors(square_of(tmp_path / "lab"))[x] for x in (2, 25, 47)] == [
        *("red", "green", "blue"),
    ]


def test_gray_photographs_are_stored_without_color(tmp_path):
    raw, table = one_photograph(tmp_path, encoded(picture(1).convert("L")))
    write_lab(table.assign(status="kept"), raw, tmp_path / "lab", lab_params(), 50)
    assert (square_of(tmp_path / "lab")[1:] == 128).all()


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(["crop", "resize", "tiles"]))
def test_photographs_of_every_size_fill_their_squares(tmp_path_factory, width, height, fit):
    """Also of a side of one pixel, and where the reduced size is no exact fraction."""
    place = tmp_path_factory.mktemp("sizes")
    image = Image.new("RGB", (width, height), (10, 200, 90))
    raw = store(place, {"it.png": encoded(image)})
    row = pd.read_parquet(raw / "manifest.parquet").assign(
        status="kept", split="train", width=width, height=height
    )
    write_lab(row, raw, place / "lab", lab_params(fit=fit), 50)
    squares = LabSet.open(place / "lab", "train").take(np.array([0]))
    assert np.abs(squares - reference(np.asarray(image)[:1, :1])).max() <= 0.502


# Files


def test_the_number_and_order_of_processes_change_no_byte(judged, tmp_path, monkeypatch):
    raw, table = judged
    monkeypatch.setattr("photochrom.data.shards.SHARD_BYTES", 7 * 3 * 16 * 16)
    write_lab(table, raw, tmp_path / "one", lab_params(), 50)
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "2")
    monkeypatch.setattr(lab_stage, "CHUNK", 3)
    write_lab(table, raw, tmp_path / "two", lab_params(), 50)
    found = digests(tmp_path / "one")
    assert digests(tmp_path / "two") == found
    assert set(found) > {"lab.json", "index.parquet", "train-00001.npy", "test-00000.npy"}
    assert not list((tmp_path / "two").glob("*.part"))


def test_a_photographs_squares_do_not_depend_on_the_others(judged, tmp_path):
    """In another order the places change, the squares do not."""
    raw, table = judged
    shuffled = table.sample(frac=1, random_state=1).iloc[:20]
    write_lab(table, raw, tmp_path / "all", lab_params(), 50)
    write_lab(shuffled, raw, tmp_path / "some", lab_params(), 50)
    for split in SPLITS:
        whole, part = (LabSet.open(tmp_path / name, split) for name in ("all", "some"))
        for name in part.index["id"].unique():
            squares = [
                opened.take(np.flatnonzero(opened.index["id"] == name)) for opened in (whole, part)
            ]
            np.testing.assert_array_equal(*squares)


def test_shards_hold_as_many_squares_as_fit(judged, tmp_path, monkeypatch):
    raw, table = judged
    monkeypatch.setattr("photochrom.data.shards.SHARD_BYTES", 10 * 3 * 16 * 16 + 5)
    about = write_lab(table, raw, tmp_path / "lab", lab_params(), 50)
    for split in SPLITS:
        shapes = [
            np.load(path, mmap_mode="r").shape
            for path in sorted((tmp_path / "lab").glob(f"{split}-*.npy"))
        ]
        full, left = divmod(about[split], 10)
        assert shapes == [(10, 3, 16, 16)] * full + [(left, 3, 16, 16)] * (left > 0)


def test_lab_json_tells_what_is_there(judged, tmp_path):
    raw, table = judged
    about = write_lab(table, raw, tmp_path / "lab", lab_params(), 50)
    assert json.loads((tmp_path / "lab" / "lab.json").read_text()) == about
    assert (about["size"], about["fit"]) == (16, "tiles")
    assert sum(about[split] for split in SPLITS) == len(
        pd.read_parquet(tmp_path / "lab" / "index.parquet")
    )


def test_the_digest_is_of_all_pixels(judged, tmp_path):
    raw, table = judged
    seeds = [0, 0, 1]
    found = [
        write_lab(table, raw, tmp_path / str(number), lab_params(seed=seed), 50)["sha256"]
        for number, seed in enumerate(seeds)
    ]
    assert found[0] == found[1] != found[2]


def test_what_an_earlier_run_left_is_removed(judged, tmp_path, monkeypatch):
    """A shard more than there should be would be taken along."""
    raw, table = judged
    monkeypatch.setattr("photochrom.data.shards.SHARD_BYTES", 4 * 3 * 16 * 16)
    write_lab(table, raw, tmp_path / "lab", lab_params(), 50)
    (tmp_path / "lab" / "train-00000.npy.part").write_bytes(b"half")
    monkeypatch.undo()
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")
    write_lab(table, raw, tmp_path / "lab", lab_params(), 50)
    assert set(digests(tmp_path / "lab")) == {
        *(f"{split}-00000.npy" for split in SPLITS),
        *("index.parquet", "lab.json"),
    }


def test_a_photograph_that_has_gone_is_refused_by_name(tmp_path):
    """In place photographs may change between two stages."""
    listed = []
    for number in range(30):
        path = tmp_path / f"{number}.png"
        path.write_bytes(encoded(picture(number, (20, 16))))
        listed.append(Photograph(path.name, None, path.name, None, InPlace(path)))
    write_raw(listed, tmp_path / "raw")
    table = select(tmp_path / "raw", filter_params())
    out = tmp_path / "lab"
    write_lab(table, tmp_path / "raw", out, lab_params(), 50)
    (tmp_path / "7.png").unlink()
    with pytest.raises(ShardError, match=r"7\.png: .*No such file.* Run `dvc repro"):
        write_lab(table, tmp_path / "raw", out, lab_params(), 50)
    assert not (out / "lab.json").exists()
    (tmp_path / "7.png").write_bytes(b"no longer a picture")
    with pytest.raises(ShardError, match=r"7\.png: This is no picture.* Run `dvc repro"):
        write_lab(table, tmp_path / "raw", out, lab_params(), 50)


KILLED = """
import os, signal, sys
import pandas as pd
from pathlib import Path
from photochrom.data import lab
from photochrom.params.data import LabParams
convert, done = lab._lab_squares, []
def dying(*arguments):
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(1)
    return convert(*arguments)
lab._lab_squares = dying
place = Path(sys.argv[1])
params = LabParams.model_validate_json(sys.argv[2])
table = pd.read_parquet(place / "table.parquet")
lab.write_lab(table, Path(sys.argv[3]), place / "lab", params, 50)
"""


def test_killed_midway_nothing_can_be_read_and_the_next_run_is_whole(judged, tmp_path):
    raw, table = judged
    table.to_parquet(tmp_path / "table.parquet")
    arguments = [str(tmp_path), lab_params().model_dump_json(), str(raw)]
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        env={**os.environ, "PHOTOCHROM_WORKERS": "1"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == -signal.SIGKILL
    assert list((tmp_path / "lab").glob("*.part"))
    assert not list((tmp_path / "lab").glob("*.npy"))
    with pytest.raises(ShardError, match="dvc repro lab"):
        LabSet.open(tmp_path / "lab", "train")
    write_lab(table, raw, tmp_path / "lab", lab_params(), 50)
    write_lab(table, raw, tmp_path / "fresh", lab_params(), 50)
    assert digests(tmp_path / "lab") == digests(tmp_path / "fresh")
