"""Kept photographs become squares of eight-bit Lab: which pixels, which files."""

import errno
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
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_kit import SPLITS, converted, digests, judged, reference, several, square_of
from made_photographs import encoded, lab_params, picture
from PIL import Image

from photochrom.data import lab as lab_stage
from photochrom.data.raw import write_raw
from photochrom.data.shards import LabSet, ShardError
from photochrom.data.sources.base import InPlace, Photograph

FLOWER = Path(sklearn.__file__).parent / "datasets" / "images" / "flower.jpg"


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return several(tmp_path_factory.mktemp("lab"))


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr("photochrom.data.plan.SHARD_BYTES", 7 * 3 * 16 * 16)


def one_photograph(place: Path, data: bytes, suffix: str = "png") -> Path:
    return judged(place, {f"it.{suffix}": data}, ("train",))


# Pixels


def test_a_photograph_of_the_right_size_is_stored_to_half_a_step(tmp_path):
    image = picture(3, (24, 24))
    converted(one_photograph(tmp_path, encoded(image)), tmp_path / "lab", fit="crop", size=24)
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
    one = one_photograph(tmp_path, data, suffix=kind.lower())
    converted(one, tmp_path / "lab", fit=fit, size=size)
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
    one = one_photograph(tmp_path, encoded(Image.fromarray(BANDS)))
    for fit in ("crop", "resize"):
        converted(one, tmp_path / fit, fit=fit, size=50)
    assert set(band_colors(square_of(tmp_path / "crop"))) == {"green"}
    squashed = band_colors(square_of(tmp_path / "resize"))
    assert [squashed[x] for x in (2, 25, 47)] == ["red", "green", "blue"]
    assert squashed.count("green") in range(20, 26)


def test_a_rotated_photograph_is_stored_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    sensor = Image.fromarray(BANDS).transpose(Image.Transpose.ROTATE_90)
    one = one_photograph(tmp_path, encoded(sensor, exif=exif))
    converted(one, tmp_path / "lab", fit="resize", size=50)
    assert [band_colors(square_of(tmp_path / "lab"))[x] for x in (2, 25, 47)] == [
        *("red", "green", "blue"),
    ]


def test_gray_photographs_are_stored_without_color(tmp_path):
    one = one_photograph(tmp_path, encoded(picture(1).convert("L")))
    converted(one, tmp_path / "lab")
    assert (square_of(tmp_path / "lab")[1:] == 128).all()


@settings(max_examples=12)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(["crop", "resize", "tiles"]))
def test_photographs_of_every_size_fill_their_squares(tmp_path_factory, width, height, fit):
    """Also of a side of one pixel, and where the reduced size is no exact fraction."""
    place = tmp_path_factory.mktemp("sizes")
    image = Image.new("RGB", (width, height), (10, 200, 90))
    converted(one_photograph(place, encoded(image)), place / "lab", fit=fit)
    squares = LabSet.open(place / "lab", "train").take(np.array([0]))
    assert np.abs(squares - reference(np.asarray(image)[:1, :1])).max() <= 0.502


@pytest.mark.parametrize("pixels", [1, 700, 10**6])
def test_it_makes_no_difference_how_many_squares_are_converted_at_a_time(
    place, tmp_path, monkeypatch, pixels
):
    monkeypatch.setattr(lab_stage, "PIXELS", pixels)
    found = converted(place, tmp_path / "lab")["sha256"]
    monkeypatch.undo()
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")
    assert found == converted(place, tmp_path / "other")["sha256"]


