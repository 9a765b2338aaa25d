"""What code, data and parameters made a result: read from git, dvc.lock and the environment."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from photochrom.files import read_json
from photochrom.params import ParamsError, load_params

LAB, PRIOR = "data/lab", "data/prior"
INPUTS = ("src", "stages", "params.yaml", "dvc.yaml", "pyproject.toml", "constraints.txt")
"""What git must know unchanged for a commit to name the code and parameters of a result."""


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from. Every field is None where it cannot be known.

    Attributes
    ----------
    commit : hash of the git commit.
    dirty : whether code or parameters differ from it; what the pipeline writes does not count.
    branch : name of the git branch.
    stage : the DVC stage that runs, e.g. ``train@unet6_gan``.
    dvc_experiment : name of the DVC experiment that runs.
    lab_md5, prior_md5 : DVC's digests of ``data/lab`` and ``data/prior``.
    params_sha256 : digest of the parameters the result depends on.
    """

    commit: str | None = None
    dirty: bool | None = None
    branch: str | None = None
    stage: str | None = None
    dvc_experiment: str | None = None
    lab_md5: str | None = None
    prior_md5: str | None = None
    params_sha256: str | None = None

    @property
    def state(self) -> str | None:
        """Digest of the data, 16 hexadecimal digits; None where DVC does not know the data."""
        if self.lab_md5 is None:
            return None
        return hashlib.sha256(f"{self.lab_md5} {self.prior_md5}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Dataset:
    """What MLflow shows as the data of a run.

    Attributes
    ----------
    name : for people, e.g. ``samples 64 px``.
    digest : changes when the data does; at most 36 characters.
    source : where it lies and what it is, plain values only.
    """

    name: str
    digest: str
    source: dict[str, Any]


def provenance(root: Path, params: Mapping[str, Any] | None = None) -> Provenance:
    """Collect what made the result that is under way in the project ``root``.

    While ``dvc repro`` runs a stage, dvc.lock already holds the digests of the stages before it.

    Parameters
    ----------
    root : the project's root.
    params : the parameters the result depends on, as JSON values.
    """
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    changes = _git(root, "status", "--porcelain", "--", *INPUTS) if commit else None
    digests = dict(_outputs(_lock(root)))
    return Provenance(
        commit=commit,
        dirty=None if changes is None else changes != "",
        branch=_git(root, "branch", "--show-current") or None,
        stage=os.environ.get("DVC_STAGE") or None,
        dvc_experiment=os.environ.get("DVC_EXP_NAME") or None,
        lab_md5=digests.get(LAB),
        prior_md5=digests.get(PRIOR),
        params_sha256=None if params is None else _digest(params),
    )


def dataset_of(root: Path) -> Dataset:
    """Describe the data the models of the project ``root`` are trained on."""
    source = _source_name(root)
    try:
        facts = read_json(root / LAB / "lab.json")
    except (OSError, ValueError):
        facts = {}
    name = f"{source} {facts['size']} px" if "size" in facts else source
    made = provenance(root)
    digest = made.state or _digest({"source": source, **facts})[:16]
    place = {"path": LAB, "md5": made.lab_md5, "prior_md5": made.prior_md5}
    return Dataset(name, digest, {"photographs": source, **facts, **place})


def is_current(root: Path, path: str) -> bool:
    """Tell whether dvc.lock holds the result at ``path`` as made from what now stands before it.

    A pipeline that was interrupted leaves results of older data and models behind. What dvc.lock
    does not know counts as current.

    Parameters
    ----------
    root : the project's root.
    path : a file or folder that stages write, relative to the root, with forward slashes.
    """
    lock = _lock(root)
    return not any(_outdated(lock, stage) for stage in _makers(lock, path))


def measured_decoding(root: Path, name: str) -> dict[str, Any] | None:
    """Return the decoding with which dvc.lock knows the model ``name`` as evaluated, or None.

    It may be another than the one in the model's config.json: a new decoding retrains nothing.
    """
    stage = _lock(root).get(f"evaluate@{name}", {})
    values = stage.get("params", {}).get("params.yaml", {}).get(f"models.{name}.decoding")
    return dict(values) if isinstance(values, Mapping) else None


def _outdated(lock: Mapping[str, Any], stage: Mapping[str, Any]) -> bool:
    digests = dict(_outputs(lock))
    needs = {need["path"]: need.get("md5") for need in stage.get("deps", [])}
    if any(digests.get(path, md5) != md5 for path, md5 in needs.items()):
        return True
    return any(_outdated(lock, maker) for path in needs for maker in _makers(lock, path))


def _makers(lock: Mapping[str, Any], path: str) -> Iterator[Mapping[str, Any]]:
    for stage in lock.values():
        if any(_overlap(path, out["path"]) for out in stage.get("outs", [])):
            yield stage


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _outputs(lock: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for stage in lock.values():
        for out in stage.get("outs", []):
            yield out["path"], out.get("md5")


def _lock(root: Path) -> Mapping[str, Any]:
    path = root / "dvc.lock"
    try:
        told = path.stat()
        return _stages(path, told.st_mtime_ns, told.st_size)
    except (OSError, ValueError, YAMLError, KeyError, TypeError):
        return {}


@lru_cache(maxsize=2)
def _stages(path: Path, _changed: int, _size: int) -> Mapping[str, Any]:
    """Read dvc.lock; of thirteen models that takes a second, so it is done once per state."""
    values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return dict(values["stages"])


def _source_name(root: Path) -> str:
    try:
        return str(load_params(root / "params.yaml").data.source)
    except (ParamsError, OSError):
        return "photographs"


def _digest(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
