"""Downloads: resumed, repeated, checked, and clear where they cannot be had."""

import errno
import gzip
import hashlib
import io
import random
import socket
from pathlib import Path

import pytest

from photochrom.data.sources import SourceError
from photochrom.data.sources import fetch as fetching
from photochrom.data.sources.fetch import CHUNK, Checksum, fetch

CONTENT = random.Random(0).randbytes(3 * CHUNK + 12345)
SHA256 = Checksum("sha256", hashlib.sha256(CONTENT).hexdigest())
AT_ONCE = (0.0, 0.0, 0.0)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "downloads" / "photographs.zip"


def assert_whole(target: Path) -> None:
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_fetch_writes_the_file_under_its_name(site, target):
    site.content = CONTENT
    assert fetch(site.url, target, SHA256, AT_ONCE) == target
    assert_whole(target)


def test_fetch_uses_what_is_there_without_asking(site, target):
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    fetch(site.url, target, SHA256)
    assert site.asked == []


def test_fetch_refuses_a_wrong_file_that_is_there_and_leaves_it(site, target):
    target.parent.mkdir()
    target.write_bytes(b"something else")
    with pytest.raises(SourceError, match=r"photographs\.zip has the sha256 .* delete it"):
        fetch(site.url, target, SHA256)
    assert target.read_bytes() == b"something else"


def test_fetch_goes_on_where_the_connection_broke_off(site, target):
    site.content, site.drops = CONTENT, [2 * CHUNK + 7, CHUNK // 2]
    fetch(site.url, target, SHA256, AT_ONCE)
    assert_whole(target)
    starts = [int(asked[len("bytes=") : -1]) if asked else 0 for asked in site.asked]
    assert starts[0] == 0
    assert CHUNK < starts[1] <= 2 * CHUNK + 7
    assert starts[1] <= starts[2]


def test_fetch_goes_on_after_the_process_was_killed(site, target):
    site.content = CONTENT
    target.parent.mkdir()
    target.with_name("photographs.zip.part").write_bytes(CONTENT[:CHUNK])
    target.with_name("photographs.zip.part.version").write_text(site.version)
    fetch(site.url, target, SHA256, AT_ONCE)
    assert_whole(target)
    assert site.asked == [f"bytes={CHUNK}-"]


def test_fetch_begins_anew_when_the_file_has_changed_since(site, target):
    site.content = CONTENT
    target.parent.mkdir()
    target.with_name("photographs.zip.part").write_bytes(b"x" * CHUNK)
    target.with_name("photographs.zip.part.version").write_text('"0"')
    fetch(site.url, target, None, AT_ONCE)
    assert_whole(target)


def test_fetch_recognizes_a_complete_part(site, target):
    site.content = CONTENT
    target.parent.mkdir()
    target.with_name("photographs.zip.part").write_bytes(CONTENT)
    fetch(site.url, target, SHA256, AT_ONCE)
    assert_whole(target)
    assert site.asked == [f"bytes={len(CONTENT)}-"]


def test_fetch_drops_a_part_that_is_longer_than_the_file(site, target):
    site.content = CONTENT
    target.parent.mkdir()
    target.with_name("photographs.zip.part").write_bytes(CONTENT + b"more")
    fetch(site.url, target, SHA256, AT_ONCE)
    assert_whole(target)


def test_fetch_begins_anew_where_the_server_has_no_ranges(site, target):
    site.content, site.ranges, site.drops = CONTENT, False, [2 * CHUNK]
    fetch(site.url, target, SHA256, AT_ONCE)
    assert_whole(target)
    assert len(site.asked) == 2


def test_fetch_repeats_what_the_server_may_yet_answer(site, target):
    site.content, site.statuses = CONTENT, [503, 429]
    fetch(site.url, target, SHA256, AT_ONCE)
    assert_whole(target)


def test_fetch_keeps_bytes_that_the_server_labels_as_encoded(site, target):
    site.content, site.encoding = gzip.compress(b"tar"), "gzip"
    fetch(site.url, target, None, AT_ONCE)
    assert target.read_bytes() == site.content


def test_fetch_gives_up_when_nothing_new_comes_and_keeps_the_part(site, target):
    site.content, site.drops = CONTENT, [CHUNK, 0, 0, 0, 0]
    with pytest.raises(SourceError, match=f"broke off after {CHUNK} bytes"):
        fetch(site.url, target, SHA256, AT_ONCE)
    assert not target.exists()
    assert target.with_name("photographs.zip.part").stat().st_size == CHUNK
    assert len(site.asked) == 5


def test_fetch_refuses_a_wrong_checksum_and_keeps_nothing(site, target):
    site.content = CONTENT[:-1] + b"!"
    with pytest.raises(SourceError, match=rf"{site.url} has the sha256 .* instead of"):
        fetch(site.url, target, SHA256, AT_ONCE)
    assert not target.exists()
    assert not list(target.parent.iterdir())


def test_fetch_does_not_repeat_what_is_not_there(site, target):
    site.statuses = [404]
    with pytest.raises(SourceError, match="answers 404 Not Found; correct the address"):
        fetch(site.url, target, None, AT_ONCE)
    assert len(site.asked) == 1


def test_fetch_says_what_to_put_where_when_offline(target):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/photographs.zip"
        with pytest.raises(SourceError, match="out of reach") as refusal:
            fetch(url, target, None, AT_ONCE)
    message = str(refusal.value)
    assert url in message
    assert f"put it at {target}" in message
    assert "\n" not in message


def test_fetch_refuses_what_is_no_address(target):
    with pytest.raises(SourceError, match="could not be fetched"):
        fetch("http://", target, None, AT_ONCE)


def test_fetch_says_when_the_disk_is_full_and_keeps_what_it_has(site, target, monkeypatch):
    site.content = CONTENT

    class FullDisk(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    real = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda self, mode="r", **k: FullDisk() if "b" in mode else real(self, mode, **k),
    )
    with pytest.raises(SourceError, match=r"No space left on device\); make room"):
        fetch(site.url, target, None, AT_ONCE)


def test_pauses_grow_before_a_newcomer_is_told(site, target, monkeypatch):
    waited: list[float] = []
    monkeypatch.setattr(fetching.time, "sleep", waited.append)
    site.statuses = [503] * 4
    with pytest.raises(SourceError, match="503"):
        fetch(site.url, target)
    assert waited == [1.0, 2.0, 4.0]
