"""The embedded photographs: every one there, and no scene in two groups."""

import io
import sys
from collections import Counter

import pytest
from PIL import Image

from photochrom.data.sources import SourceError, photographs, samples

PAIRS = [
    ("mvtbdata/images/rocks2-l.png", "mvtbdata/images/rocks2-r.png"),
    ("mvtbdata/images/walls-l.png", "mvtbdata/images/walls-r.png"),
    ("mvtbdata/images/eiffel-1.png", "mvtbdata/images/eiffel-2.png"),
    ("mvtbdata/images/flowers1.png", "mvtbdata/images/flowers8.png"),
    ("mvtbdata/images/tomato_14.png", "mvtbdata/images/tomato_54.png"),
    ("mvtbdata/images/mosaic/aerial-08.png", "mvtbdata/images/mosaic/aerialphoto.png"),
    ("mvtbdata/images/campus/P1070491.png", "mvtbdata/images/campus/holdout/P1070492.png"),
    ("mvtbdata/images/campus/P1070507.png", "mvtbdata/images/campus/P1070514.png"),
    ("skimage/data/motorcycle_left.png", "skimage/data/motorcycle_right.png"),
]


@pytest.fixture
def found(data_params, tmp_path):
    return list(photographs(data_params("samples"), tmp_path))


def test_every_photograph_of_the_list_is_installed_and_in_color(found):
    assert len(found) == 66
    for photograph in found:
        with Image.open(io.BytesIO(photograph.location.read())) as image:
            assert image.mode in ("RGB", "RGBA"), photograph.id


def test_no_photograph_is_listed_twice(found):
    assert max(Counter(photograph.id for photograph in found).values()) == 1
    assert max(Counter(photograph.location.read() for photograph in found).values()) == 1


def test_views_of_one_scene_share_a_group(found):
    groups = {photograph.id: photograph.group for photograph in found}
    assert all(groups[one] == groups[other] for one, other in PAIRS)
    assert len(set(groups.values())) == 30


def test_nothing_is_fetched_or_imported(found, tmp_path):
    assert list(tmp_path.iterdir()) == []
    assert "mvtbdata" not in sys.modules


def test_a_missing_package_says_what_to_install(data_params, tmp_path, monkeypatch):
    samples._folder.cache_clear()
    monkeypatch.setattr(samples, "find_spec", lambda name: None)
    with pytest.raises(SourceError, match=r"mvtbdata.*pip install 'photochrom\[samples\]'"):
        photographs(data_params("samples"), tmp_path)


def test_a_photograph_missing_from_its_package_is_named(data_params, tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "_folder", lambda name: tmp_path)
    with pytest.raises(SourceError, match=r"mvtbdata comes without images/58060\.png"):
        photographs(data_params("samples"), tmp_path)
