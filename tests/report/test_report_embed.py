"""Pictures inside the page: whole where they fit, smaller or left out where they do not."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from photochrom.params import Params
from photochrom.report import page as page_module
from photochrom.report.collect import collect
from photochrom.report.embed import Collection, Rung, addresses

RUNGS = (Rung(64, 88), Rung(32, 60))


def _noise(path: Path, side: int, seed: int = 0) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, compress_level=1)
    return path


def _picture(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.split(",")[1], validate=True)))


@pytest.fixture(scope="module")
def noises(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("noises")
    return [_noise(folder / f"{seed}.png", 128, seed) for seed in range(8)]


def test_what_fits_is_the_files_themselves(noises: list[Path]) -> None:
    found = addresses([Collection((tuple(noises),), RUNGS, 1.0)], 10**9)
    assert list(found) == noises
    for path, address in found.items():
        assert base64.b64decode(address.split(",")[1]) == path.read_bytes()


def test_what_is_too_large_becomes_smaller_and_stays_whole(noises: list[Path]) -> None:
    found = addresses([Collection((tuple(noises),), RUNGS, 1.0)], 120_000)
    assert set(found) == set(noises)
    for address in found.values():
        with _picture(address) as image:
            assert (image.format, image.size) == ("JPEG", (64, 64))


def test_the_last_parts_are_left_out_where_not_even_the_smallest_fit(noises: list[Path]) -> None:
    parts = tuple((path,) for path in noises)
    found = addresses([Collection(parts, RUNGS, 1.0)], 8_000)
    assert list(found) == noises[: len(found)]
    assert 0 < len(found) < len(noises)


def test_a_part_stands_or_falls_as_one(noises: list[Path]) -> None:
    parts = (tuple(noises[:3]), tuple(noises[3:]))
    found = addresses([Collection(parts, RUNGS, 1.0)], 8_000)
    assert list(found) == noises[:3]


def test_the_collection_that_claims_most_for_its_share_gives_way(noises: list[Path]) -> None:
    small, large = noises[0], noises[1:]
    collections = [Collection(((small,),), RUNGS, 1.0), Collection((tuple(large),), RUNGS, 1.0)]
    found = addresses(collections, 200_000)
    with _picture(found[small]) as one, _picture(found[large[0]]) as other:
        assert (one.size, other.size) == ((128, 128), (64, 64))


@settings(max_examples=20)
@given(budget=st.integers(-1000, 700_000))
def test_no_budget_is_ever_exceeded(noises: list[Path], budget: int) -> None:
    halves = (tuple((path,) for path in noises[:4]), (tuple(noises[4:]),))
    collections = [
        Collection(parts, RUNGS, share) for parts, share in zip(halves, (3.0, 1.0), strict=True)
    ]
    assert sum(map(len, addresses(collections, budget).values())) <= max(0, budget)


def test_the_page_keeps_to_its_limit_whatever_the_pictures(
    project: Path, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (project / "results" / "evaluate").glob("*/pictures/*.png"):
        _noise(path, 300)
    for path in (project / "results" / "evaluate").glob("*/details/failures/*.jpg"):
        _noise(path.with_suffix(".png"), 700)
        path.with_suffix(".png").rename(path)
    results = collect(params, project)
    whole = page_module.render(results)
    assert len(whole.encode()) > 4_000_000
    words = len(re.sub('data:image/[^"]*', "", whole).encode())
    for room in (2_000_000, 400_000, 60_000):
        monkeypatch.setattr(page_module, "LIMIT", words + room)
        text = page_module.render(results)
        assert len(text.encode()) <= words + room
    assert "Not all sheets of photographs found room on the page" in text
    assert "data:image" in text


def test_a_page_of_words_alone_that_is_too_large_is_refused(
    project: Path, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "LIMIT", 10_000)
    with pytest.raises(page_module.ReportError, match="compare fewer models"):
        page_module.render(collect(params, project))
