"""Raw shards: the bytes as they came, the same files each time, whole or absent."""

import hashlib
import pickle
import signal
import subprocess
import sys
import textwrap
import tracemalloc
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from photochrom.data import raw
from photochrom.data.raw import (
    MANIFEST,
    RawError,
    RawReader,
    count_photographs,
    read_manifest,
    write_raw,
)
from photochrom.data.sources import Photograph, SourceError, UnreadableError
from photochrom.data.sources.base import MAX_BYTES, File, InPlace


class Bytes:
    def __init__(self, data):
        self.data = data

    def read(self):
        if self.data is None:
            raise UnreadableError("its sector is bad")
        return self.data


def photograph(name, data, **described):
    values = {"label": None, "group": name, "split": None, **described}
    return Photograph(name, location=Bytes(data), **values)


def some(count=20):
    return [photograph(f"set/{n}.jpg", f"bytes {n}".encode() * n) for n in range(1, count)]


def listed(folder):
    return pa.Table.from_batches(read_manifest(folder, 7)).to_pylist()


def column(folder, name):
    return [row[name] for row in listed(folder)]


def read_all(folder):
    reader = RawReader(folder)
    return {row["id"]: reader.read(row["shard"], row["path"]) for row in listed(folder)}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_bytes_come_back_as_they_were(tmp_path):
    summary = write_raw(some(), tmp_path)
    assert read_all(tmp_path) == {found.id: found.location.data for found in some()}
    assert (summary.photographs, summary.shards, summary.unreadable) == (19, 1, 0)
    assert summary.bytes == sum(len(found.location.data) for found in some())


def test_the_manifest_lists_everything_that_is_known(tmp_path):
    write_raw([photograph("a/ä.jpg", b"abc", label="a", group="scene", split="test")], tmp_path)
    (row,) = listed(tmp_path)
    assert row == {
        "id": "a/ä.jpg",
        "shard": "shard-00000.zip",
        "path": "a/ä.jpg",
        "sha256": hashlib.sha256(b"abc").hexdigest(),
        "bytes": 3,
        "label": "a",
        "group": "scene",
        "split": "test",
    }


def test_what_is_unknown_is_none(tmp_path):
    write_raw([photograph("a.jpg", b"a", label="x"), photograph("b.jpg", b"b")], tmp_path)
    assert column(tmp_path, "label") == ["x", None]
    assert column(tmp_path, "split") == [None, None]


def test_the_same_photographs_make_the_same_files(tmp_path):
    write_raw(some(), tmp_path / "once")
    write_raw(iter(some()), tmp_path / "again")
    write_raw(some(), tmp_path / "once")
    assert contents(tmp_path / "once") == contents(tmp_path / "again")


def test_shards_are_uncompressed_and_not_larger_than_agreed(tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "SHARD_BYTES", 5000)
    data = {f"{n}.jpg": bytes([n]) * 1500 for n in range(10)}
    summary = write_raw([photograph(name, value) for name, value in data.items()], tmp_path)
    shards = sorted(tmp_path.glob("shard-*.zip"))
    assert [path.name for path in shards] == [f"shard-0000{n}.zip" for n in range(5)]
    assert summary.shards == 5
    assert all(path.stat().st_size <= 5000 for path in shards)
    with zipfile.ZipFile(shards[0]) as archive:
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
    assert read_all(tmp_path) == data


def test_shards_hold_no_more_photographs_than_agreed(tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "SHARD_PHOTOGRAPHS", 8)
    assert write_raw(some(), tmp_path).shards == 3
    names = [f"shard-0000{position // 8}.zip" for position in range(19)]
    assert column(tmp_path, "shard") == names
    assert read_all(tmp_path) == {found.id: found.location.data for found in some()}


def test_a_manifest_is_written_and_read_a_piece_at_a_time(tmp_path, monkeypatch):
    write_raw(some(), tmp_path / "whole")
    monkeypatch.setattr(raw, "GROUP", 4)
    write_raw(some(), tmp_path / "pieces")
    assert pq.ParquetFile(tmp_path / "pieces" / MANIFEST).num_row_groups == 5
    assert listed(tmp_path / "pieces") == listed(tmp_path / "whole")
    sizes = [batch.num_rows for batch in read_manifest(tmp_path / "pieces", 7, ("id",))]
    assert sizes == [7, 7, 5]
    assert count_photographs(tmp_path / "pieces") == 19


