"""A stage filter that is killed, or whose disk is full, goes on with what it has measured."""

import errno
import signal
import subprocess
import sys
import textwrap
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import pytest
from made_photographs import encoded, filter_params, picture, store

from photochrom.data import measured, selection
from photochrom.data.raw import write_raw
from photochrom.data.selection import SelectionError, select
from photochrom.data.sources.base import InPlace, Photograph

PARAMS = filter_params(near_duplicate_bits=2)
COUNT = 100
ROWS = measured.LEAST_ROWS


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("photographs")
    return store(place, {f"{n:03d}.png": encoded(picture(n, (20, 16))) for n in range(COUNT)})


@pytest.fixture(scope="module")
def whole(raw, tmp_path_factory) -> bytes:
    """Return the manifest of a run that nothing disturbed."""
    place = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHOTOCHROM_WORKERS", "1")
        select(raw, place / "manifest.parquet", PARAMS, place / "scratch")
    return (place / "manifest.parquet").read_bytes()


@pytest.fixture
def looks(monkeypatch) -> list[bytes]:
    """Return what is measured from now on."""
    seen: list[bytes] = []
    really = measured.measure

    def counted(data, params):
        seen.append(data)
        return really(data, params)

    monkeypatch.setattr(measured, "measure", counted)
    return seen


def test_a_killed_stage_goes_on_and_measures_nothing_twice(raw, whole, looks, tmp_path):
    kill_at(2 * ROWS + 5, raw, tmp_path)
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("scratch/part-*")}
    assert len(finished) == 2
    assert not (tmp_path / "manifest.parquet").exists()
    select(raw, tmp_path / "manifest.parquet", PARAMS, tmp_path / "scratch")
    assert len(looks) == COUNT - 2 * ROWS
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert (tmp_path / "manifest.parquet").read_bytes() == whole


def kill_at(photograph: int, raw: Path, place: Path) -> None:
    """Run the selection in a process of its own and kill it while it measures."""
    script = f"""
        import sys, time
        from pathlib import Path
        from photochrom.data import measured
        from photochrom.data.selection import select
        from photochrom.params.data import FilterParams

        really, looks = measured.measure, []

        def slow(data, params):
            looks.append(data)
            if len(looks) == {photograph}:
                print("now", flush=True)
                time.sleep(60)
            return really(data, params)

        measured.measure = slow
        place = Path({str(place)!r})
        params = FilterParams.model_validate_json({PARAMS.model_dump_json()!r})
        select(Path({str(raw)!r}), place / "manifest.parquet", params, place / "scratch")
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "now\n"
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({"min_colorfulness": 20.0}, True),
        ({"min_side": 10}, True),
        ({"max_megapixels": 10.0}, True),
        ({"near_duplicate_bits": None}, False),
        ({"split": {"seed": 7}}, False),
    ],
)
def test_measures_are_kept_only_for_what_they_depend_on(raw, looks, tmp_path, changes, again):
    select(raw, tmp_path / "manifest.parquet", PARAMS, tmp_path / "scratch")
    looks.clear()
    other = filter_params(**{"near_duplicate_bits": 2, **changes})
    select(raw, tmp_path / "manifest.parquet", other, tmp_path / "scratch")
    assert len(looks) == (COUNT if again else 0)


def test_measures_of_other_photographs_are_thrown_away(raw, whole, looks, tmp_path):
    others = store(tmp_path, {f"{n}.png": encoded(picture(n + 500, (20, 16))) for n in range(40)})
    select(others, tmp_path / "manifest.parquet", PARAMS, tmp_path / "scratch")
    select(raw, tmp_path / "manifest.parquet", PARAMS, tmp_path / "scratch")
    assert (tmp_path / "manifest.parquet").read_bytes() == whole


def test_a_selection_that_is_refused_keeps_its_measures(raw, looks, tmp_path):
    nothing = filter_params(split={"test": 0.0})
    with pytest.raises(SelectionError, match="No photograph is left for test"):
        select(raw, tmp_path / "manifest.parquet", nothing, tmp_path / "scratch")
    assert not (tmp_path / "manifest.parquet").exists()
    looks.clear()
    select(raw, tmp_path / "manifest.parquet", PARAMS, tmp_path / "scratch")
    assert looks == []


@contextmanager
def full_disk(path: Path):
    """Give a file on a disk that is full."""
    full = path.with_name("full")
    full.symlink_to("/dev/full")
    try:
        yield full
    finally:
        full.unlink(missing_ok=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("module", [measured, selection])
def test_a_full_disk_is_told_and_costs_only_what_was_not_written(
    raw, whole, looks, tmp_path, monkeypatch, module
):
    with monkeypatch.context() as patch:
        patch.setattr(module, "whole_file", full_disk)
        with pytest.raises(OSError, match="No space left") as told:
            select(raw, tmp_path / "manifest.parquet", PARAMS, tmp_path / "scratch")
    assert told.value.errno == errno.ENOSPC
    assert not (tmp_path / "manifest.parquet").exists()
    finished = len(list(tmp_path.glob("scratch/part-*"))) * ROWS
    looks.clear()
    select(raw, tmp_path / "manifest.parquet", PARAMS, tmp_path / "scratch")
    assert len(looks) == max(0, COUNT - finished)
    assert (tmp_path / "manifest.parquet").read_bytes() == whole


def test_no_python_object_is_kept_for_a_row(tmp_path, monkeypatch, looks):
    """Ten thousand rows of photographs that are gone: only their arrays may pile up."""
    gone = [
        Photograph(str(n), None, str(n), None, InPlace(tmp_path / str(n))) for n in range(10_000)
    ]
    write_raw(gone, tmp_path / "raw")
    monkeypatch.setattr(measured, "MOST_ROWS", 256)
    tracemalloc.start()
    with pytest.raises(SelectionError, match="0 of 10000 were kept"):
        select(tmp_path / "raw", tmp_path / "manifest.parquet", PARAMS, tmp_path / "scratch")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
