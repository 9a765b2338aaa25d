"""The published sets, from small archives of the official layout.

The checksums of the small archives stand in for the published ones: the check itself runs.
"""

import hashlib
import io
import pickle
import tarfile
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import CIFAR10, Imagenette, Places365

from photochrom.data.sources import (
    SourceError,
    cifar10,
    coco,
    imagenet,
    imagenette,
    photographs,
    places365,
    published,
)
from photochrom.data.sources.base import InPlace
from photochrom.data.sources.fetch import fetch

CLASSES = ["airplane", "automobile", "bird", "cat", "deer"]

# Python 3.11.3 and older have no extraction filters, 3.12 and newer warn without one.
SAFE = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.fixture
def downloads(tmp_path):
    return tmp_path / "downloads"


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "archives"
    folder.mkdir()
    return folder


@pytest.fixture
def expect(monkeypatch):
    """Expect the small archive where the published one would be."""

    def expect(module, name, path):
        small = replace(getattr(module, name), md5=md5(path.read_bytes()))
        monkeypatch.setattr(module, name, small)

    return expect


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """Point every address to a port where nothing listens, and do not wait for it."""

    def offline(url, target, checksum=None):
        try:
            return fetch("http://127.0.0.1:9/" + url.rsplit("/", 1)[-1], target, checksum, ())
        except SourceError as error:
            raise SourceError(f"{url} {error}") from None

    monkeypatch.setattr(published, "fetch", offline)


@pytest.fixture
def cifar(write_tar, place, expect, monkeypatch):
    """Write CIFAR-10 with four photographs in each of its six batches."""
    rng = np.random.default_rng(0)
    pixels, files = {}, {}
    for name, _ in CIFAR10.train_list + CIFAR10.test_list:
        pixels[name] = rng.integers(0, 256, (4, 3072), dtype=np.uint8)
        files[name] = pickle.dumps({"data": pixels[name], "labels": [0, 1, 2, 3]})
    files["batches.meta"] = pickle.dumps({"label_names": CLASSES})
    known = {name: md5(data) for name, data in files.items()}
    for lists in ("train_list", "test_list"):
        batches = [[name, known[name]] for name, _ in getattr(CIFAR10, lists)]
        monkeypatch.setattr(CIFAR10, lists, batches)
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": known["batches.meta"]})
    members = {f"cifar-10-batches-py/{name}": data for name, data in files.items()}
    path = write_tar(place / "cifar-10-python.tar.gz", members)
    expect(cifar10, "ARCHIVE", path)
    return path, pixels


def assert_is_cifar(found, pixels):
    assert Counter(photograph.split for photograph in found) == {"train": 20, "test": 4}
    assert [photograph.label for photograph in found[:4]] == CLASSES[:4]
    with Image.open(io.BytesIO(found[-1].location.read())) as image:
        assert image.format == "PNG"
        shown = np.asarray(image)
    assert np.array_equal(shown, pixels["test_batch"][3].reshape(3, 32, 32).transpose(1, 2, 0))
    assert found[-1].id == "cifar10/test/cat/00003.png"


def test_cifar10_from_its_archive(cifar, place, downloads, data_params):
    _, pixels = cifar
    assert_is_cifar([*photographs(data_params("cifar10", path=str(place)), downloads)], pixels)
    assert list(downloads.iterdir()) == []


def test_cifar10_from_the_downloads(cifar, downloads, data_params):
    path, pixels = cifar
    downloads.mkdir()
    path.rename(downloads / path.name)
    assert_is_cifar([*photographs(data_params("cifar10"), downloads)], pixels)


def test_cifar10_from_the_unpacked_folder(cifar, place, downloads, data_params):
    path, pixels = cifar
    with tarfile.open(path) as archive:
        archive.extractall(place, **SAFE)
    path.unlink()
    params = data_params("cifar10", path=str(place))
    assert_is_cifar([*photographs(params, downloads)], pixels)
    (place / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"a pickle of someone else")
    with pytest.raises(SourceError, match="is not CIFAR-10 as published"):
        photographs(params, downloads)


def test_cifar10_limited(cifar, place, downloads, data_params):
    found = list(photographs(data_params("cifar10", path=str(place), limit=5), downloads))
    assert len(found) == 5


def test_imagenette(write_tar, jpeg, place, downloads, data_params, expect):
    names = [
        f"imagenette2-160/{split}/n01440764/x{n}.JPEG" for split in ("train", "val") for n in "12"
    ]
    members = {name: jpeg(number) for number, name in enumerate(names)}
    path = write_tar(place / "imagenette2-160.tgz", {**members, "imagenette2-160/noisy.csv": b""})
    expect(imagenette, "ARCHIVE", path)
    params = data_params("imagenette", path=str(place))
    read = {found.id: found.location.read() for found in photographs(params, downloads)}
    assert read == members
    found = list(photographs(params, downloads))
    assert [photograph.split for photograph in found] == ["train", "train", "test", "test"]
    assert {photograph.label for photograph in found} == {"n01440764"}
    with tarfile.open(path) as archive:
        archive.extractall(place, **SAFE)
    path.unlink()
    assert [again.id for again in photographs(params, downloads)] == names


@pytest.fixture
def places(write_tar, jpeg, place, expect):
    members = {f"val_256/Places365_val_0000000{n}.jpg": jpeg(n) for n in (1, 2)}
    expect(places365, "PHOTOGRAPHS", write_tar(place / "val_256.tar", members))
    lists = {
        "categories_places365.txt": b"/a/airfield 0\n/b/balcony/exterior 1\n",
        "places365_val.txt": b"Places365_val_00000001.jpg 1\nPlaces365_val_00000002.jpg 0\n",
        "places365_train_standard.txt": b"/a/airfield/00000001.jpg 0\n",
    }
    path = write_tar(place / "filelist_places365-standard.tar", lists)
    expect(places365, "LISTS", path)
    return lists


