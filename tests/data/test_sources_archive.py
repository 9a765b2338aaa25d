"""Archives: read as they are, in order, and refused where they must not be trusted."""

import hashlib
import io
import stat
import struct
import tarfile
import zipfile

import pytest

from photochrom.data.sources import SourceError, UnreadableError, photographs
from photochrom.data.sources import archive as archive_source
from photochrom.data.sources.base import MAX_BYTES

NAMES = ["set/train/cat/a.jpg", "set/train/dog/b.JPEG", "set/val/c.png", "set/test/cat/d.webp"]
TAR_NAMES = ["x.tar", "x.tar.gz", "x.tgz", "x.tar.bz2", "x.tar.xz"]


def read(params, folder):
    return [(found, found.location.read()) for found in photographs(params, folder)]


@pytest.fixture
def members(jpeg):
    return {name: jpeg(number) for number, name in enumerate(NAMES)}


@pytest.fixture
def make(write_zip, write_tar, tmp_path):
    def write(name, content):
        return (write_zip if name.endswith(".zip") else write_tar)(tmp_path / name, content)

    return write


@pytest.mark.parametrize("name", ["x.zip", *TAR_NAMES, "no suffix"])
def test_archive_gives_the_bytes_labels_and_splits(name, make, members, data_params, tmp_path):
    path = make(name, members)
    found = read(data_params("archive", url=path.as_uri()), tmp_path)
    assert {photograph.id: data for photograph, data in found} == members
    assert [photograph.id for photograph, _ in found] == NAMES
    assert [photograph.label for photograph, _ in found] == ["cat", "dog", None, "cat"]
    splits = [photograph.split for photograph, _ in found]
    assert splits == ["train", "train", "validation", "test"]
    assert all(photograph.group == photograph.id for photograph, _ in found)


def test_a_file_url_is_read_in_place(make, members, data_params, tmp_path):
    path = make("x.zip", members)
    read(data_params("archive", url=path.as_uri()), tmp_path / "downloads")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_url_may_be_relative_to_the_project(
    make, members, data_params, tmp_path, monkeypatch
):
    make("two words.zip", members)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    assert len(read(data_params("archive", url="file://../two%20words.zip"), tmp_path)) == 4


def test_only_pictures_are_taken(make, jpeg, data_params, tmp_path):
    rest = ["notes.txt", ".hidden.jpg", "__MACOSX/a.jpg", "set/._a.jpg", "jpg", "set/"]
    path = make("x.zip", {name: b"" if name == "set/" else jpeg(0) for name in ["a.jpg", *rest]})
    assert [found.id for found, _ in read(data_params("archive", url=path.as_uri()), tmp_path)] == [
        "a.jpg"
    ]


def test_names_are_made_plain(make, jpeg, data_params, tmp_path):
    path = make("x.tar", {"./set//a.jpg": jpeg(0), "set\\b.jpg": jpeg(1)})
    found = read(data_params("archive", url=path.as_uri()), tmp_path)
    assert [photograph.id for photograph, _ in found] == ["set/a.jpg", "set/b.jpg"]


def test_a_name_that_is_not_utf8_can_be_written(make, jpeg, data_params, tmp_path):
    path = make("x.tar", {b"caf\xe9.jpg".decode("utf-8", "surrogateescape"): jpeg(0)})
    (found,) = photographs(data_params("archive", url=path.as_uri()), tmp_path)
    assert found.id.encode("utf-8").startswith(b"caf")


UNSAFE = {
    "../a.jpg": "leads out",
    "set/../../a.jpg": "leads out",
    "set\\..\\a.jpg": "leads out",
    "/etc/a.jpg": "absolute",
    "\\a.jpg": "absolute",
    "C:\\a.jpg": "absolute",
    "C:/a.jpg": "absolute",
    "/etc/passwd": "absolute",
}