def test_a_photographs_squares_do_not_depend_on_the_others(place, tmp_path):
    """In another order the places change, the squares do not."""
    table = pd.read_parquet(place / "manifest.parquet")
    table.sample(frac=1, random_state=1).iloc[:20].to_parquet(tmp_path / "manifest.parquet")
    (tmp_path / "raw").symlink_to(place / "raw")
    converted(place, tmp_path / "all")
    converted(tmp_path, tmp_path / "some")
    for split in SPLITS:
        whole, part = (LabSet.open(tmp_path / name, split) for name in ("all", "some"))
        for name in part.index["id"].unique():
            squares = [
                opened.take(np.flatnonzero(opened.index["id"] == name)) for opened in (whole, part)
            ]
            np.testing.assert_array_equal(*squares)


def test_rejected_photographs_have_no_squares(place, tmp_path):
    table = pd.read_parquet(place / "manifest.parquet")
    table.loc[table["id"] == "00.png", "status"] = "rejected"
    table.to_parquet(tmp_path / "manifest.parquet")
    (tmp_path / "raw").symlink_to(place / "raw")
    converted(tmp_path, tmp_path / "lab")
    index = pd.read_parquet(tmp_path / "lab" / "index.parquet")
    assert set(index["id"]) == set(table["id"]) - {"00.png"}


# Files


def test_the_number_of_processes_changes_no_byte(place, tmp_path, monkeypatch, small_shards):
    converted(place, tmp_path / "one")
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "2")
    converted(place, tmp_path / "two")
    found = digests(tmp_path / "one")
    assert digests(tmp_path / "two") == found
    assert set(found) > {"lab.json", "index.parquet", "train-00001.npy", "test-00000.npy"}
    assert not (tmp_path / "two-scratch").exists()


def test_shards_are_arrays_that_numpy_reads(place, tmp_path, small_shards):
    converted(place, tmp_path / "lab")
    for split in SPLITS:
        opened = LabSet.open(tmp_path / "lab", split)
        read = np.concatenate([np.load(path) for path in opened.shards])
        np.testing.assert_array_equal(read, opened.take(np.arange(len(opened))))
        assert max(len(np.load(path)) for path in opened.shards) <= 7


def test_lab_json_tells_what_is_there(place, tmp_path):
    about = converted(place, tmp_path / "lab")
    assert json.loads((tmp_path / "lab" / "lab.json").read_text()) == about
    assert (about["size"], about["fit"]) == (16, "tiles")
    index = pd.read_parquet(tmp_path / "lab" / "index.parquet")
    assert {split: about[split] for split in SPLITS} == index["split"].value_counts().to_dict()


def test_a_split_without_photographs_has_no_shards(tmp_path):
    about = converted(one_photograph(tmp_path, encoded(picture(0))), tmp_path / "lab")
    assert (about["train"], about["validation"], about["test"]) == (3, 0, 0)
    assert len(LabSet.open(tmp_path / "lab", "test")) == 0


def test_the_digest_is_of_all_pixels(place, tmp_path):
    found = [
        converted(place, tmp_path / str(number), seed=seed)["sha256"]
        for number, seed in enumerate([0, 0, 1])
    ]
    assert found[0] == found[1] != found[2]


def test_what_an_earlier_run_left_is_removed(place, tmp_path):
    """A shard more than there should be would be taken along."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("photochrom.data.plan.SHARD_BYTES", 4 * 3 * 16 * 16)
        converted(place, tmp_path / "lab")
    converted(place, tmp_path / "lab")
    converted(place, tmp_path / "fresh")
    assert digests(tmp_path / "lab") == digests(tmp_path / "fresh")


def test_a_photograph_that_has_gone_is_refused_by_name(tmp_path):
    """In place photographs may change between two stages."""
    path = tmp_path / "7.png"
    path.write_bytes(encoded(picture(7, (20, 16))))
    write_raw([Photograph(path.name, None, path.name, None, InPlace(path))], tmp_path / "raw")
    table = pd.read_parquet(tmp_path / "raw" / "manifest.parquet")
    table.assign(status="kept", split="train", width=20, height=16).to_parquet(
        tmp_path / "manifest.parquet"
    )
    converted(tmp_path, tmp_path / "lab")
    path.unlink()
    with pytest.raises(ShardError, match=r"7\.png: .*No such file.* Run `dvc repro"):
        converted(tmp_path, tmp_path / "lab")
    assert not (tmp_path / "lab" / "lab.json").exists()
    path.write_bytes(b"no longer a picture")
    with pytest.raises(ShardError, match=r"7\.png: This is no picture.* Run `dvc repro"):
        converted(tmp_path, tmp_path / "lab")


def test_a_full_disk_is_told_and_leaves_no_half_a_shard(place, tmp_path):
    """As an error that the stage can say, not a signal, as writing through a map would give."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011
            converted(place, tmp_path / "lab")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert caught.value.errno == errno.EFBIG
    assert not list((tmp_path / "lab-scratch").glob("train-*"))
    assert not (tmp_path / "lab" / "lab.json").exists()


