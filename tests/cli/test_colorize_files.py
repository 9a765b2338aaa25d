"""``photochrom colorize``: which files are read, which are written, and what is left alone."""

import errno
import os
import sys
from pathlib import Path

import pytest
from cli_kit import Run, files, is_colored, write_photograph
from PIL import Image

from photochrom.cli.inputs import gather

PAINTER = ("--model", "painter")
pytestmark = pytest.mark.usefixtures("models")


def test_a_photograph_is_colored_beside_itself(here: Path, photochrom: Run) -> None:
    before = write_photograph(here / "scan.jpg", (70, 50)).read_bytes()
    ended = photochrom("colorize", "scan.jpg", *PAINTER)
    assert (ended.status, ended.out) == (0, b"")
    assert ended.lines[0] == "Model: painter, trained here."
    assert ended.lines[1].startswith("Colored scan.jpg: scan-color.jpg in ")
    assert files(here) == ["scan-color.jpg", "scan.jpg"]
    assert is_colored(here / "scan-color.jpg")
    with Image.open(here / "scan-color.jpg") as image:
        assert image.size == (70, 50)
    assert (here / "scan.jpg").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "arguments", "made", "kind"),
    [
        ("a.png", [], "a-color.png", "PNG"),
        ("a.JPEG", [], "a-color.JPEG", "JPEG"),
        ("a.tiff", [], "a-color.tiff", "TIFF"),
        ("a.webp", [], "a-color.webp", "WEBP"),
        ("a.bmp", [], "a-color.png", "PNG"),
        ("a.tar.gif", [], "a.tar-color.png", "PNG"),
        ("nameless", [], "nameless-color.png", "PNG"),
        ("a.png", ["--format", "jpeg"], "a-color.jpg", "JPEG"),
        ("a.jpeg", ["--format", "JPG"], "a-color.jpeg", "JPEG"),
        ("a.png", ["-o", "b.tif"], "b.tif", "TIFF"),
        ("a.png", ["-o", "sub/b.webp"], "sub/b.webp", "WEBP"),
        ("a.png", ["-o", "sub"], "sub/a.png", "PNG"),
        ("a.png", ["-o", "sub.d/", "--format", "webp"], "sub.d/a.webp", "WEBP"),
        ("a.png", ["-o", "."], "a-color.png", "PNG"),
    ],
)
def test_names_and_formats(
    name: str, arguments: list[str], made: str, kind: str, here: Path, photochrom: Run
) -> None:
    write_photograph(here / name)
    ended = photochrom("colorize", name, *arguments, *PAINTER)
    assert ended.status == 0, ended.err
    assert files(here) == sorted([name, made])
    with Image.open(here / made) as image:
        assert image.format == kind


def test_a_folder_is_searched_and_its_tree_kept(here: Path, photochrom: Run) -> None:
    for name in ("b.jpg", "a.PNG", "deep/er/c.tif", ".hidden.jpg", ".hidden/d.jpg"):
        write_photograph(here / "scans" / name)
    (here / "scans" / "notes.txt").write_text("no picture")
    ended = photochrom("colorize", "scans", "-o", "out", *PAINTER)
    assert ended.status == 0, ended.err
    assert files(here / "out") == ["a.PNG", "b.jpg", "deep/er/c.tif"]
    assert ended.lines[-1].startswith("Colored 3 photographs in ")


def test_an_out_folder_within_is_no_input(here: Path, photochrom: Run) -> None:
    write_photograph(here / "scans" / "a.jpg")
    for _ in range(2):
        assert photochrom("colorize", "scans", "-o", "scans/out", *PAINTER).status == 0
    assert files(here) == ["scans/a.jpg", "scans/out/a.jpg"]


def test_several_folders_keep_their_names(here: Path, photochrom: Run) -> None:
    for name in ("one/1.jpg", "two/1.jpg", "three.jpg"):
        write_photograph(here / name)
    ended = photochrom("colorize", "one", "two", "three.jpg", "-o", "out", *PAINTER)
    assert ended.status == 0, ended.err
    assert files(here / "out") == ["one/1.jpg", "three.jpg", "two/1.jpg"]


def test_patterns_work_without_a_shell(here: Path, photochrom: Run) -> None:
    for name in ("a/1.jpg", "a/b/2.jpg", "a/3.png", "[4].jpg"):
        write_photograph(here / name)
    ended = photochrom("colorize", "a/**/*.jpg", "[4].jpg", "none*.jpg", *PAINTER)
    assert ended.status == 3
    assert "none*.jpg: Nothing is called so." in ended.lines
    made = [name for name in files(here) if "-color" in name]
    assert made == ["[4]-color.jpg", "a/1-color.jpg", "a/b/2-color.jpg"]


