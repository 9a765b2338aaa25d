import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from photochrom.tracking import dataset_of, provenance
from photochrom.tracking.provenance import is_current, measured_decoding


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    command = ["git", *identity, *words]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def lock(root: Path, **changes: str) -> None:
    """Write the dvc.lock of a pipeline whose digests are ``a``, ``b`` ... unless changed."""

    def stage(deps: dict[str, str], outs: dict[str, str]) -> dict[str, object]:
        return {
            "cmd": "true",
            "deps": [{"path": path, "md5": md5} for path, md5 in deps.items()],
            "outs": [{"path": path, "md5": md5} for path, md5 in outs.items()],
        }

    lab, used, model = changes.get("lab", "a"), changes.get("used", "a"), changes.get("model", "c")
    stages = {
        "lab": stage({"data/filtered": "f"}, {"data/lab": lab}),
        "prior": stage({"data/lab": lab}, {"data/prior": changes.get("prior", "b")}),
        "train@m": stage({"data/lab": used}, {"models/m": model}),
        "evaluate@m": stage(
            {"models/m": "c"},
            {"results/evaluate/m/metrics.json": "d", "results/evaluate/m/pictures": "e"},
        ),
        "report": stage({"results/evaluate": "x"}, {"results/report/index.html": "r"}),
    }
    YAML().dump({"schema": "2.0", "stages": stages}, root / "dvc.lock")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    (tmp_path / "params.yaml").write_text("a: 1\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "code.py").write_text("1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


def test_everything_is_none_outside_git_and_dvc(tmp_path: Path) -> None:
    made = provenance(tmp_path)
    assert (made.commit, made.dirty, made.branch, made.stage) == (None, None, None, None)
    assert (made.lab_md5, made.prior_md5, made.params_sha256, made.state) == (None,) * 4


def test_a_repository_without_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert provenance(tmp_path).commit is None
    assert provenance(tmp_path).dirty is None


def test_commit_and_branch(project: Path) -> None:
    made = provenance(project)
    assert made.commit == git(project, "rev-parse", "HEAD")
    assert made.branch == "main"
    assert made.dirty is False


@pytest.mark.parametrize("path", ["params.yaml", "src/code.py", "src/new.py"])
def test_code_and_parameters_make_dirty(project: Path, path: str) -> None:
    (project / path).write_text("changed\n")
    assert provenance(project).dirty is True


def test_what_the_pipeline_writes_does_not_make_dirty(project: Path) -> None:
    lock(project)
    (project / "results").mkdir()
    (project / "results" / "metrics.json").write_text("{}")
    assert provenance(project).dirty is False


def test_data_digests_make_the_state(project: Path) -> None:
    lock(project)
    made = provenance(project)
    assert (made.lab_md5, made.prior_md5) == ("a", "b")
    lock(project, lab="z")
    other = provenance(project)
    lock(project, prior="z")
    assert len({made.state, other.state, provenance(project).state}) == 3
    assert made.state is not None
    assert len(made.state) == 16


def test_a_damaged_lock_is_no_lock(project: Path) -> None:
    for text in ("<<<<<<< HEAD\n", "stages: [1, 2", "", "stages:\n"):
        (project / "dvc.lock").write_text(text)
        assert provenance(project).lab_md5 is None
        assert is_current(project, "results/report")


def test_stage_comes_from_dvc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "train@m")
    monkeypatch.setenv("DVC_EXP_NAME", "bold-mole")
    made = provenance(tmp_path)
    assert (made.stage, made.dvc_experiment) == ("train@m", "bold-mole")


def test_params_digest_ignores_order_and_sees_values(tmp_path: Path) -> None:
    one = provenance(tmp_path, {"a": 1, "b": {"c": 2, "d": 3}}).params_sha256
    same = provenance(tmp_path, {"b": {"d": 3, "c": 2}, "a": 1}).params_sha256
    other = provenance(tmp_path, {"b": {"d": 3, "c": 2}, "a": 2}).params_sha256
    assert one == same != other


def test_dataset_without_anything_known(tmp_path: Path) -> None:
    data = dataset_of(tmp_path)
    assert data.name == "photographs"
    assert 0 < len(data.digest) <= 36


def test_dataset_tells_size_and_digest(project: Path) -> None:
    lock(project)
    (project / "data" / "lab").mkdir(parents=True)
    (project / "data" / "lab" / "lab.json").write_text('{"size": 64, "train": 10, "test": 2}')
    data = dataset_of(project)
    assert data.name == "photographs 64 px"
    assert data.digest == provenance(project).state
    assert data.source["train"] == 10
    assert data.source["md5"] == "a"


@pytest.mark.parametrize("path", ["results/evaluate/m", "results/report"])
def test_results_of_older_models_and_data_are_not_current(project: Path, path: str) -> None:
    lock(project)
    assert is_current(project, path)
    lock(project, model="newer")
    assert not is_current(project, path)
    lock(project, lab="newer")
    assert not is_current(project, path)
    lock(project, lab="newer", used="newer")
    assert is_current(project, path)


def test_what_no_stage_makes_is_current(project: Path) -> None:
    lock(project, model="newer")
    assert is_current(project, "results/evaluate/m2")


def test_dvc_writes_the_lock_before_it_runs_the_next_stage(project: Path) -> None:
    """The state of a training rests on this habit of DVC's."""
    (project / "dvc.yaml").write_text(
        """stages:
  lab:
    cmd: mkdir -p data/lab && cp in.txt data/lab/x
    deps: [in.txt]
    outs: [data/lab]
  prior:
    cmd: mkdir -p data/prior && cp in.txt data/prior/x
    deps: [data/lab]
    outs: [data/prior]
  train:
    cmd: mkdir -p models/m && cp dvc.lock models/m/dvc.lock && echo $DVC_STAGE > models/m/stage
    deps: [data/lab, data/prior]
    outs: [models/m]
"""
    )
    environment = {**os.environ, "DVC_NO_ANALYTICS": "true", "DVC_TEST": "true"}
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "--quiet"], cwd=project, check=True, env=environment)
    seen = []
    for text in ("one", "two"):
        (project / "in.txt").write_text(text)
        subprocess.run([*dvc, "repro", "--quiet"], cwd=project, check=True, env=environment)
        during = provenance(project / "models" / "m")
        assert during.state == provenance(project).state is not None
        seen.append(during.state)
    assert seen[0] != seen[1]
    assert (project / "models" / "m" / "stage").read_text().strip() == "train"


def test_the_decoding_that_was_measured(tmp_path: Path) -> None:
    assert measured_decoding(tmp_path, "m") is None
    for temperature in (0.38, 0.5):  # What dvc.lock said before is not kept.
        values = {"models.m.decoding": {"kind": "annealed_mean", "temperature": temperature}}
        stages = {"evaluate@m": {"params": {"params.yaml": values}}}
        YAML().dump({"schema": "2.0", "stages": stages}, tmp_path / "dvc.lock")
        found = measured_decoding(tmp_path, "m")
        assert found == {"kind": "annealed_mean", "temperature": temperature}
    assert measured_decoding(tmp_path, "other") is None
