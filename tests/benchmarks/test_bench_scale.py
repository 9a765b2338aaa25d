"""How memory and time of many photographs are measured."""

import sys
from pathlib import Path

import pytest

import scale
from photochrom.params import load_params

HOLDING = "x = bytearray({} << 20); import time; time.sleep(0.4)"


def test_the_peaks_of_a_process_and_of_its_largest_child_are_told_apart(tmp_path: Path) -> None:
    child = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDING.format(90)!r}])"
    )
    _, parent, worker = scale.watched([sys.executable, "-c", child], tmp_path)
    assert 0 < parent < 60
    assert 90 < worker < 150


def test_what_a_failing_stage_says_is_shown(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('the disk is full')"]
    with pytest.raises(SystemExit, match="the disk is full"):
        scale.watched(command, tmp_path)


def test_the_photographs_are_others_each_time(tmp_path: Path) -> None:
    for made in (scale.jpegs(20, 48), scale.dots(20)):
        assert len(set(made)) == 20


def test_the_stages_accept_the_parameters(tmp_path: Path) -> None:
    scale.write_params(tmp_path / "params.yaml", 48)
    params = load_params(tmp_path / "params.yaml")
    assert (params.lab.size, params.lab.fit, params.filter.min_side) == (48, "resize", 1)
