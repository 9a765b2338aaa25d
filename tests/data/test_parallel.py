"""Work on several processes of this machine: all of it, once, whatever happens to them."""

import os
from functools import partial

import parallel_kit
import pytest

from photochrom.data.parallel import in_parallel
from photochrom.environment import SettingError


@pytest.fixture(params=["1", "2"])
def processes(request, monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", request.param)
    return int(request.param)


@pytest.fixture
def two(monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "2")


def test_every_item_is_worked_on_once(processes):
    found = list(in_parallel(parallel_kit.squared, range(50), "Squaring", 50))
    assert sorted(value for value, _ in found) == [number**2 for number in range(50)]
    here = {process == os.getpid() for _, process in found}
    assert here == {processes == 1}


def test_no_items_are_no_results(processes):
    assert list(in_parallel(parallel_kit.squared, [], "Squaring", 0)) == []


def test_items_are_taken_as_they_are_needed(processes):
    taken = []

    def items():
        for number in range(500):
            taken.append(number)
            yield number

    done = 0
    for _ in in_parallel(parallel_kit.squared, items(), "Squaring", 500):
        done += 1
        # Some wait for each process; those that are done but not yet seen are few by now.
        if done == 1:
            assert len(taken) < 100
    assert done == len(taken) == 500


def test_what_the_work_raises_is_raised_here(processes):
    with pytest.raises(ValueError, match="five"):
        list(in_parallel(parallel_kit.failing, range(8), "Failing", 8))


def test_each_process_computes_on_one_thread(two):
    found = list(in_parallel(parallel_kit.folder_and_threads, range(4), "Counting", 4))
    assert {threads for _, threads in found} == {1}


def test_a_killed_process_costs_nothing_but_time(two, tmp_path):
    work = partial(parallel_kit.dying_once, str(tmp_path))
    assert sorted(in_parallel(work, range(12), "Dying", 12)) == list(range(12))
    assert (tmp_path / "died").exists()
    assert {name.name.split("-")[0] for name in tmp_path.glob("*-*")} == set(map(str, range(12)))


def test_processes_that_are_killed_again_and_again_are_told_with_the_remedy(two):
    with pytest.raises(SettingError, match="memory ran out: set PHOTOCHROM_WORKERS to fewer"):
        list(in_parallel(parallel_kit.dying, range(3), "Dying", 3))


@pytest.mark.parametrize(
    "address", ["10.0.0.5:8786", "tcp://", "tcp://host", "tcp://host:port", "http://host:80", "x"]
)
def test_an_address_that_is_none_is_refused(monkeypatch, address):
    monkeypatch.setenv("PHOTOCHROM_DASK", address)
    with pytest.raises(SettingError, match=r"set it to the scheduler's address, such as tcp://"):
        list(in_parallel(parallel_kit.squared, range(3), "Squaring", 3))


def test_without_dask_the_way_to_install_it_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    monkeypatch.setenv("PHOTOCHROM_DASK", "tcp://127.0.0.1:9")
    with pytest.raises(SettingError, match=r"pip install 'photochrom\[cluster\]'"):
        list(in_parallel(parallel_kit.squared, range(3), "Squaring", 3))