def test_places365(places, place, downloads, data_params):
    found = list(photographs(data_params("places365", path=str(place)), downloads))
    assert [(photograph.id, photograph.label, photograph.split) for photograph in found] == [
        ("val_256/Places365_val_00000001.jpg", "balcony/exterior", None),
        ("val_256/Places365_val_00000002.jpg", "airfield", None),
    ]


def test_places365_with_its_lists_unpacked(places, place, downloads, data_params):
    (place / "filelist_places365-standard.tar").unlink()
    for name, content in places.items():
        (place / name).write_bytes(content)
    params = data_params("places365", path=str(place))
    assert [found.label for found in photographs(params, downloads)][1] == "airfield"
    (place / "places365_val.txt").write_text("Places365_val_00000001.jpg 7\n")
    with pytest.raises(SourceError, match="not the lists of Places365"):
        photographs(params, downloads)


@pytest.fixture
def write_coco(write_zip, jpeg, place, monkeypatch):
    def write(*splits):
        for split in splits:
            folder = coco.ARCHIVES[split].folder
            members = {f"{folder}/00000000000{n}.jpg": jpeg(n) for n in range(3)}
            path = write_zip(place / f"{folder}.zip", members)
            small = replace(coco.ARCHIVES[split], md5=md5(path.read_bytes()))
            monkeypatch.setitem(coco.ARCHIVES, split, small)

    return write


def test_coco_has_both_splits(write_coco, place, downloads, data_params):
    write_coco("train", "test")
    found = list(photographs(data_params("coco", path=str(place)), downloads))
    assert Counter(photograph.split for photograph in found) == {"train": 3, "test": 3}
    assert found[-1].id == "val2017/000000000002.jpg"
    assert found[0].label is None


def test_coco_is_what_data_path_holds_of_it(write_coco, place, downloads, data_params):
    write_coco("test")
    found = list(photographs(data_params("coco", path=str(place)), downloads))
    assert {photograph.split for photograph in found} == {"test"}


def test_coco_interrupted_between_its_archives_is_not_complete(
    write_coco, place, downloads, data_params
):
    write_coco("test")
    place.rename(downloads)
    with pytest.raises(SourceError, match=r"train2017\.zip"):
        photographs(data_params("coco"), downloads)


@pytest.mark.parametrize("layout", imagenet.LAYOUTS)
def test_imagenet_is_left_in_place(layout, jpeg, place, downloads, data_params):
    names = [
        "train/n01440764/a.JPEG",
        "train/n01443537/b.JPEG",
        "val/c.JPEG",
        "val/n01440764/d.JPEG",
    ]
    for number, name in enumerate(names):
        path = place / layout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(number))
    (place / layout / "test").mkdir()
    (place / layout / "test" / "unlabelled.JPEG").write_bytes(jpeg(9))
    found = list(photographs(data_params("imagenet", path=str(place)), downloads))
    assert [photograph.id for photograph in found] == names
    assert [photograph.split for photograph in found] == ["train", "train", "test", "test"]
    assert [photograph.label for photograph in found] == [
        "n01440764",
        "n01443537",
        None,
        "n01440764",
    ]
    assert all(isinstance(photograph.location, InPlace) for photograph in found)
    assert all(photograph.location.path.is_absolute() for photograph in found)


def test_imagenet_missing_says_what_to_fetch(place, downloads, data_params):
    with pytest.raises(SourceError, match=r"ILSVRC2012_img_train\.tar .*image-net\.org"):
        photographs(data_params("imagenet", path=str(place)), downloads)


OFFICIAL = {
    "cifar10": cifar10.ARCHIVE,
    "imagenette": imagenette.ARCHIVE,
    "places365": places365.PHOTOGRAPHS,
    "coco": coco.ARCHIVES["train"],
}


@pytest.mark.parametrize("source", OFFICIAL)
def test_offline_each_set_says_what_to_put_where(source, downloads, data_params):
    with pytest.raises(SourceError) as refusal:
        photographs(data_params(source), downloads)
    message = str(refusal.value)
    assert OFFICIAL[source].url in message
    assert f"put it at {downloads / OFFICIAL[source].name}" in message
    assert "\n" not in message


@pytest.mark.parametrize("source", OFFICIAL)
def test_another_archive_of_the_same_name_is_refused(source, place, downloads, data_params):
    (place / OFFICIAL[source].name).write_bytes(b"something else")
    with pytest.raises(SourceError, match=r"has the md5 .* delete it"):
        photographs(data_params(source, path=str(place)), downloads)


def test_a_wrong_data_path_is_refused(place, downloads, data_params):
    with pytest.raises(SourceError, match=r"data\.path .* is not a folder"):
        photographs(data_params("cifar10", path=str(place / "nowhere")), downloads)


def test_addresses_and_checksums_are_those_of_torchvision():
    assert (cifar10.ARCHIVE.url, cifar10.ARCHIVE.md5) == (CIFAR10.url, CIFAR10.tgz_md5)
    assert cifar10.ARCHIVE.folder == CIFAR10.base_folder
    nette = imagenette.ARCHIVE
    assert (nette.url, nette.md5) == Imagenette._ARCHIVES["160px"]
    for archive, (name, known) in [
        (places365.PHOTOGRAPHS, Places365._IMAGES_META["val", True]),
        (places365.LISTS, Places365._DEVKIT_META["standard"]),
    ]:
        assert (archive.url, archive.md5) == (Places365._BASE_URL + name, known)