def test_a_second_run_does_nothing(here: Path, photochrom: Run) -> None:
    for name in ("a.jpg", "b.gif", "own-color.jpg"):
        write_photograph(here / "scans" / name)
    photochrom("colorize", "scans", *PAINTER)
    before = {name: (here / name).stat().st_mtime_ns for name in files(here)}
    assert len(before) == 6
    for arguments in (["scans"], sorted(str(here / name) for name in files(here))):
        ended = photochrom("colorize", *arguments, *PAINTER)
        assert ended.status == 0
        assert "scans/b.gif: Skipped. scans/b-color.png is there already." in ended.lines
        assert ended.lines[-1] == (
            "Colored 0 photographs; 3 skipped (--overwrite replaces what is there)."
        )
    assert {name: (here / name).stat().st_mtime_ns for name in files(here)} == before


def test_overwrite_replaces_what_is_there(here: Path, photochrom: Run) -> None:
    write_photograph(here / "a.png")
    (here / "a-color.png").write_text("old")
    assert photochrom("colorize", "a.png", *PAINTER).status == 0
    assert (here / "a-color.png").read_text() == "old"
    assert photochrom("colorize", "a.png", *PAINTER, "--overwrite").status == 0
    assert is_colored(here / "a-color.png")
    assert photochrom("colorize", "a.png", "-o", "a.png", *PAINTER).status == 0
    assert not is_colored(here / "a.png")
    assert photochrom("colorize", "a.png", "-o", "a.png", *PAINTER, "--overwrite").status == 0
    assert is_colored(here / "a.png")


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_two_photographs_never_share_a_file(
    overwrite: list[str], here: Path, photochrom: Run
) -> None:
    for name in ("a.bmp", "a.gif"):
        write_photograph(here / name)
    ended = photochrom("colorize", "a.bmp", "a.gif", "./a.bmp", *PAINTER, *overwrite)
    assert ended.status == 3
    assert "a.gif: a.bmp becomes a-color.png: color this one on its own." in ended.lines
    assert files(here) == ["a-color.png", "a.bmp", "a.gif"]


