"""Which photographs are kept, why others are not, and the splits."""

import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from filter_kit import GOOD, faded, judge
from made_photographs import encoded, filter_params, picture, store
from PIL import Image

from photochrom.data import measured, selection
from photochrom.data.raw import write_raw
from photochrom.data.selection import REASONS, SelectionError, select, summary
from photochrom.data.selection_figures import draw_histogram, draw_selection
from photochrom.data.sources.base import File, InPlace, Photograph
from photochrom.data.splits import SPLITS

STRICT = {
    "min_colorfulness": 15,
    "min_side": 32,
    "max_megapixels": 0.1,
    "near_duplicate_bits": 2,
}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")


def bad_files() -> dict[str, tuple[bytes, str]]:
    """Return a file for each way to be bad, and the reason it is rejected with."""
    whole = encoded(picture(100))
    jpeg = encoded(picture(101), "JPEG")
    speck = picture(102).convert("L").convert("RGB")
    speck.putpixel((3, 3), (255, 0, 0))
    return {
        "bad/empty.jpg": (b"", "corrupt"),
        "bad/text.jpg": (b"not a picture", "corrupt"),
        "bad/truncated.png": (whole[: len(whole) // 2], "corrupt"),
        "bad/truncated.jpg": (jpeg[: len(jpeg) // 2], "corrupt"),
        "bad/huge.png": (encoded(Image.new("RGB", (1000, 400), "red")), "too large"),
        "bad/pixel.png": (encoded(Image.new("RGB", (1, 1), "red")), "too small"),
        "bad/strip.png": (encoded(picture(103, (400, 31))), "too small"),
        "bad/gray.png": (encoded(picture(104).convert("L")), "gray"),
        "bad/gray in color.jpg": (
            encoded(picture(105).convert("L").convert("RGB"), "JPEG"),
            "gray",
        ),
        "bad/speck.png": (encoded(speck), "gray"),
        "bad/one bit.png": (encoded(picture(106).convert("1")), "gray"),
        "bad/faded.png": (encoded(faded(107)), "not colorful"),
        "good/again.png": (GOOD["good/00.png"], "duplicate"),
        "good/smaller.png": (encoded(picture(1).resize((54, 36))), "near duplicate"),
        "good/compressed.webp": (encoded(picture(2), "WEBP", quality=60), "near duplicate"),
    }


def odd_files() -> dict[str, bytes]:
    """Return photographs of every odd kind, all of which are good."""
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [picture(number).quantize(64) for number in (201, 202)]
    return {
        "odd/cmyk.jpg": encoded(picture(203).convert("CMYK"), "JPEG"),
        "odd/palette.png": encoded(picture(204).quantize(64)),
        "odd/alpha.png": encoded(picture(205).convert("RGBA")),
        "odd/animated.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "odd/rotated.jpg": encoded(picture(206), "JPEG", exif=exif),
        "odd/paint.tiff": encoded(picture(207), "TIFF"),
        "odd/modern.avif": encoded(picture(208), "AVIF"),
    }


class Judged(NamedTuple):
    """Where the photographs and the manifest of the selection lie, and what stands in it."""

    raw: Path
    manifest: Path
    table: pd.DataFrame


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Return good, odd and bad photographs judged together."""
    place = tmp_path_factory.mktemp("judged")
    bad = {name: data for name, (data, _) in bad_files().items()}
    raw = store(place, GOOD | odd_files() | bad)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOTOCHROM_WORKERS", "1")
        table = judge(raw, filter_params(**STRICT))
    return Judged(raw, place / "filtered.parquet", table)


def test_every_bad_photograph_is_accounted_for_with_its_reason(judged):
    table = judged.table
    found = {name: table.loc[name, "reason"] for name in bad_files()}
    assert found == {name: reason for name, (_, reason) in bad_files().items()}
    assert set(found.values()) == set(REASONS)
    rejected = table.loc[list(found)]
    assert set(rejected["status"]) == {"rejected"}
    assert all(detail.endswith(".") and len(detail) > 8 for detail in rejected["detail"])


def test_every_good_and_every_odd_photograph_is_kept(judged):
    table = judged.table
    good = table.loc[[*GOOD, *odd_files()]]
    assert set(good["status"]) == {"kept"}
    assert set(good["reason"]) == set(good["detail"]) == {""}


def test_the_table_has_one_row_per_photograph_in_the_order_of_the_manifest(judged):
    raw, table = judged.raw, judged.table
    manifest = pd.read_parquet(raw / "manifest.parquet")
    assert table["id"].tolist() == manifest["id"].tolist()
    assert set(manifest.columns) < set(table.columns)
    assert {"width", "height", "colorfulness", "colorfulness_absolute", "hash"} < set(table.columns)
    assert table["sha256"].tolist() == manifest["sha256"].tolist()
    assert set(table["split"]) == set(SPLITS)


def test_details_say_what_is_wrong(judged):
    details = judged.table["detail"]
    assert details["bad/empty.jpg"] == "The file is empty."
    assert details["bad/strip.png"] == "Its shorter side is 31 px, under 32."
    assert details["bad/huge.png"] == "It has 1000 x 400 pixels, over the limit of 0.1 MP."
    assert details["good/again.png"] == "It is the same file as good/00.png."
    assert details["good/smaller.png"] == "It looks the same as good/01.png."
    assert "under 15" in details["bad/faded.png"]


def test_sizes_are_upright_and_unknown_ones_zero(judged):
    sizes = judged.table[["width", "height"]]
    assert sizes.loc["odd/rotated.jpg"].tolist() == [40, 60]
    assert sizes.loc["good/00.png"].tolist() == [60, 40]
    assert sizes.loc["bad/text.jpg"].tolist() == [0, 0]
    assert np.isnan(judged.table.loc["bad/text.jpg", "colorfulness"])


def test_the_summary_counts_everything_once(judged):
    table = judged.table
    numbers = summary(judged.manifest)
    reasons = Counter(reason for _, reason in bad_files().values())
    assert numbers["photographs"] == len(table)
    assert numbers["kept"] == len(GOOD) + len(odd_files())
    assert {name: numbers[f"rejected_{name.replace(' ', '_')}"] for name in REASONS} == reasons
    assert sum(numbers[split] for split in SPLITS) == numbers["kept"]
    assert [numbers[f"groups_{split}"] for split in SPLITS] == [numbers[split] for split in SPLITS]
    kept = table[table["status"] == "kept"]
    assert numbers["mean_colorfulness"] == pytest.approx(kept["colorfulness"].mean(), abs=1e-3)
    assert all(isinstance(number, (int, float)) for number in numbers.values())


def test_figures_show_what_was_kept_and_each_reason(judged, tmp_path):
    raw, manifest, _ = judged
    for name in ("one", "two"):
        draw_histogram(manifest, filter_params(**STRICT), tmp_path / f"{name}.png")
        draw_selection(manifest, raw, filter_params(**STRICT), tmp_path / f"{name}.jpg")
    for kind in ("png", "jpg"):
        first, second = (tmp_path / f"{name}.{kind}" for name in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()
    with Image.open(tmp_path / "one.jpg") as drawn:
        # What cannot be opened has no row: kept, and five of the seven reasons.
        assert drawn.height == 6 * (112 + 4 + 18) + 4


def test_neither_the_processes_nor_where_they_run_changes_anything(judged, tmp_path, monkeypatch):
    """The paths are relative, and the workers' directory is another."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "2")
    monkeypatch.setattr(measured, "LEAST_ROWS", 5)
    monkeypatch.setattr(measured, "in_parallel", elsewhere(measured.in_parallel, tmp_path))
    near = Path(os.path.relpath(judged.raw))
    select(near, Path("two.parquet"), filter_params(**STRICT), Path(".checkpoints/filter"))
    assert Path("two.parquet").read_bytes() == judged.manifest.read_bytes()


def elsewhere(in_parallel, place):
    """Have the work done in another directory than the caller's."""

    def moved(work, items, title, total):
        (place / "elsewhere").mkdir()
        os.chdir(place / "elsewhere")
        yield from in_parallel(work, items, title, total)
        os.chdir(place)

    return moved


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_the_size_of_the_parts_changes_nothing(judged, tmp_path, monkeypatch, rows):
    monkeypatch.setattr(measured, "LEAST_ROWS", rows)
    select(judged.raw, tmp_path / "other.parquet", filter_params(**STRICT), tmp_path / "scratch")
    assert (tmp_path / "other.parquet").read_bytes() == judged.manifest.read_bytes()


def test_a_manifest_of_many_groups_of_rows_says_the_same(judged, tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "LEAST_ROWS", 5)
    monkeypatch.setattr(selection, "GROUP", 12)
    manifest = tmp_path / "groups.parquet"
    select(judged.raw, manifest, filter_params(**STRICT), tmp_path / "scratch")
    pd.testing.assert_frame_equal(pd.read_parquet(manifest), judged.table.reset_index(drop=True))
    assert summary(manifest) == summary(judged.manifest)
    draw_selection(manifest, judged.raw, filter_params(**STRICT), tmp_path / "groups.jpg")
    draw_selection(judged.manifest, judged.raw, filter_params(**STRICT), tmp_path / "one.jpg")
    assert (tmp_path / "groups.jpg").read_bytes() == (tmp_path / "one.jpg").read_bytes()


def test_photographs_left_in_place_are_judged_also_when_one_has_gone(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(30)]
    for number, path in enumerate(paths):
        path.write_bytes(encoded(picture(number)))
    listed = [Photograph(path.name, None, path.name, None, InPlace(path)) for path in paths]
    write_raw(listed, tmp_path / "raw")
    paths[3].unlink()
    table = judge(tmp_path / "raw", filter_params())
    assert table.loc["3.png", "reason"] == "corrupt"
    assert "No such file" in table.loc["3.png", "detail"]
    assert (table.drop(index="3.png")["status"] == "kept").all()
    digest = hashlib.sha256(paths[4].read_bytes()).hexdigest()
    assert table.loc["4.png", "sha256"] == digest


def test_photographs_whose_bytes_could_not_be_had_are_corrupt(tmp_path):
    raw = store(tmp_path, GOOD)
    listed = [
        Photograph(name, None, name, None, File(tmp_path / "photographs" / name)) for name in GOOD
    ]
    gone = Photograph("gone.png", None, "gone.png", None, File(tmp_path / "gone.png"))
    write_raw([*listed, gone], raw)
    table = judge(raw, filter_params())
    assert table.loc["gone.png", "reason"] == "corrupt"


# Duplicates


def test_the_first_of_equal_files_is_kept(tmp_path):
    copies = {f"z/{number}.png": GOOD["good/05.png"] for number in range(3)}
    table = judge(store(tmp_path, GOOD | copies), filter_params())
    assert table.loc["good/05.png", "status"] == "kept"
    assert table.loc[list(copies), "reason"].tolist() == ["duplicate"] * 3


def test_a_copy_of_a_rejected_photograph_is_rejected_for_what_it_is(tmp_path):
    gray = encoded(picture(300).convert("L"))
    table = judge(store(tmp_path, GOOD | {"a.png": gray, "b.png": gray}), filter_params())
    assert table.loc[["a.png", "b.png"], "reason"].tolist() == ["gray", "gray"]


def test_near_duplicates_are_kept_where_nobody_asks(tmp_path):
    twin = {"twin.jpg": encoded(picture(0), "JPEG")}
    table = judge(store(tmp_path, GOOD | twin), filter_params(near_duplicate_bits=None))
    assert set(table["status"]) == {"kept"}


@pytest.mark.parametrize("names", [["a.png"], ["train/a.png", "test/a.png", "test/b.png"]])
def test_an_empty_split_is_refused_with_what_to_do(tmp_path, names):
    files = {name: encoded(picture(number)) for number, name in enumerate(names)}
    with pytest.raises(SelectionError, match=r"No photograph is left for .* Loosen filter"):
        judge(store(tmp_path, files), filter_params())


def test_the_refusal_counts_the_reasons(tmp_path):
    files = {f"{number}.png": b"broken" for number in range(3)}
    with pytest.raises(SelectionError, match=r"0 of 3 were kept .*'corrupt': 3"):
        judge(store(tmp_path, files), filter_params(near_duplicate_bits=2))


def test_a_source_without_photographs_is_refused(tmp_path):
    write_raw([], tmp_path / "raw")
    with pytest.raises(SelectionError, match="no photographs in data/raw"):
        judge(tmp_path / "raw", filter_params())