@pytest.mark.parametrize("kind", ["x.zip", "x.tar.gz"])
@pytest.mark.parametrize("name", UNSAFE)
def test_a_member_outside_is_refused_by_name(kind, name, make, jpeg, data_params, tmp_path):
    path = make(kind, {"a.jpg": jpeg(0), name: jpeg(1)})
    with pytest.raises(SourceError, match=f"refused: its member .* {UNSAFE[name]}") as refusal:
        read(data_params("archive", url=path.as_uri()), tmp_path)
    assert repr(name) in str(refusal.value)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [(tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "link"), (tarfile.FIFOTYPE, "pipe")],
)
def test_a_link_or_a_device_in_a_tar_is_refused(kind, fault, data_params, tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        member = tarfile.TarInfo("a.jpg")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(SourceError, match=f"'a.jpg' is a .*{fault}"):
        read(data_params("archive", url=(tmp_path / "x.tar").as_uri()), tmp_path)


def test_a_link_in_a_zip_is_refused(data_params, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        member = zipfile.ZipInfo("a.jpg")
        member.create_system, member.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(SourceError, match=r"'a\.jpg' is a link"):
        read(data_params("archive", url=(tmp_path / "x.zip").as_uri()), tmp_path)


def patch_directory(path, offset, value):
    """Change a field of the only entry of a ZIP's central directory."""
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + offset : entry + offset + len(value)] = value
    path.write_bytes(data)


def test_an_encrypted_member_is_refused(make, jpeg, data_params, tmp_path):
    path = make("x.zip", {"a.jpg": jpeg(0)})
    patch_directory(path, 8, struct.pack("<H", 1))
    with pytest.raises(SourceError, match=r"'a\.jpg' is encrypted"):
        read(data_params("archive", url=path.as_uri()), tmp_path)


def test_a_zip_bomb_is_refused_unread(make, jpeg, data_params, tmp_path):
    path = make("x.zip", {"a.jpg": jpeg(0)})
    patch_directory(path, 24, struct.pack("<I", MAX_BYTES + 1))
    with pytest.raises(SourceError, match=r"'a\.jpg' claims 256 MB"):
        read(data_params("archive", url=path.as_uri()), tmp_path)


def test_a_tar_bomb_is_refused_unread(data_params, tmp_path):
    member = tarfile.TarInfo("a.jpg")
    member.size = 10 * MAX_BYTES
    (tmp_path / "x.tar").write_bytes(member.tobuf())
    with pytest.raises(SourceError, match=r"'a\.jpg' claims 2560 MB"):
        read(data_params("archive", url=(tmp_path / "x.tar").as_uri()), tmp_path)


def test_one_damaged_member_is_unreadable_and_the_rest_is_read(
    make, members, data_params, tmp_path
):
    path = make("x.zip", members)
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo(NAMES[1]).header_offset + 30 + len(NAMES[1])
    data = bytearray(path.read_bytes())
    data[start : start + 20] = bytes(20)
    path.write_bytes(data)
    read_bytes = []
    for photograph in photographs(data_params("archive", url=path.as_uri()), tmp_path):
        try:
            read_bytes.append(photograph.location.read())
        except UnreadableError:
            read_bytes.append(None)
    assert read_bytes[1] is None
    assert [data for data in read_bytes if data] == [members[NAMES[n]] for n in (0, 2, 3)]


@pytest.mark.parametrize("name", ["x.zip", *TAR_NAMES])
def test_a_truncated_archive_is_refused(name, make, members, data_params, tmp_path):
    path = make(name, {f"{n}{file}": data for n in range(40) for file, data in members.items()})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])
    with pytest.raises(SourceError, match="fetch it anew"):
        list(photographs(data_params("archive", url=path.as_uri()), tmp_path))


@pytest.mark.parametrize("content", [b"", b"<html>log in first</html>"])
def test_what_is_no_archive_is_refused(content, data_params, tmp_path):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(SourceError, match="neither a ZIP nor a tar"):
        read(data_params("archive", url=(tmp_path / "x.zip").as_uri()), tmp_path)


def test_an_archive_without_pictures_is_refused(make, data_params, tmp_path):
    path = make("x.zip", {"notes.txt": b"nothing"})
    with pytest.raises(SourceError, match="found no pictures"):
        read(data_params("archive", url=path.as_uri()), tmp_path)


def test_the_checksum_of_a_local_archive_is_verified(make, members, data_params, tmp_path):
    path = make("x.zip", members)
    right = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read(data_params("archive", url=path.as_uri(), sha256=right), tmp_path)
    with pytest.raises(SourceError, match="instead of 0000"):
        photographs(data_params("archive", url=path.as_uri(), sha256="0" * 64), tmp_path)


@pytest.mark.parametrize("url", ["ftp://host/x.zip", "/data/x.zip", "x.zip"])
def test_an_address_of_another_kind_is_refused(url, data_params, tmp_path):
    with pytest.raises(SourceError, match="must begin with"):
        photographs(data_params("archive", url=url), tmp_path)


def test_a_missing_local_archive_is_refused(data_params, tmp_path):
    with pytest.raises(SourceError, match="there is no file"):
        photographs(data_params("archive", url=(tmp_path / "x.zip").as_uri()), tmp_path)


def test_an_archive_on_a_site_is_fetched_once(site, make, members, data_params, tmp_path):
    site.content = make("x.zip", members).read_bytes()
    sha256 = hashlib.sha256(site.content).hexdigest()
    params = data_params("archive", url=site.url, sha256=sha256)
    for _ in range(2):
        assert [data for _, data in read(params, tmp_path / "downloads")] == [*members.values()]
    assert len(site.asked) == 1


def test_archives_of_the_same_name_are_kept_apart(data_params):
    names = {archive_source._kept_name(f"https://{host}/photos.zip") for host in ("a", "b")}
    assert len(names) == 2
    assert all(name.endswith("-photos.zip") for name in names)


def test_a_limited_tar_reads_the_bytes_of_the_chosen_ones(make, members, data_params, tmp_path):
    path = make("x.tar.gz", {f"{n}.jpg": f"{n}".encode() for n in range(50)})
    found = read(data_params("archive", url=path.as_uri(), limit=7), tmp_path)
    assert len(found) == 7
    assert all(photograph.id == f"{data.decode()}.jpg" for photograph, data in found)


def test_the_end_of_a_tar_may_hold_a_zip(make, jpeg, write_zip, data_params, tmp_path):
    inner = io.BytesIO(write_zip(tmp_path / "inner.zip", {"in.jpg": jpeg(0)}).read_bytes())
    path = make("x.tar", {"out.jpg": jpeg(1), "inner.zip": inner.getvalue()})
    (found,) = photographs(data_params("archive", url=path.as_uri()), tmp_path)
    assert found.id == "out.jpg"
