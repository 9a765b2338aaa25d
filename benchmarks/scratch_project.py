"""A project in a scratch folder: the stages of the pipeline without DVC and MLflow."""

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

import torch

from machine import ROOT
from measuring import threads
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet
from photochrom.files import write_text
from photochrom.params import Params, check_params
from photochrom.presets import plan_preset

STAGES = ROOT / "stages"
UNTRACKED = {"PHOTOCHROM_TRACKING": "off"}


@dataclass(frozen=True)
class Project:
    """A folder that holds params.yaml and what the stages write.

    Attributes
    ----------
    root : the folder.
    params : what its params.yaml says.
    """

    root: Path
    params: Params

    @classmethod
    def create(cls, root: Path, preset: str, assignments: list[str]) -> "Project":
        """Write params.yaml: this project's, with a preset and assignments merged into it.

        Raises
        ------
        PresetError, ParamsError
            When they cannot be merged, or the result is refused.
        """
        text = plan_preset(preset, assignments, ROOT).after
        params = check_params(text)
        write_text(root / "params.yaml", text)
        return cls(root, params)

    def run(self, stage: str, *arguments: str) -> None:
        """Run a stage in this process; what it raises is not caught."""
        script = STAGES / f"{stage}.py"
        argv, path = [str(script), *arguments], [str(STAGES), *sys.path]
        patched = (patch.object(sys, "argv", argv), patch.object(sys, "path", path))
        with chdir(self.root), settings(**UNTRACKED), patched[0], patched[1]:
            runpy.run_path(str(script), run_name="stage")["main"]()

    def run_process(self, stage: str, *arguments: str) -> None:
        """Run a stage in a process of its own, as DVC does.

        Raises
        ------
        subprocess.CalledProcessError
            If it fails; it has said why.
        """
        command = [sys.executable, str(STAGES / f"{stage}.py"), *arguments]
        environment = {**os.environ, **UNTRACKED}
        subprocess.run(command, cwd=self.root, env=environment, check=True)

    def prepare(self) -> None:
        """Run the stages before the training, in this process alone."""
        # A data stage that works in this process leaves torch with one thread.
        with settings(PHOTOCHROM_WORKERS="1"), threads(torch.get_num_threads()):
            for stage in ("download", "filter", "lab", "prior"):
                self.run(stage)

    def split(self, name: str) -> LabSet:
        """Open the squares of a split."""
        return LabSet.open(self.root / "data/lab", name)

    @cached_property
    def prior(self) -> Prior:
        """The distribution of the colors."""
        return Prior.load(self.root / "data/prior")


def of_folder(root: Path, photographs: Path, size: int) -> Project:
    """Make a project of all JPEGs of a folder with splits, squares of ``size`` px; prepare it."""
    assignments = [f"data.path={photographs}", f"lab.size={size}", "lab.fit=resize"]
    assignments += ["filter.min_colorfulness=0", "filter.min_side=1"]
    assignments += ["filter.near_duplicate_bits=null"]
    # Networks that do not fit the size are not what is measured here.
    assignments += ["models.*=null", "models.resnet18_regression.epochs=1"]
    project = Project.create(root, "folder", assignments)
    project.prepare()
    return project


@contextmanager
def settings(**values: str) -> Iterator[None]:
    """Set environment variables for a while."""
    with patch.dict(os.environ, values):
        yield
