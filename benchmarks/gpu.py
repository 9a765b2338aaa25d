"""`python benchmarks/gpu.py --recipe NAME --photographs ZIP`: whole studies, by the clock.

Runs the stages of the pipeline in a scratch folder, each in a process of its own as DVC does, and
holds the time of all against the recipe's goal. It needs neither DVC nor MLflow.
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from history import stamped
from measuring import finish
from photochrom.environment import SettingError
from photochrom.files import read_json, write_json
from photochrom.params import ParamsError
from photochrom.progress import say
from recipes import RECIPES, Recipe, chosen, project_of
from run import archive, positive
from scratch_project import Project

DATA = ("download", "filter", "lab", "prior")
RunStage = Callable[..., None]


@dataclass
class Clock:
    """Runs stages and notes how long each took.

    Attributes
    ----------
    seconds : by stage, in their order.
    """

    run_stage: RunStage
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, stage: str, *arguments: str) -> None:
        """Run a stage to its end."""
        title = "@".join((stage, *arguments))
        say(f"Running {title}")
        started = time.perf_counter()
        self.run_stage(stage, *arguments)
        finish()
        self.seconds[title] = round(time.perf_counter() - started, 3)


def main(words: Sequence[str] | None = None) -> None:
    """Run a recipe, print its times and write them."""
    options = parser().parse_args(words)
    command = shlex.join(["python", "benchmarks/gpu.py", *(words or sys.argv[1:])])
    try:
        with tempfile.TemporaryDirectory(prefix="photochrom-gpu-") as scratch:
            found = measured(options, Path(scratch))
    except (ParamsError, SettingError) as error:
        raise SystemExit(f"gpu.py: {error}") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"gpu.py: {shlex.join(error.cmd[1:])} failed; see above why.") from None
    facts = stamped(command) | found
    show(facts)
    if options.out is not None:
        path = options.out / f"{options.recipe}.json"
        write_json(path, facts)
        print(f"Written to {path}.")


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    made = argparse.ArgumentParser(prog="benchmarks/gpu.py", description=__doc__)
    made.add_argument("--recipe", choices=list(RECIPES), required=True)
    made.add_argument("--photographs", type=archive, metavar="ZIP", required=True)
    made.add_argument("--epochs", type=positive, help="instead of the recipe's")
    made.add_argument("--limit", type=positive, metavar="N", help="take only N photographs")
    made.add_argument("--models", type=lambda text: text.split(","), help="such as unet313,dcgan")
    made.add_argument("--out", type=Path, metavar="FOLDER", help="write the times there as JSON")
    made.add_argument(
        "--one-process", action="store_true", help="load the libraries once, not for each stage"
    )
    return made


def measured(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Run the stages in order and return their times and the speed of each training."""
    recipe = RECIPES[options.recipe]
    project = project_of(recipe, scratch, options.photographs, options.epochs, options.limit)
    names = chosen(recipe, project.params, options.models)
    clock = Clock(project.run if options.one_process else project.run_process)
    for stage in DATA:
        clock.run(stage)
    for name in names:
        clock.run("train", name)
    clock.run("baselines")
    for name in names:
        clock.run("evaluate", name)
    return {
        "recipe": {"name": options.recipe, **asdict(recipe)},
        "whole": whole(options),
        "photographs": counts(project),
        "seconds": clock.seconds,
        "total_seconds": round(sum(clock.seconds.values()), 3),
        "models": {name: trained(project, name) for name in names},
        "needed": needed(recipe, project, names),
    }


def whole(options: argparse.Namespace) -> bool:
    """Return whether nothing of the recipe was left out."""
    return not (options.epochs or options.limit or options.models)


def counts(project: Project) -> dict[str, int]:
    """Return the squares of each split."""
    return {split: len(project.split(split)) for split in ("train", "validation", "test")}


def needed(recipe: Recipe, project: Project, names: Sequence[str]) -> float:
    """Return the photographs/s at which the trainings alone would take all of the goal's time."""
    epochs = sum(project.params.models[name].epochs for name in names)
    return round(epochs * len(project.split("train")) / (60 * recipe.minutes), 1)


def trained(project: Project, name: str) -> dict[str, Any]:
    """Return what the training says of itself."""
    run = read_json(project.root / "models" / name / "run.json")
    return {key: run[key] for key in ("epochs", "seconds", "images_per_second", "precision")}


def show(facts: dict[str, Any]) -> None:
    """Print the seconds of each stage, the speed of each model, and the verdict."""
    table = Table("stage", "seconds", "photographs/s", title=facts["recipe"]["name"])
    for title, seconds in facts["seconds"].items():
        stage, _, model = title.partition("@")
        speed = f"{facts['models'][model]['images_per_second']:.0f}" if stage == "train" else ""
        table.add_row(title, f"{seconds:.1f}", speed)
    Console().print(table)
    print(f"Training needs more than {facts['needed']:.0f} photographs/s to reach the goal.")
    print(verdict(facts))


def verdict(facts: dict[str, Any]) -> str:
    """Return a sentence about the goal."""
    total, goal = facts["total_seconds"] / 60, facts["recipe"]["minutes"]
    took = f"All took {total:.1f} minutes; the goal on one GPU is {goal:g}"
    if not torch.cuda.is_available():
        return f"{took}, which is not judged: there is no GPU here."
    if not facts["whole"]:
        return f"{took}, which is not judged: this was not the whole recipe."
    return f"{took}: {'met' if total <= goal else 'missed'}."


if __name__ == "__main__":
    main()
