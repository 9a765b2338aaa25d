"""Files are whole or absent, whatever happens while they are written."""

import json
import os
import signal
import subprocess
import sys

import pytest

from photochrom.files import read_json, whole_file, write_json, write_text


def test_a_file_appears_with_its_folders_when_the_block_ends(tmp_path):
    path = tmp_path / "deep" / "folder" / "file.bin"
    with whole_file(path) as temporary:
        assert temporary.parent == path.parent
        temporary.write_bytes(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert list(path.parent.iterdir()) == [path]


def fail_midway(path, error):
    with whole_file(path) as temporary:
        temporary.write_text("half of the ne")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, OSError, KeyboardInterrupt])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(error):
        fail_midway(path, error)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(FileNotFoundError), whole_file(path):
        pass
    assert path.read_text() == "old"


KILLED = """
import os, signal, sys
from pathlib import Path
from photochrom.files import whole_file
with whole_file(Path(sys.argv[1])) as temporary:
    temporary.write_text("half of the ne")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kill_while_writing_leaves_the_old_file_under_its_name(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")
    ran = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, timeout=60)
    assert ran.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    left = [found for found in tmp_path.iterdir() if found != path]
    assert [found.suffix for found in left] == [".part"]
    assert left[0].name.startswith(".")


def test_the_data_is_on_the_disk_before_the_name_appears(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    synced = []

    def fsync(descriptor):
        synced.append((os.fstat(descriptor).st_size, path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_text(path, "12345")
    assert synced == [(5, False)]


def test_text_is_utf_8(tmp_path):
    write_text(tmp_path / "a.txt", "Süsstrunk")
    assert (tmp_path / "a.txt").read_bytes() == "Süsstrunk".encode()


def test_json_is_read_as_it_was_written(tmp_path):
    value = {"photographs": 3, "loss": 0.5, "nothing": None, "list": [1, "ü"]}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    text = (tmp_path / "a.json").read_text()
    assert text.endswith("}\n")
    assert text.splitlines()[1] == '  "photographs": 3,'
    assert json.loads(text) == value


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_that_others_cannot_read_is_refused(tmp_path, number):
    write_json(tmp_path / "a.json", {"loss": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "a.json", {"loss": number})
    assert read_json(tmp_path / "a.json") == {"loss": 1}
