"""The command line: quick to start, one line for what it refuses."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from photochrom import __version__, cli

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of params.yaml and the presets, and the process inside it."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    shutil.copytree(ROOT / "presets", tmp_path / "presets")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photochrom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Command":
    """Run ``photochrom`` in this process."""
    return Command(monkeypatch, capsys)


class Command:
    """``photochrom ...``: gives back its exit status, standard output and standard error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["photochrom", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = self.capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err


def test_the_start_imports_nothing_heavy() -> None:
    code = "import sys, photochrom.cli; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "mlflow", "numpy", "pandas", "PIL", "dvc"} & set(loaded)


def test_it_runs_as_a_module_and_tells_its_version() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "photochrom", "--version"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"photochrom {__version__}\n", "")


def test_help_lists_the_commands(photochrom: Command) -> None:
    status, out, _ = photochrom("--help")
    assert status == 0
    assert all(name in out for name in ("preset", "params", "runs"))


def test_params_check_says_what_is_asked_for(project: Path, photochrom: Command) -> None:
    status, out, err = photochrom("params", "check")
    assert (status, err) == (0, "")
    assert out.startswith("params.yaml is good: ")
    assert out.count("\n") == 1


def test_params_check_refuses_in_one_line(project: Path, photochrom: Command) -> None:
    with (project / "params.yaml").open("a") as file:
        file.write("\nlearning_rate: 1\n")
    status, out, err = photochrom("params", "check")
    assert (status, out) == (1, "")
    assert err.startswith("params.yaml: learning_rate: unknown key; the keys here are data, filter")
    assert err.count("\n") == 1


def test_params_check_elsewhere_says_where_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photochrom: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = photochrom("params", "check")
    assert (status, out) == (1, "")
    assert err == (
        "params.yaml is not here; run this from the project's root, or restore the file.\n"
    )


def test_preset_alone_lists_them(project: Path, photochrom: Command) -> None:
    status, out, err = photochrom("preset")
    names = [line.split()[0] for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert names == sorted(file.stem for file in (project / "presets").glob("*.yaml"))


def test_preset_writes_and_shows_the_difference(project: Path, photochrom: Command) -> None:
    status, out, err = photochrom("preset", "smoke", "--set", "train.seed=77")
    assert status == 0
    assert "+  experiment: photochrom-smoke\n" in out
    assert "+  seed: 77\n" in out
    assert err == "params.yaml is changed. Next: dvc repro\n"
    assert "experiment: photochrom-smoke\n" in (project / "params.yaml").read_text()
    assert photochrom("preset", "smoke") == (
        0,
        "",
        "params.yaml already says what preset smoke asks for.\n",
    )


def test_a_dry_run_writes_nothing(project: Path, photochrom: Command) -> None:
    before = (project / "params.yaml").read_bytes()
    status, out, err = photochrom("preset", "smoke", "--dry-run")
    assert status == 0
    assert "+  experiment: photochrom-smoke\n" in out
    assert err == "Nothing was written; leave out --dry-run to write it.\n"
    assert (project / "params.yaml").read_bytes() == before


def test_a_refused_preset_writes_nothing(project: Path, photochrom: Command) -> None:
    before = (project / "params.yaml").read_bytes()
    status, out, err = photochrom("preset", "smoke", "--set", "lab.size=4")
    assert (status, out) == (1, "")
    assert err == (
        "params.yaml with preset smoke: lab.size: must be greater than or equal to 8, not 4\n"
    )
    assert (project / "params.yaml").read_bytes() == before
    assert sorted(file.name for file in project.iterdir()) == ["params.yaml", "presets"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["preset", "smok"], "There is no preset smok: did you mean smoke?\n"),
        (["preset", "imagenet"], "add --set data.path=/path/to/ILSVRC\n"),
        (["preset", "smoke", "--set", "seed"], "--set seed: write it as section.key=value.\n"),
        (["preset", "--set", "a.b=1"], "--set goes with a preset: photochrom preset NAME --set "),
    ],
)
def test_a_wrong_preset_is_one_line(
    arguments: list[str], expected: str, project: Path, photochrom: Command
) -> None:
    status, out, err = photochrom(*arguments)
    assert (status, out) == (1, "")
    assert expected in err
    assert err.count("\n") == 1


def test_the_difference_is_colored_on_a_terminal(
    project: Path, photochrom: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    _, out, _ = photochrom("preset", "smoke", "--dry-run")
    assert "\x1b[32m+  experiment: photochrom-smoke\x1b[0m" in out


def test_runs_sync_without_params_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photochrom: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = photochrom("runs", "sync")
    assert status == 1
    assert err.startswith("params.yaml is not here")


def test_runs_sync_with_nothing_trained_lacks_nothing(project: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(project)}
    done = subprocess.run(
        [sys.executable, "-m", "photochrom", "runs", "sync"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "MLflow lacked nothing." in done.stdout
