"""Serves models where only what their requirements name can be imported; prints which it served."""

import json
import sys
import warnings
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import (
    Distribution,
    DistributionFinder,
    distribution,
    packages_distributions,
)
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from packaging.requirements import Requirement

from photochrom.tracking.logged import requirements

NEEDED = {"photochrom", "setuptools"}
KINDS = ("unet", "resnet", "efficientnet")
INSTALLED = packages_distributions()


def closure(lines: list[str]) -> set[str]:
    """Return the names of the packages that a pip of these requirements installs."""
    waiting, found = [Requirement(line) for line in lines], set[str]()
    while waiting:
        requirement = waiting.pop()
        name = canonical(requirement.name)
        if name in found or not holds(requirement):
            continue
        found.add(name)
        try:
            told = distribution(name).requires or []
        except ModuleNotFoundError:  # Of another platform.
            continue
        waiting += [Requirement(line) for line in told]
    return found


def holds(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


class Finder(DistributionFinder):
    """Finds what Python does, but for packages that are not among the requirements."""

    present: set[str]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        owners = {canonical(owner) for owner in INSTALLED.get(name.partition(".")[0], ())}
        if owners and not owners & (self.present | NEEDED):
            return None
        return PathFinder.find_spec(name, path, target)

    def find_distributions(self, context: DistributionFinder.Context) -> Iterator[Distribution]:
        for found in PathFinder.find_distributions(context):
            if canonical(found.metadata["Name"]) in self.present | NEEDED:
                yield found


def main() -> None:
    folders: dict[str, str] = json.loads(sys.argv[1])
    needed = {kind: closure(requirements(kind)) for kind in KINDS}
    finder = Finder()
    finder.present = needed[KINDS[0]]
    sys.meta_path[sys.meta_path.index(PathFinder)] = finder
    warnings.simplefilter("ignore")
    import pandas as pd

    from photochrom import served
    from photochrom.pictures.reading import read_photograph

    deep = Path(folders["photograph"]).read_bytes()
    assert read_photograph(deep).pixels.dtype == "uint16"
    rows = pd.DataFrame({"photograph": [deep]})
    for kind in KINDS:
        finder.present = needed[kind]
        model = served.ServedColorizer()
        weights = str(Path(folders[kind], "weights.safetensors"))
        model.load_context(SimpleNamespace(artifacts={"weights": weights}))  # type: ignore[arg-type]
        assert len(model.predict(None, rows)) == 1  # type: ignore[arg-type]
        print(kind)


main()
