"""The stage: from params.yaml to data/raw, and one line where it cannot."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from photochrom.data.raw import count_photographs

ROOT = Path(__file__).parents[2]
STAGE = ROOT / "stages" / "download.py"


@pytest.fixture
def project(tmp_path):
    """Make a project whose params.yaml is this one's, with other data."""

    def make(**data):
        yaml = YAML()
        params = yaml.load(ROOT / "params.yaml")
        params["data"].update(data)
        yaml.dump(params, tmp_path / "params.yaml")
        return tmp_path

    return make


def run(folder):
    command = [sys.executable, str(STAGE)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def assert_refused(result, *words):
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert all(word in result.stderr for word in words)


def test_the_stage_writes_the_photographs(project, jpeg):
    folder = project(source="folder", path="mine", limit=2)
    (folder / "mine").mkdir()
    for number in range(3):
        (folder / "mine" / f"{number}.jpg").write_bytes(jpeg(number))
    result = run(folder)
    assert result.returncode == 0, result.stderr
    assert "folder: 2 photographs" in result.stderr
    assert count_photographs(folder / "data" / "raw") == 2


def test_a_refusal_is_one_line(project):
    assert_refused(run(project(source="folder", path="nowhere")), "download: data.path nowhere")


def test_a_wrong_params_yaml_is_one_line(tmp_path):
    assert_refused(run(tmp_path), "download: params.yaml is not here")


@pytest.fixture
def runner(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "stages"))
    monkeypatch.setattr(sys, "argv", ["stages/filter.py"])
    monkeypatch.delitem(sys.modules, "_run", raising=False)
    import _run

    return _run.run


class RefusalError(Exception):
    pass


def raising(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (RefusalError("two\nlines"), 1, "filter: two lines\n"),
        (KeyboardInterrupt(), 130, "filter: interrupted"),
        (OSError(errno.ENOSPC, "full", "data/raw"), 1, "filter: the disk is full (data/raw)"),
    ],
)
def test_what_a_person_can_act_on_is_one_line(runner, capsys, error, status, line):
    with pytest.raises(SystemExit) as end:
        runner(raising(error), RefusalError)
    assert end.value.code == status
    assert capsys.readouterr().err.startswith(line)


@pytest.mark.parametrize("error", [ValueError("a defect"), FileNotFoundError("x")])
def test_a_defect_keeps_its_traceback(runner, error):
    with pytest.raises(type(error)):
        runner(raising(error), RefusalError)
