"""The data stages on a Dask cluster: the bytes of one machine, also when a worker is killed."""

import os
import signal
import socket
from functools import partial
from pathlib import Path

import numpy as np
import parallel_kit
import pytest
from lab_kit import converted, digests, several
from made_photographs import filter_params

from photochrom.data import cluster
from photochrom.data import lab as lab_stage
from photochrom.data.counting import count_colors
from photochrom.data.parallel import in_parallel
from photochrom.data.selection import select
from photochrom.data.shards import LabSet
from photochrom.environment import SettingError

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Return the address of a scheduler with two worker processes that run in another folder."""
    place = tmp_path_factory.mktemp("cluster")
    quick = {
        "distributed.scheduler.allowed-failures": 1,
        "distributed.worker.memory.terminate": False,
    }
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    with pytest.MonkeyPatch.context() as patch, dask.config.set(quick):
        patch.setenv("PYTHONPATH", path)
        patch.chdir(place)
        with distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            local_directory=str(place),
        ) as made:
            patch.undo()
            yield made.scheduler_address


@pytest.fixture
def on_the_cluster(address, monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_DASK", address)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.5)


def stages(place: Path, out: Path) -> dict[str, str]:
    """Run filter, lab and the count of the prior on photographs; return the digests of it all."""
    out.mkdir()
    select(place / "raw", out / "manifest.parquet", filter_params(), out / "scratch")
    (out / "raw").symlink_to(Path.cwd() / place / "raw")
    converted(out, out / "lab")
    np.save(out / "lab" / "counts.npy", count_colors(LabSet.open(out / "lab", "train")))
    (out / "manifest.parquet").rename(out / "lab" / "manifest.parquet")
    return digests(out / "lab")


def test_all_data_stages_give_the_bytes_of_one_machine(address, tmp_path, monkeypatch):
    """Also from paths that mean nothing in the folder of a worker."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")
    monkeypatch.setattr("photochrom.data.plan.SHARD_BYTES", 7 * 3 * 16 * 16)
    several(tmp_path / "photographs")
    here = stages(Path("photographs"), Path("here"))
    monkeypatch.setenv("PHOTOCHROM_DASK", address)
    assert stages(Path("photographs"), Path("there")) == here
    assert set(here) > {"lab.json", "index.parquet", "train-00001.npy", "manifest.parquet"}


def test_work_goes_on_in_other_processes_one_thread_each(on_the_cluster):
    found = list(in_parallel(parallel_kit.squared, range(40), "Squaring", 40))
    assert sorted(value for value, _ in found) == [number**2 for number in range(40)]
    processes = {process for _, process in found}
    assert len(processes) == 2
    assert os.getpid() not in processes
    found = set(in_parallel(parallel_kit.folder_and_threads, range(4), "Counting", 4))
    assert {threads for _, threads in found} == {1}
    assert str(Path.cwd()) not in {folder for folder, _ in found}


def test_a_killed_worker_costs_nothing_but_time(on_the_cluster, tmp_path):
    work = partial(parallel_kit.dying_once, str(tmp_path))
    assert sorted(in_parallel(work, range(12), "Dying", 12)) == list(range(12))
    assert (tmp_path / "died").exists()
    assert {name.name.split("-")[0] for name in tmp_path.glob("*-*")} == set(map(str, range(12)))


def test_a_worker_killed_in_the_midst_of_a_stage_changes_no_byte(
    address, tmp_path, monkeypatch, on_the_cluster
):
    def killing(*arguments):
        results = in_parallel(*arguments)
        yield next(results)
        with distributed.Client(address, set_as_default=False) as client:
            process = next(iter(client.run(os.getpid).values()))
        os.kill(process, signal.SIGKILL)
        killed.append(process)
        yield from results

    killed: list[int] = []
    monkeypatch.setattr("photochrom.data.plan.SHARD_BYTES", 4 * 3 * 16 * 16)
    place = several(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(lab_stage, "in_parallel", killing)
        converted(place, tmp_path / "killed")
    converted(place, tmp_path / "whole")
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")
    assert len(killed) == 1
    assert len(list((tmp_path / "killed").glob("*.npy"))) > 15


def test_workers_that_are_killed_again_and_again_are_told_with_the_remedy(on_the_cluster):
    with pytest.raises(SettingError, match="give each more memory or fewer threads"):
        list(in_parallel(parallel_kit.dying, range(1), "Dying", 1))


def test_what_the_work_raises_is_raised_here(on_the_cluster):
    with pytest.raises(ValueError, match="five"):
        list(in_parallel(parallel_kit.failing, range(8), "Failing", 8))


def test_an_address_where_nobody_answers_is_told_soon(monkeypatch, at_once):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PHOTOCHROM_DASK", f"tcp://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(SettingError, match=r"No Dask scheduler answers at .* `dask scheduler`"):
            list(in_parallel(parallel_kit.squared, range(3), "Squaring", 3))


def test_a_cluster_without_workers_is_told(monkeypatch, at_once):
    with distributed.LocalCluster(
        n_workers=0, processes=True, dashboard_address="127.0.0.1:0"
    ) as empty:
        monkeypatch.setenv("PHOTOCHROM_DASK", empty.scheduler_address)
        with pytest.raises(SettingError, match=r"has no workers: start one with `dask worker tcp"):
            list(in_parallel(parallel_kit.squared, range(3), "Squaring", 3))
