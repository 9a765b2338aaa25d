"""The time of commands that have nothing to do."""

import subprocess
from pathlib import Path

import pytest
import torch

import group_commands
from measuring import Row, Setting
from photochrom.params import load_params

ROOT = Path(__file__).parents[2]
PIPELINE = """\
stages:
  only:
    cmd: echo done > out.txt
    deps: [dep.txt]
    outs: [out.txt]
"""


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    params = load_params(ROOT / "params.yaml")
    return Setting(params, torch.device("cpu"), tmp_path, rounds=1, quick=True)


def dvc(folder: Path, *words: str) -> None:
    subprocess.run([*group_commands.DVC, *words], cwd=folder, check=True, capture_output=True)


def test_repro_is_timed_only_where_nothing_is_to_do(setting: Setting, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "dep.txt").write_text("one")
    dvc(folder, "init", "--no-scm", "--quiet")
    dvc(folder, "repro", "--quiet")
    found = list(group_commands.rows(setting, folder))
    assert all(isinstance(row, Row) and row.unit == "s" for row in found)
    assert [row.goal for row in found if isinstance(row, Row)] == [0.3, 2.0]
    (folder / "dep.txt").write_text("two")
    *_, said = group_commands.rows(setting, folder)
    assert said == "dvc repro was left out, as it would have something to do: run make repro first."
    assert (folder / "out.txt").read_text() == "done\n"
