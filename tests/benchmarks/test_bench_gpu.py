"""The recipes for a GPU machine, at tiny size on the CPU and without DVC and MLflow."""

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

import gpu
from photochrom.params import ParamsError
from recipes import RECIPES, chosen, of_length, project_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
BLOCKED = """
import runpy, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("dvc", "mlflow"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1])
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ZIP of 40 colorful JPEGs of 32 px, laid out as CIFAR-10's."""
    folder = tmp_path_factory.mktemp("archive")
    path = folder / "photographs.zip"
    with ZipFile(path, "w") as target:
        for number in range(40):
            file = folder / "photograph.jpg"
            Image.effect_noise((32, 32), 90).convert("RGB").save(file)
            shade = Image.new("RGB", (32, 32), (6 * number, 200, 250 - 6 * number))
            Image.blend(Image.open(file), shade, 0.7).save(file)
            split = ("test", "validation", "train", "train")[number % 4]
            target.write(file, f"made/{split}/shape/{number:04d}.jpg")
    return path


def test_recipe_runs_without_dvc_and_mlflow(archive: Path, tmp_path: Path) -> None:
    words = ["--recipe", "cifar10", "--photographs", str(archive), "--limit", "48", "--epochs", "1"]
    words += ["--models", "unet313", "--one-process", "--out", str(tmp_path)]
    script = str(BENCHMARKS / "gpu.py")
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(BENCHMARKS), script, *words],
        env={**os.environ, "PHOTOCHROM_WORKERS": "1", "PHOTOCHROM_DEVICE": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "cifar10.json").read_text(encoding="utf-8"))
    stages = ["download", "filter", "lab", "prior", "train@unet313", "baselines"]
    assert list(facts["seconds"]) == [*stages, "evaluate@unet313"]
    assert facts["total_seconds"] == pytest.approx(sum(facts["seconds"].values()), abs=0.01)
    assert sum(facts["photographs"].values()) == 48
    assert facts["models"]["unet313"]["epochs"] == 1
    assert facts["needed"] == pytest.approx(facts["photographs"]["train"] / 300, abs=0.1)
    assert facts["models"]["unet313"]["images_per_second"] > 0
    assert "which is not judged" in done.stdout
    assert all(stage in done.stdout for stage in facts["seconds"])


def test_failed_stage_ends_with_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.zip").write_bytes(b"no archive")
    words = ["--recipe", "table", "--photographs", str(tmp_path / "broken.zip")]
    with pytest.raises(SystemExit, match=r"download\.py failed; see above why"):
        gpu.main(words)
    assert "broken.zip" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "models", "epochs", "size"),
    [
        ("cifar10", ["unet313", "dcgan"], 100, 32),
        ("coco-like", ["resnet34_regression"], 50, 256),
        ("table", None, 20, 64),
    ],
)
def test_recipes_are_the_studies(
    archive: Path, tmp_path: Path, recipe: str, models: list[str] | None, epochs: int, size: int
) -> None:
    project = project_of(RECIPES[recipe], tmp_path, archive, None, 50)
    names = chosen(RECIPES[recipe], project.params, None)
    assert names == models or (len(names) == 13 and "photochrom" not in names)
    assert project.params.lab.size == size
    for name in names:
        model = project.params.models[name]
        assert model.epochs == epochs
        assert getattr(model.network, "pretrained", False) is False


def test_unknown_model_is_refused(archive: Path, tmp_path: Path) -> None:
    recipe = RECIPES["cifar10"]
    project = project_of(recipe, tmp_path, archive, 1, 50)
    with pytest.raises(ParamsError, match=r"no model unet9; it has unet313, dcgan"):
        chosen(recipe, project.params, ["unet9"])


@pytest.mark.parametrize("count", [7, 40, 95])
def test_archive_of_any_length_holds_no_file_twice(
    archive: Path, tmp_path: Path, count: int
) -> None:
    with ZipFile(of_length(archive, count, tmp_path / "out.zip")) as made, ZipFile(archive) as old:
        names = made.namelist()
        files = {made.read(name) for name in names}
        originals = {old.read(name) for name in old.namelist()}
        splits = {name.split("/")[1] for name in names}
    assert len(set(names)) == len(files) == count
    assert len(files & originals) == min(count, 40)
    assert splits == {"train", "validation", "test"}


def test_archive_without_photographs_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "empty.zip", "w") as target:
        target.writestr("readme.txt", "nothing")
    with pytest.raises(ParamsError, match="holds no JPEGs"):
        of_length(tmp_path / "empty.zip", 3, tmp_path / "out.zip")


@pytest.mark.parametrize(
    ("gpu_there", "whole", "seconds", "said"),
    [
        (False, True, 60, "there is no GPU here"),
        (True, False, 60, "this was not the whole recipe"),
        (True, True, 299, "is 5: met."),
        (True, True, 301, "is 5: missed."),
    ],
)
def test_goal_is_judged_on_a_gpu_and_for_the_whole_recipe(
    monkeypatch: pytest.MonkeyPatch, gpu_there: bool, whole: bool, seconds: float, said: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu_there)
    facts = {"recipe": {"minutes": 5}, "whole": whole, "total_seconds": seconds}
    assert said in gpu.verdict(facts)
