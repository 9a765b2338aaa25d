"""A copy of the project in which whole pipelines run, and what such a run said."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import getitem
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
REGRESSION, CLASSIFICATION, GAN = "resnet18_regression", "vgg313_classification", "unet6_gan"
MODELS = (REGRESSION, CLASSIFICATION, GAN)
SECONDS = 240
RAN = re.compile(r"^Running stage '([^']+)'", re.MULTILINE)
DVC = ("Running stage ", "> ", "Stage '", "ERROR: ", "Updating lock file", "WARNING: ")
OURS = ("PHOTOCHROM_", "MLFLOW_", "DVC_", "GIT_", "PYTHON")
# What a run of the pipeline leaves in git: a copy starts without.
RESULTS = ("dvc.lock", "results/", "data/filtered/")


@dataclass(frozen=True)
class Outcome:
    """What a command said and how it ended."""

    command: str
    text: str
    status: int
    seconds: float

    @property
    def ran(self) -> list[str]:
        """The stages that DVC ran, in their order."""
        return RAN.findall(self.text)

    @property
    def told(self) -> str:
        """The end of what it said, for the message of a failed test."""
        tail = "\n".join(self.text.splitlines()[-40:])
        return f"{self.command}: exit status {self.status}, {self.seconds:.1f} s\n{tail}"

    @property
    def reasons(self) -> list[str]:
        """What a person reads of a failure: the lines of the stage, or else DVC's own."""
        lines = [line for line in self.text.splitlines() if line and not line.startswith(DVC)]
        return lines or [line for line in self.text.splitlines() if line.startswith("ERROR: ")]


@dataclass(frozen=True)
class Clone:
    """The project in a folder of its own, with environment variables of its own."""

    root: Path
    settings: Mapping[str, str]

    def having(self, **settings: str) -> "Clone":
        """Return the same folder with more environment variables."""
        return replace(self, settings={**self.settings, **settings})

    @cached_property
    def environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
        path = os.pathsep.join([str(self.root.parent / "bin"), kept.get("PATH", os.defpath)])
        return {**kept, "PATH": path, "PYTHONPATH": str(self.root / "src"), **self.settings}

    def run(self, *command: str, status: int | None = 0) -> Outcome:
        """Run a command; ``status`` is the one expected, None for any."""
        started = time.monotonic()
        with self.started(*command) as process:
            text = _everything(process, " ".join(command))
        seconds = time.monotonic() - started
        outcome = Outcome(" ".join(command), text, process.returncode, seconds)
        assert status in (None, process.returncode), outcome.told
        return outcome

    @contextmanager
    def started(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        """Start a command in a process group of its own, and leave none of it behind."""
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            kill_group(process)
            assert process.stdout is not None
            process.stdout.close()

    def dvc(self, *words: str, status: int | None = 0) -> Outcome:
        """Run DVC."""
        return self.run("python", "-m", "dvc", *words, status=status)

    def photochrom(self, *words: str) -> Outcome:
        """Run the project's own command."""
        return self.run("python", "-m", "photochrom", *words)

    def git(self, *words: str) -> str:
        """Run git and return what it printed."""
        return self.run("git", *words).text

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    def set(self, key: str, value: Any) -> None:
        """Give a dotted key of params.yaml a value; ``...`` takes the key away."""
        yaml = YAML()
        document = yaml.load(self.params)
        *sections, last = key.split(".")
        section = reduce(getitem, sections, document)
        if value is ...:
            del section[last]
        else:
            section[last] = value
        yaml.dump(document, self.params)

    def get(self, key: str) -> Any:
        """Return the value of a dotted key of params.yaml."""
        return reduce(getitem, key.split("."), YAML(typ="safe").load(self.params))

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Put params.yaml back at the end."""
        before = self.params.read_bytes()
        try:
            yield
        finally:
            self.params.write_bytes(before)


@dataclass(frozen=True)
class Finished:
    """The pipeline as its first run left it; the tests go on from there.

    Attributes
    ----------
    first : what ``dvc repro`` said.
    litter : what ``git status`` said after it, line by line.
    """

    clone: Clone
    first: Outcome
    litter: list[str]


def _everything(process: subprocess.Popen[str], command: str) -> str:
    try:
        return process.communicate(timeout=SECONDS)[0]
    except subprocess.TimeoutExpired:
        kill_group(process)
        text = process.communicate()[0]
    raise AssertionError(Outcome(command, text, process.returncode, SECONDS).told)


def kill_group(process: subprocess.Popen[str]) -> None:
    """End a process with all that it has started, as a power cut would."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait(SECONDS)


def copy_project(folder: Path) -> Clone:
    """Copy what git knows of the project, or would, into ``folder``; nothing is committed yet."""
    root = folder / "project"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split("\0"):
        if name and not name.startswith(RESULTS) and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    _write_python(folder / "bin" / "python")
    return Clone(root, _settings(folder))


def _write_python(path: Path) -> None:
    """Let the stages' ``python`` be the one that runs the tests, whatever the PATH says."""
    path.parent.mkdir(parents=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)


def _settings(folder: Path) -> dict[str, str]:
    return {
        "PHOTOCHROM_DEVICE": "cpu",
        "PHOTOCHROM_WORKERS": "1",
        "PHOTOCHROM_TRACKING": "off",
        # Pictures this small gain nothing from threads that wait for each other.
        "OMP_NUM_THREADS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(folder / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / "dvc-system"),
        "DVC_SITE_CACHE_DIR": str(folder / "dvc-site"),
        "DVC_NO_ANALYTICS": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
