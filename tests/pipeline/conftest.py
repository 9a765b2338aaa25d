"""One small pipeline, run once from photographs to report, for all tests of this folder."""

from pathlib import Path
from typing import Any

import pytest
from pipeline_clone import CLASSIFICATION, GAN, MODELS, Clone, Finished, copy_project
from pipeline_photographs import write_photographs
from ruamel.yaml import YAML

SMALL: dict[str, Any] = {
    "data": {"source": "folder", "path": "data/photographs", "url": None, "limit": None},
    "filter": {
        "min_colorfulness": 10,
        "min_side": 32,
        "max_megapixels": 100,
        "near_duplicate_bits": 2,
        "split": {"own": True, "validation": 0.2, "test": 0.2, "seed": 0},
    },
    "lab": {"size": 32, "fit": "tiles", "tiles": {"train": 6, "held_out": 2, "min_scale": 0.5}},
    "train": {"preview": 4},
    "evaluate": {"pictures": 4},
    "study": {
        "trials": {"real_or_fake": 1, "naturalness": 1, "pick_real": 1, "preference": 1},
        "practice": 1,
        "gold": 1,
        "sessions": 2,
    },
    "report": {"pictures": 4},
    "models": {
        "*": {"epochs": 1, "batch_size": 16, "image": {"size": None, "crop": None}},
        CLASSIFICATION: {"network": {"width": 0.05}},
        GAN: {
            "network": {"levels": 3, "width": 4},
            "objective": {"discriminator": {"width": 4, "layers": 2}},
        },
    },
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.pipeline)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    clone = copy_project(tmp_path_factory.mktemp("pipeline"))
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.git("config", "user.name", "A newcomer")
    clone.git("config", "user.email", "newcomer@example.org")
    make_small(clone)
    commit(clone, "The project, made small")
    write_photographs(clone.root / "data" / "photographs")
    first = clone.dvc("repro")
    litter = clone.git("status", "--porcelain", "--untracked-files=all").splitlines()
    commit(clone, "What the pipeline gave")
    return Finished(clone, first, litter)


@pytest.fixture
def clone(finished: Finished) -> Clone:
    return finished.clone


def make_small(clone: Clone) -> None:
    """Leave three models of three kinds, as small as they can be."""
    others = dict.fromkeys(clone.get("models").keys() - set(MODELS))
    overlay = {**SMALL, "models": {**SMALL["models"], **others}}
    preset = clone.root / "presets" / "small.yaml"
    preset.write_text("# The smallest pipeline.\n", encoding="utf-8")
    with preset.open("a", encoding="utf-8") as stream:
        YAML().dump(overlay, stream)
    clone.photochrom("preset", "small")


def commit(clone: Clone, message: str) -> None:
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", message)