def test_the_largest_photograph_fits_a_shard():
    assert MAX_BYTES + 10 * raw.ENTRY_BYTES < raw.SHARD_BYTES


def test_an_unreadable_photograph_is_listed_without_its_bytes(tmp_path, capsys):
    summary = write_raw([photograph("bad.jpg", None), photograph("good.jpg", b"good")], tmp_path)
    assert summary.unreadable == 1
    assert column(tmp_path, "bytes") == [0, 4]
    assert read_all(tmp_path) == {"bad.jpg": b"", "good.jpg": b"good"}
    assert "bad.jpg cannot be read" in capsys.readouterr().err


def test_many_unreadable_photographs_do_not_flood_the_screen(tmp_path, capsys):
    write_raw([photograph(f"{n}.jpg", None) for n in range(100)], tmp_path)
    assert capsys.readouterr().err.count("cannot be read") == raw.COMPLAINTS


def test_files_that_vanish_or_are_too_large_are_listed_too(tmp_path):
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    names = ["gone.jpg", "huge.jpg"]
    found = [Photograph(name, None, name, None, File(tmp_path / name)) for name in names]
    assert write_raw(found, tmp_path / "raw").unreadable == 2


def test_photographs_in_place_are_listed_not_copied(tmp_path):
    path = tmp_path / "a.JPEG"
    path.write_bytes(b"in place")
    gone = tmp_path / "gone.JPEG"
    found = [Photograph(p.name, None, p.name, None, InPlace(p)) for p in (path, gone)]
    summary = write_raw(found, tmp_path / "raw")
    assert [p.name for p in (tmp_path / "raw").iterdir()] == ["manifest.parquet"]
    assert (summary.shards, summary.bytes) == (0, 8)
    assert column(tmp_path / "raw", "bytes") == [8, 0]
    first = listed(tmp_path / "raw")[0]
    assert (first["shard"], first["path"], first["sha256"]) == (None, str(path), None)
    reader = RawReader(tmp_path / "raw")
    assert reader.read(first["shard"], first["path"]) == b"in place"
    path.unlink()
    with pytest.raises(UnreadableError, match=r"a\.JPEG"):
        reader.read(first["shard"], first["path"])


def test_two_photographs_of_one_name_are_refused(tmp_path):
    with pytest.raises(SourceError, match=r"holds a\.jpg twice"):
        write_raw([photograph("a.jpg", b"1"), photograph("a.jpg", b"2")], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_an_earlier_run_left_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "SHARD_BYTES", 1000)
    write_raw(some(30), tmp_path)
    (tmp_path / ".shard-00009.zip.123.part").write_bytes(b"half")
    write_raw(some(3), tmp_path)
    assert sorted(contents(tmp_path)) == ["manifest.parquet", "shard-00000.zip"]
    assert len(read_all(tmp_path)) == 2