def test_bad_files_stop_nothing_and_are_told_in_one_line_each(here: Path, photochrom: Run) -> None:
    whole = write_photograph(here / "a.jpg", (200, 200)).read_bytes()
    write_photograph(here / "z.png")
    (here / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (here / "empty.png").touch()
    (here / "text.png").write_text("<html>\nnot a picture\n")
    (here / "to-nothing.png").symlink_to("nothing")
    (here / "to-itself.png").symlink_to("to-itself.png")
    ended = photochrom("colorize", ".", "missing.jpg", "--quiet", *PAINTER)
    assert ended.status == 3
    assert sorted(line.split(":")[0] for line in ended.lines) == [
        *("cut.jpg", "empty.png", "missing.jpg", "text.png", "to-itself.png", "to-nothing.png")
    ]
    assert all(line.endswith(".") for line in ended.lines)
    assert "missing.jpg: No such file or directory." in ended.lines
    assert "to-itself.png: Too many levels of symbolic links." in ended.lines
    assert [name for name in files(here) if "-color" in name] == ["a-color.jpg", "z-color.png"]


@pytest.mark.parametrize("name", ["two\nlines.png", "\N{CAMERA} été.png", "-o.png", "a b'\".png"])
def test_odd_names(name: str, here: Path, photochrom: Run) -> None:
    write_photograph(here / name)
    ended = photochrom("colorize", *PAINTER, "--", name)
    assert ended.status == 0, ended.err
    assert files(here) == sorted([name, f"{name.removesuffix('.png')}-color.png"])
    assert len(ended.lines) == 2


def test_names_that_are_no_text(here: Path, photochrom: Run) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    write_photograph(here / name)
    ended = photochrom("colorize", ".", "--json", *PAINTER)
    assert ended.status == 0, ended.err
    assert ended.lines[-1].startswith(r"Colored caf\xe9.png: caf\xe9-color.png in ")
    assert ended.json["photographs"][0]["input"] == name
    assert (here / os.fsdecode(b"caf\xe9-color.png")).is_file()


def test_folders_that_hold_themselves_are_searched_once(here: Path, photochrom: Run) -> None:
    write_photograph(here / "scans" / "sub" / "a.png")
    (here / "scans" / "sub" / "up").symlink_to(here.resolve() / "scans")
    (here / "scans" / "again").symlink_to("sub")
    ended = photochrom("colorize", "scans", *PAINTER)
    assert ended.status == 0, ended.err
    assert [name for name in files(here) if name.endswith("-color.png")] == [
        "scans/sub/a-color.png"
    ]


def test_folders_that_cannot_be_read_or_hold_nothing(
    here: Path, photochrom: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photograph(here / "scans" / "a.png")
    (here / "scans" / "locked").mkdir()
    (here / "nothing").mkdir()
    usual = Path.iterdir

    def iterdir(path: Path) -> object:
        if path.name == "locked":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return usual(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    ended = photochrom("colorize", "scans", "nothing", "-q", *PAINTER)
    assert ended.status == 3
    assert ended.lines == [
        "scans/locked: Permission denied.",
        "nothing: This folder holds no photograph.",
    ]
    assert (here / "scans" / "a-color.png").is_file()


def test_what_cannot_be_written_is_one_line_and_leaves_nothing(
    here: Path, photochrom: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photograph(here / "a.png")
    (here / "file").touch()
    ended = photochrom("colorize", "a.png", "-o", "file/sub/", "-q", *PAINTER)
    assert (ended.status, ended.lines) == (
        3,
        ["a.png: file/sub/a.png cannot be written: Not a directory."],
    )
    long = f"{'x' * 250}.png"
    write_photograph(here / long)
    assert "cannot be written: File name too long." in photochrom("colorize", long, *PAINTER).err

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ended = photochrom("colorize", "a.png", "-q", *PAINTER)
    assert (ended.status, ended.lines) == (
        3,
        ["a.png: a-color.png cannot be written: No space left on device."],
    )
    assert files(here) == sorted(["a.png", "file", long])


def test_what_is_no_file_is_neither_read_nor_replaced(here: Path, photochrom: Run) -> None:
    write_photograph(here / "a.png")
    os.mkfifo(here / "pipe.png")
    ended = photochrom("colorize", "pipe.png", "/dev/zero", "-q", *PAINTER)
    assert ended.status == 3
    assert [line.split(" Th")[0] for line in ended.lines] == ["pipe.png:", "/dev/zero:"]
    ended = photochrom("colorize", "a.png", "-o", "pipe.png", "--overwrite", "-q", *PAINTER)
    assert ended.status == 3
    assert ended.lines == ["a.png: pipe.png is there already, and was left as it is."]
    assert (here / "pipe.png").is_fifo()
    assert photochrom("colorize", ".", "-q", *PAINTER).lines == ["pipe.png: This is no file."]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.png", "b.png", "-o", "c.png"], "is one file for several photographs"),
        (["sub", "-o", "c.png"], "is one file for several photographs"),
        (["a.png", "-o", "/dev/null", "--overwrite"], "is there and no folder"),
        (["a.png", "-o", "c.gif"], "are written as png, jpeg, tiff, webp"),
        (["a.png", "-o", "c.jpg", "--format", "png"], "is jpeg, but --format says png"),
        (["a.png", "--format", "gif"], "are written as png, jpeg, tiff, webp"),
        (["a.png", "b.png", "-o", "-"], "- stands for one photograph"),
        (["sub", "-o", "-"], "cannot go to standard output"),
        (["-", "a.png"], "- stands for one photograph"),
        (["a.png", "-o", "-", "--json"], "cannot both go to standard output"),
        (["a.png", "-o", "-", "--variants", "2"], "cannot all go to standard output"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(
    arguments: list[str], said: str, here: Path, photochrom: Run
) -> None:
    for name in ("a.png", "b.png", "sub/a.png", "sub/b.png"):
        write_photograph(here / name)
    ended = photochrom("colorize", *arguments, "--model", "guesser")
    assert (ended.status, ended.out, len(ended.lines)) == (1, b"", 1)
    assert said in ended.err
    assert len(files(here)) == 4


def test_a_reader_that_leaves_is_no_traceback(
    here: Path, photochrom: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photograph(here / "scan.png", (300, 300))
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        ended = photochrom("colorize", "scan.png", "-o", "-", "-q", *PAINTER)
    assert (ended.status, ended.lines) == (
        3,
        ["scan.png: Standard output was closed before all was written."],
    )


def test_no_original_is_replaced_by_the_coloring_of_another(here: Path, photochrom: Run) -> None:
    originals = [here / "album" / name for name in ("pond.jpg", "pond.tif")]
    before = [write_photograph(path).read_bytes() for path in originals]
    arguments = ("album", "-o", "album", "--format", "jpeg", "--overwrite")
    ended = photochrom("colorize", *arguments, *PAINTER)
    assert ended.status == 3
    assert "album/pond.tif: album/pond.jpg is one of the photographs" in ended.err
    assert [path.read_bytes() for path in originals] == before


@pytest.mark.parametrize("arguments", [["**/*.jpg"], ["scans", "scans/color"]])
def test_what_a_run_made_is_not_colored_by_the_next(
    arguments: list[str], here: Path, photochrom: Run
) -> None:
    write_photograph(here / "scans/pond.jpg")
    (here / "scans/color").mkdir()
    for _ in range(2):
        photochrom("colorize", *arguments, "-o", "scans/color", *PAINTER)
    assert len([name for name in files(here) if name.endswith(".jpg")]) == 2


def test_the_folder_above_keeps_its_own_name_below_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_photograph(tmp_path / "in/a.jpg")
    write_photograph(tmp_path / "other/b.jpg")
    (tmp_path / "in/work").mkdir()
    monkeypatch.chdir(tmp_path / "in/work")
    found = gather(["..", "../../other"], Path("out")).found
    assert [one.below for one in found] == [Path("in"), Path("other")]
