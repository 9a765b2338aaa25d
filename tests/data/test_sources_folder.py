"""A folder of one's own photographs."""

import os

import pytest

from photochrom.data.sources import SourceError, photographs


@pytest.fixture
def fill(tmp_path, jpeg):
    def write(*names):
        for number, name in enumerate(names):
            path = tmp_path / "mine" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(jpeg(number))
        return tmp_path / "mine"

    return write


def listed(params, tmp_path):
    return list(photographs(params, tmp_path / "downloads"))


def test_folder_is_read_with_its_subfolders_in_order(fill, data_params, tmp_path, jpeg):
    folder = fill("b.jpg", "a.PNG", "z/deep/c.tiff", "cats/d.webp")
    found = listed(data_params("folder", path=str(folder)), tmp_path)
    assert [photograph.id for photograph in found] == [
        "a.PNG",
        "b.jpg",
        "cats/d.webp",
        "z/deep/c.tiff",
    ]
    assert [photograph.label for photograph in found] == [None, None, "cats", "deep"]
    assert {photograph.split for photograph in found} == {None}
    assert found[1].location.read() == jpeg(0)


def test_top_folders_are_splits(fill, data_params, tmp_path):
    names = ["Train/cats/a.jpg", "val/b.jpg", "validation/c.jpg", "test/d.jpg", "cats/test/e.jpg"]
    found = listed(data_params("folder", path=str(fill(*names))), tmp_path)
    assert {photograph.id: (photograph.split, photograph.label) for photograph in found} == {
        "Train/cats/a.jpg": ("train", "cats"),
        "val/b.jpg": ("validation", None),
        "validation/c.jpg": ("validation", None),
        "test/d.jpg": ("test", None),
        "cats/test/e.jpg": (None, None),
    }


def test_other_files_are_counted_aloud(fill, data_params, tmp_path, capsys):
    folder = fill("a.jpg", "notes.txt", ".hidden.jpg", "film.mp4")
    assert [found.id for found in listed(data_params("folder", path=str(folder)), tmp_path)] == [
        "a.jpg"
    ]
    assert "3 other files left alone" in capsys.readouterr().err


def test_links_are_not_followed(fill, data_params, tmp_path):
    folder = fill("a.jpg")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.jpg").write_bytes(b"secret")
    (folder / "link.jpg").symlink_to(tmp_path / "outside" / "secret.jpg")
    (folder / "linked").symlink_to(tmp_path / "outside")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.jpg")
    assert [found.id for found in listed(data_params("folder", path=str(folder)), tmp_path)] == [
        "a.jpg"
    ]


def test_broken_pictures_are_left_to_the_filter(fill, data_params, tmp_path):
    folder = fill("a.jpg")
    (folder / "empty.jpg").touch()
    (folder / "text.png").write_text("not a picture")
    assert len(listed(data_params("folder", path=str(folder)), tmp_path)) == 3


@pytest.mark.parametrize("make", [True, False])
def test_an_empty_or_missing_folder_is_refused_in_one_line(make, data_params, tmp_path):
    folder = tmp_path / "mine"
    if make:
        folder.mkdir()
    with pytest.raises(SourceError, match=str(folder)) as refusal:
        listed(data_params("folder", path=str(folder)), tmp_path)
    assert "\n" not in str(refusal.value)