def test_a_source_that_fails_midway_leaves_no_manifest_and_no_half_shard(tmp_path):
    def failing():
        yield from some(5)
        raise SourceError("the archive ends here")

    with pytest.raises(SourceError):
        write_raw(failing(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_kill_midway_leaves_only_whole_shards_and_no_manifest(tmp_path):
    script = f"""
        import sys, time
        from pathlib import Path
        from photochrom.data import raw
        from photochrom.data.sources.base import Photograph

        class Bytes:
            def read(self):
                return bytes(1000)

        def endless():
            for n in range(10**9):
                if n == 25:
                    print("now", flush=True)
                    time.sleep(60)
                yield Photograph(str(n), None, str(n), None, Bytes())

        raw.SHARD_BYTES = 10_000
        raw.write_raw(endless(), Path({str(tmp_path)!r}))
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "manifest.parquet").exists()
    shards = sorted(tmp_path.glob("shard-*.zip"))
    assert shards
    for path in shards:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
    write_raw(some(), tmp_path)
    assert len(read_all(tmp_path)) == 19
    assert not list(tmp_path.glob(".*.part"))


def test_memory_does_not_grow_with_the_photographs(tmp_path):
    def many():
        for n in range(400):
            yield photograph(f"{n}.jpg", bytes(100_000))

    tracemalloc.start()
    write_raw(many(), tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


def read_one(job):
    reader, row = job
    return reader.read(*row)


def test_the_reader_travels_to_other_processes(tmp_path):
    write_raw(some(), tmp_path)
    rows = [(row["shard"], row["path"]) for row in listed(tmp_path)]
    reader = RawReader(tmp_path)
    reader.read("shard-00000.zip", "set/1.jpg")
    assert len(pickle.dumps(reader)) < 500
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        read = list(pool.map(read_one, [(reader, row) for row in rows]))
    assert read == [found.location.data for found in some()]


def test_a_shard_is_opened_once(tmp_path, monkeypatch):
    write_raw(some(), tmp_path)
    opened = []
    monkeypatch.setattr(raw, "ZipFile", lambda path: opened.append(path) or zipfile.ZipFile(path))
    read_all(tmp_path)
    assert len(opened) == 1


def test_a_shard_that_was_written_anew_is_read_anew(tmp_path):
    write_raw([photograph("a.jpg", b"old")], tmp_path)
    assert read_all(tmp_path) == {"a.jpg": b"old"}
    write_raw([photograph("a.jpg", b"new")], tmp_path)
    assert read_all(tmp_path) == {"a.jpg": b"new"}


def test_damage_to_one_photograph_of_a_shard_is_its_own(tmp_path):
    write_raw(some(), tmp_path)
    path = tmp_path / "shard-00000.zip"
    path.write_bytes(path.read_bytes().replace(b"bytes 3", b"bytes !", 1))
    reader = RawReader(tmp_path)
    with pytest.raises(UnreadableError, match=r"set/3\.jpg"):
        reader.read(path.name, "set/3.jpg")
    assert reader.read(path.name, "set/4.jpg") == b"bytes 4" * 4


HEADER, NAME = b"PK\x03\x04", b"set/3.jpg"


@pytest.mark.parametrize(
    ("whole", "damaged"),
    [
        (HEADER, b"PK\x03!"),
        (NAME + b"bytes 3", b"set/!.jpgbytes 3"),
        (b"\x09\x00\x00\x00" + NAME, b"\x08\x00\x00\x00" + NAME),
        (b"\x09\x00\x00\x00" + NAME, b"\x09\x00\x01\x00" + NAME),
        (NAME + b"bytes 3", NAME + b"Bytes 3"),
    ],
)
def test_any_damage_to_a_photograph_is_told_as_the_archive_tells_it(tmp_path, whole, damaged):
    """Reading around the archive must not take what the archive refuses."""
    write_raw(some(), tmp_path)
    path = tmp_path / "shard-00000.zip"
    data = path.read_bytes()
    start = data.index(HEADER + b"\x14", data.index(b"bytes 2"))
    assert data.index(whole, start) < data.index(b"bytes 3") + 7
    path.write_bytes(data[:start] + data[start:].replace(whole, damaged, 1))
    with zipfile.ZipFile(path) as archive, pytest.raises(zipfile.BadZipFile) as expected:
        archive.read("set/3.jpg")
    with pytest.raises(UnreadableError) as told:
        RawReader(tmp_path).read(path.name, "set/3.jpg")
    assert str(told.value) == str(expected.value)


def test_members_of_every_kind_are_read(tmp_path):
    """Compressed, with long notes in their headers, with names of every script, and empty."""
    kinds = {"a.jpg": zipfile.ZIP_DEFLATED, "b.jpg": zipfile.ZIP_STORED, "ä/漢.jpg": 0, "d.jpg": 0}
    data = {name: name.encode() * 999 for name in kinds} | {"d.jpg": b""}
    with zipfile.ZipFile(tmp_path / "shard.zip", "w") as archive:
        for name, kind in kinds.items():
            member = zipfile.ZipInfo(name)
            member.extra = b"\x99\x99\xff\x00" + bytes(255) if name == "b.jpg" else b""
            archive.writestr(member, data[name], kind)
    reader = RawReader(tmp_path)
    assert {name: reader.read("shard.zip", name) for name in kinds} == data


def test_missing_shards_and_manifests_say_what_to_run(tmp_path):
    for read in (count_photographs, listed):
        (tmp_path / MANIFEST).unlink(missing_ok=True)
        with pytest.raises(RawError, match="run the stage"):
            read(tmp_path)
        (tmp_path / MANIFEST).write_bytes(b"half")
        with pytest.raises(RawError, match="run the stage"):
            read(tmp_path)
    with pytest.raises(RawError, match="run the stage download"):
        RawReader(tmp_path).read("shard-00000.zip", "a.jpg")
    write_raw(some(), tmp_path)
    with pytest.raises(RawError, match=r"holds no a\.jpg"):
        RawReader(tmp_path).read("shard-00000.zip", "a.jpg")
