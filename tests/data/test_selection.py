"""Which photographs are kept, why others are not, and the splits."""

import hashlib
import io
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_photographs import encoded, filter_params, picture, store
from PIL import Image
from skimage import data as photographs_of_skimage

from photochrom.data.raw import write_raw
from photochrom.data.selection import (
    REASONS,
    SPLITS,
    Measured,
    SelectionError,
    difference_hash,
    measure,
    near_duplicates,
    select,
    split_of,
    summary,
)
from photochrom.data.selection_figures import draw_histogram, draw_selection
from photochrom.data.sources.base import File, InPlace, Photograph
from photochrom.params.data import SplitParams

STRICT = {
    "min_colorfulness": 15,
    "min_side": 32,
    "max_megapixels": 0.1,
    "near_duplicate_bits": 2,
}
GOOD = {f"good/{number:02d}.png": encoded(picture(number)) for number in range(20)}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")


def faded(number: int) -> Image.Image:
    """Return a picture with hardly any color."""
    gray = np.asarray(picture(number).convert("L"), dtype=np.int16)
    return Image.fromarray(np.stack((gray + 8, gray, gray), 2).clip(0, 255).astype(np.uint8))


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


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Return the raw folder and the table of good, odd and bad photographs together."""
    place = tmp_path_factory.mktemp("judged")
    bad = {name: data for name, (data, _) in bad_files().items()}
    raw = store(place, GOOD | odd_files() | bad)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOTOCHROM_WORKERS", "1")
        return raw, select(raw, filter_params(**STRICT)).set_index("id", drop=False)


def test_every_bad_photograph_is_accounted_for_with_its_reason(judged):
    _, table = judged
    found = {name: table.loc[name, "reason"] for name in bad_files()}
    assert found == {name: reason for name, (_, reason) in bad_files().items()}
    assert set(found.values()) == set(REASONS)
    rejected = table.loc[list(found)]
    assert set(rejected["status"]) == {"rejected"}
    assert all(detail.endswith(".") and len(detail) > 8 for detail in rejected["detail"])


def test_every_good_and_every_odd_photograph_is_kept(judged):
    _, table = judged
    good = table.loc[[*GOOD, *odd_files()]]
    assert set(good["status"]) == {"kept"}
    assert set(good["reason"]) == set(good["detail"]) == {""}


def test_the_table_has_one_row_per_photograph_in_the_order_of_the_manifest(judged):
    raw, table = judged
    manifest = pd.read_parquet(raw / "manifest.parquet")
    assert table["id"].tolist() == manifest["id"].tolist()
    assert set(manifest.columns) < set(table.columns)
    assert {"width", "height", "colorfulness", "colorfulness_absolute", "hash"} < set(table.columns)
    assert table["sha256"].tolist() == manifest["sha256"].tolist()
    assert set(table["split"]) == set(SPLITS)


def test_details_say_what_is_wrong(judged):
    details = judged[1]["detail"]
    assert details["bad/empty.jpg"] == "The file is empty."
    assert details["bad/strip.png"] == "Its shorter side is 31 px, under 32."
    assert details["bad/huge.png"] == "It has 1000 x 400 pixels, over the limit of 0.1 MP."
    assert details["good/again.png"] == "It is the same file as good/00.png."
    assert details["good/smaller.png"] == "It looks the same as good/01.png."
    assert "under 15" in details["bad/faded.png"]


def test_sizes_are_upright_and_unknown_ones_zero(judged):
    sizes = judged[1][["width", "height"]]
    assert sizes.loc["odd/rotated.jpg"].tolist() == [40, 60]
    assert sizes.loc["good/00.png"].tolist() == [60, 40]
    assert sizes.loc["bad/text.jpg"].tolist() == [0, 0]
    assert np.isnan(judged[1].loc["bad/text.jpg", "colorfulness"])


def test_the_summary_counts_everything_once(judged):
    _, table = judged
    numbers = summary(table)
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
    raw, table = judged
    for name in ("one", "two"):
        draw_histogram(table, filter_params(**STRICT), tmp_path / f"{name}.png")
        draw_selection(table, raw, filter_params(**STRICT), tmp_path / f"{name}.jpg")
    for kind in ("png", "jpg"):
        first, second = (tmp_path / f"{name}.{kind}" for name in ("one", "two"))
        assert first.read_bytes() == second.read_bytes()
    with Image.open(tmp_path / "one.jpg") as drawn:
        # What cannot be opened has no row: kept, and five of the seven reasons.
        assert drawn.height == 6 * (112 + 4 + 18) + 4


def test_the_number_of_processes_changes_nothing(judged, monkeypatch):
    raw, table = judged
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "2")
    with_two = select(raw, filter_params(**STRICT))
    pd.testing.assert_frame_equal(with_two, table.reset_index(drop=True))


def test_the_size_of_the_chunks_changes_nothing(judged, monkeypatch):
    raw, table = judged
    for size in (1, 7):
        monkeypatch.setattr("photochrom.data.selection.CHUNK", size)
        again = select(raw, filter_params(**STRICT))
        pd.testing.assert_frame_equal(again, table.reset_index(drop=True))


# Measuring one photograph


def test_measuring_a_bad_file_gives_its_digest_and_reason():
    found = measure(b"nothing", filter_params())
    assert (found.reason, found.width, found.hash) == ("corrupt", 0, "")
    assert found.sha256 == hashlib.sha256(b"nothing").hexdigest()


def test_large_photographs_are_measured_reduced_and_agree_with_the_whole():
    image = Image.fromarray(photographs_of_skimage.coffee())
    large, small = image.resize((1800, 1200)), image
    found = [measure(encoded(one), filter_params()) for one in (large, small)]
    assert (found[0].width, found[0].height) == (1800, 1200)
    assert found[0].colorfulness == pytest.approx(found[1].colorfulness, rel=0.02)
    assert 0.8 < found[1].colorfulness_absolute / found[1].colorfulness < 1


@pytest.mark.parametrize("least", [0.0, 200.0])
def test_the_threshold_of_colorfulness_is_the_one_given(least):
    found = measure(GOOD["good/00.png"], filter_params(min_colorfulness=least))
    assert found.reason == ("not colorful" if least else "")


def test_a_gray_photograph_is_gray_even_where_any_colorfulness_will_do():
    assert measure(encoded(picture(1).convert("L")), filter_params()).reason == "gray"


@pytest.mark.parametrize("photograph", [picture(1).convert("L"), faded(2)])
def test_without_a_least_colorfulness_even_photographs_without_color_are_kept(photograph):
    found = measure(encoded(photograph), filter_params(min_colorfulness=None))
    assert found.reason == ""
    assert found.colorfulness < 15


def test_sides_just_long_enough_are_kept():
    for side, reason in ((32, ""), (31, "too small")):
        data = encoded(picture(1, (100, side)))
        assert measure(data, filter_params(min_side=32)).reason == reason


def test_photographs_left_in_place_are_judged_also_when_one_has_gone(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(30)]
    for number, path in enumerate(paths):
        path.write_bytes(encoded(picture(number)))
    listed = [Photograph(path.name, None, path.name, None, InPlace(path)) for path in paths]
    write_raw(listed, tmp_path / "raw")
    paths[3].unlink()
    table = select(tmp_path / "raw", filter_params()).set_index("id")
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
    table = select(raw, filter_params()).set_index("id")
    assert table.loc["gone.png", "reason"] == "corrupt"


# Duplicates


def test_the_first_of_equal_files_is_kept(tmp_path):
    copies = {f"z/{number}.png": GOOD["good/05.png"] for number in range(3)}
    table = select(store(tmp_path, GOOD | copies), filter_params()).set_index("id")
    assert table.loc["good/05.png", "status"] == "kept"
    assert table.loc[list(copies), "reason"].tolist() == ["duplicate"] * 3


def test_a_copy_of_a_rejected_photograph_is_rejected_for_what_it_is(tmp_path):
    gray = encoded(picture(300).convert("L"))
    table = select(store(tmp_path, GOOD | {"a.png": gray, "b.png": gray}), filter_params())
    assert table.set_index("id").loc[["a.png", "b.png"], "reason"].tolist() == ["gray", "gray"]


def test_near_duplicates_are_kept_where_nobody_asks(tmp_path):
    twin = {"twin.jpg": encoded(picture(0), "JPEG")}
    table = select(store(tmp_path, GOOD | twin), filter_params(near_duplicate_bits=None))
    assert set(table["status"]) == {"kept"}


def test_real_photographs_differ_and_their_copies_do_not():
    real = {
        name: Image.fromarray(getattr(photographs_of_skimage, name)())
        for name in ("astronaut", "chelsea", "coffee", "rocket")
    }
    hashes = {name: int(difference_hash(image), 16) for name, image in real.items()}
    for name, image in real.items():
        small = image.resize((image.width // 3, image.height // 3), Image.Resampling.LANCZOS)
        with_loss = Image.open(io.BytesIO(encoded(image, "JPEG", quality=40)))
        for copy in (small, with_loss):
            assert (int(difference_hash(copy), 16) ^ hashes[name]).bit_count() <= 3
        others = [
            (value ^ hashes[name]).bit_count() for key, value in hashes.items() if key != name
        ]
        assert min(others) > 12


def test_the_difference_hash_is_the_published_one():
    image = picture(7, (90, 80))
    gray = np.asarray(image.convert("L"), dtype=np.float64)
    areas = gray.reshape(8, 10, 9, 10).mean(axis=(1, 3)).round()
    bits = "".join("1" if row[i + 1] > row[i] else "0" for row in areas for i in range(8))
    assert (int(bits, 2) ^ int(difference_hash(image), 16)).bit_count() <= 1
    assert len(difference_hash(image)) == 16


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
    found = near_duplicates([f"{value:016x}" for value in hashes], bits)
    assert found == brute_force_twins(hashes, bits)


@pytest.mark.parametrize("untouched", range(4))
def test_near_duplicates_are_found_by_whichever_quarter_is_left(untouched):
    flips = sum(1 << (16 * quarter + 5) for quarter in range(4) if quarter != untouched)
    hashes = ["0123456789abcdef", f"{0x0123456789ABCDEF ^ flips:016x}"]
    assert near_duplicates(hashes, 3) == {1: 0}
    assert near_duplicates(hashes, 2) == {}


# Splits


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
    before = select(store(tmp_path / "few", GOOD), filter_params()).set_index("id")["split"]
    more = {f"a/{number}.png": encoded(picture(400 + number)) for number in range(20)}
    after = select(store(tmp_path / "more", GOOD | more), filter_params()).set_index("id")["split"]
    assert after[before.index].equals(before)


def test_no_group_stands_on_two_sides(tmp_path):
    raw = tmp_path / "raw"
    listed = []
    for number in range(60):
        path = tmp_path / f"{number}.png"
        path.write_bytes(encoded(picture(number, (20, 16))))
        listed.append(Photograph(path.name, None, f"scene {number // 3}", None, File(path)))
    write_raw(listed, raw)
    table = select(raw, filter_params())
    assert len(table[["group", "split"]].drop_duplicates()) == 20
    numbers = summary(table)
    assert sum(numbers[f"groups_{split}"] for split in SPLITS) == 20


def own(tmp_path, *folders: str, each: int = 20) -> pd.Series:
    files = {
        f"{folder}/{position:02d}.png": encoded(picture(100 * number + position, (20, 16)))
        for number, folder in enumerate(folders)
        for position in range(each)
    }
    return select(store(tmp_path, files), filter_params()).set_index("id")["split"]


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
    splits = select(store(tmp_path, files), params).set_index("id")["split"]
    assert set(of(splits, "test")) == set(of(splits, "train")) == set(SPLITS)


@pytest.mark.parametrize("names", [["a.png"], ["train/a.png", "test/a.png", "test/b.png"]])
def test_an_empty_split_is_refused_with_what_to_do(tmp_path, names):
    files = {name: encoded(picture(number)) for number, name in enumerate(names)}
    with pytest.raises(SelectionError, match=r"No photograph is left for .* Loosen filter"):
        select(store(tmp_path, files), filter_params())


def test_the_refusal_counts_the_reasons(tmp_path):
    files = {f"{number}.png": b"broken" for number in range(3)}
    with pytest.raises(SelectionError, match=r"0 of 3 were kept .*'corrupt': 3"):
        select(store(tmp_path, files), filter_params(near_duplicate_bits=2))


def test_a_source_without_photographs_is_refused(tmp_path):
    write_raw([], tmp_path / "raw")
    with pytest.raises(SelectionError, match="no photographs in data/raw"):
        select(tmp_path / "raw", filter_params())


def test_what_cannot_be_opened_has_no_measurements():
    assert Measured().hash == ""
    assert np.isnan(Measured().colorfulness_absolute)