# Killed and started again


KILLED = """
import os, signal, sys
from pathlib import Path
from photochrom.data import lab, plan
from photochrom.params.data import LabParams
write, done = lab.write_shard, []
def dying(path, shape, pieces):
    def fewer():
        yield from pieces
        if len(done) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(path)
    return write(path, shape, fewer())
lab.write_shard = dying
plan.SHARD_BYTES = 7 * 3 * 16 * 16
place, out = Path(sys.argv[1]), Path(sys.argv[2])
params = LabParams.model_validate_json(sys.argv[3])
scratch = out.with_name(f"{out.name}-scratch")
lab.write_lab(place / "manifest.parquet", place / "raw", out, scratch, params, 50)
"""


def killed_midway(place: Path, out: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(place), str(out), lab_params().model_dump_json()],
        env={**os.environ, "PHOTOCHROM_WORKERS": "1"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == -signal.SIGKILL


def test_killed_midway_it_goes_on_with_the_missing_shards(
    place, tmp_path, monkeypatch, small_shards
):
    killed_midway(place, tmp_path / "lab")
    with pytest.raises(ShardError, match="dvc repro lab"):
        LabSet.open(tmp_path / "lab", "train")
    scratch = tmp_path / "lab-scratch"
    finished = {path.name: path.stat().st_ino for path in scratch.glob("*.npy")}
    assert len(finished) == 3
    assert len(list(scratch.glob(".*.part"))) == 1
    written = []
    write = lab_stage.write_shard

    def noted(path, *rest):
        written.append(path.name)
        return write(path, *rest)

    monkeypatch.setattr(lab_stage, "write_shard", noted)
    converted(place, tmp_path / "lab")
    assert set(written) == {path.name for path in (tmp_path / "lab").glob("*.npy")} - set(finished)
    for name, inode in finished.items():
        assert (tmp_path / "lab" / name).stat().st_ino == inode
    assert not scratch.exists()
    converted(place, tmp_path / "fresh")
    assert digests(tmp_path / "lab") == digests(tmp_path / "fresh")


def test_what_was_begun_for_something_else_is_not_continued(place, tmp_path, small_shards):
    killed_midway(place, tmp_path / "lab")
    converted(place, tmp_path / "lab", seed=1)
    converted(place, tmp_path / "fresh", seed=1)
    assert digests(tmp_path / "lab") == digests(tmp_path / "fresh")


def test_memory_does_not_grow_with_the_size_of_a_shard(tmp_path, monkeypatch):
    """The squares of a shard are written as they come, never gathered."""
    most = 0
    write = lab_stage.write_shard

    def watched(path, shape, pieces):
        def seen():
            nonlocal most
            for piece in pieces:
                most = max(most, len(piece))
                yield piece

        return write(path, shape, seen())

    monkeypatch.setattr(lab_stage, "write_shard", watched)
    monkeypatch.setattr(lab_stage, "PIXELS", 4 * 16 * 16)
    about = converted(several(tmp_path), tmp_path / "lab")
    assert about["train"] > 20
    assert most <= 6
