"""``photochrom export``: what it writes, and one line for what it refuses."""

import json
from pathlib import Path

import onnx
import pytest
import typer
from export_kit import SIDE, entry, write_model
from project_kit import NAME, SMALL
from typer.testing import CliRunner, Result

from photochrom.cli.export import export_model
from photochrom.cli.refusal import RefusalError

app = typer.Typer()
app.command()(export_model)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (NAME, SMALL):
        write_model(tmp_path / "models" / name, entry(name))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def refusal(*arguments: str) -> str:
    result = export(*arguments)
    assert isinstance(result.exception, RefusalError), result.output
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_it_writes_onnx_and_a_package(root: Path) -> None:
    (root / "notes.md").write_text("## Intended use\n\nFamily albums.\n")
    done = export(
        SMALL, "--onnx", "it.onnx", "--package", "it", "--license", "CC0", "--notes", "notes.md",
        "--size", "96",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    first, second = done.stdout.splitlines()
    assert first.startswith(f"it.onnx: {SMALL} as ONNX (opset ")
    assert "at 1 x 96 x 96, 2 x 96 x 192, 1 x 104 x 200." in first
    assert second.startswith(f"it: {SMALL} packed in 0.")
    told = {item.key: item.value for item in onnx.load("it.onnx").metadata_props}
    assert (told["model"], told["license"], told["size"]) == (SMALL, "CC0", "96")
    assert "Family albums." in Path("it/MODEL_CARD.md").read_text()
    assert json.loads(Path("it/config.json").read_text())["image_size"] == 96


def test_another_temperature_goes_into_the_package(root: Path) -> None:
    done = export(NAME, "--package", "it", "--license", "CC0", "--temperature", "0.5")
    assert done.exit_code == 0, done.output
    told = json.loads(Path("it/config.json").read_text())
    assert told["decoding"] == {"kind": "annealed_mean", "temperature": 0.5}
    assert told["image_size"] == SIDE


def test_it_has_to_be_told_what_to_write(root: Path) -> None:
    assert "--onnx FILE, --package FOLDER" in refusal(NAME)


@pytest.mark.parametrize("terms", [[], ["--license", " "]])
def test_a_package_needs_a_license(root: Path, terms: list[str]) -> None:
    assert "--license TEXT" in refusal(NAME, "--package", "it", *terms)


def test_notes_need_a_package(root: Path) -> None:
    assert "give --package" in refusal(NAME, "--onnx", "it.onnx", "--notes", "notes.md")


def test_what_is_there_stays(root: Path) -> None:
    Path("it.onnx").write_bytes(b"mine")
    assert "it.onnx is there already" in refusal(NAME, "--onnx", "it.onnx")
    assert Path("it.onnx").read_bytes() == b"mine"
    Path("it").mkdir()
    Path("it/letter.txt").write_text("mine")
    assert "it is not empty" in refusal(NAME, "--package", "it", "--license", "CC0")
    assert "it.onnx is no folder" in refusal(NAME, "--package", "it.onnx", "--license", "CC0")
    done = export(NAME, "--package", "it", "--license", "CC0", "--overwrite")
    assert done.exit_code == 0, done.output
    assert Path("it/letter.txt").read_text() == "mine"
    assert Path("it/config.json").is_file()


def test_unknown_models_and_options_are_refused(root: Path) -> None:
    assert "There is no model vgg" in refusal("vgg", "--onnx", "it.onnx")
    assert "from 16 to 1024" in refusal(NAME, "--onnx", "it.onnx", "--size", "2000")
    assert "from 0.05 to 10" in refusal(NAME, "--onnx", "it.onnx", "--temperature", "99")
    assert "leave --temperature out" in refusal(SMALL, "--onnx", "it.onnx", "--temperature", "0.5")
    assert not Path("it.onnx").exists()


def test_missing_notes_and_damaged_weights_are_refused(root: Path) -> None:
    packing = ("--package", "it", "--license", "CC0")
    assert "none.md" in refusal(NAME, *packing, "--notes", "none.md")
    (root / "models" / NAME / "weights.safetensors").write_bytes(b"none")
    assert "cannot be loaded" in refusal(NAME, *packing)
    assert "cannot be loaded" in refusal(NAME, "--onnx", "it.onnx")
    assert not Path("it").exists()


def test_missing_packages_are_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photochrom.colorizer.onnx_export.missing_packages", lambda: ["onnx"])
    assert "pip install 'photochrom[onnx]'" in refusal(NAME, "--onnx", "it.onnx")
