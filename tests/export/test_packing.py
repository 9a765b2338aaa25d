"""A package holds the same model in half the space, and nothing of it can change unnoticed."""

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from export_kit import ROOT, SIDE, entry, write_model
from project_kit import NAME, write_project
from safetensors.torch import load_file, save_file

from photochrom.colorizer import packing
from photochrom.colorizer.agreement import agreement
from photochrom.colorizer.catalog import Entry, find
from photochrom.colorizer.colorizer import load_colorizer
from photochrom.colorizer.packing import Package, PackingError, license_of, pack
from photochrom.colorizer.prediction import Predictor
from photochrom.colorizer.stored import ColorizerError, read_config
from photochrom.data.shards import LabSet

TERMS = "Research use only."
FILES = {"MODEL_CARD.md", "config.json", "weights.safetensors"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Entry:
    return find(write_model(tmp_path_factory.mktemp("trained") / "it", entry(NAME)))


@pytest.fixture(scope="module")
def package(model: Entry, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return pack(model, tmp_path_factory.mktemp("packed") / "it", model.config, TERMS)


@pytest.fixture
def copy(package: Package, tmp_path: Path) -> Path:
    """The package, to do harm to."""
    folder = tmp_path / "it"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_bytes((package.folder / name).read_bytes())
    return folder


def test_it_holds_three_files_that_everybody_may_read(package: Package) -> None:
    files = list(package.folder.iterdir())
    assert {file.name for file in files} == FILES
    assert package.size == sum(file.stat().st_size for file in files)
    assert {file.stat().st_mode & 0o444 for file in files} == {0o444}
    assert list(package.folder.parent.iterdir()) == [package.folder]


def test_numbers_become_float16_and_counts_stay(model: Entry, package: Package) -> None:
    before = load_file(model.folder / "weights.safetensors")
    after = load_file(package.folder / "weights.safetensors")
    assert before.keys() == after.keys()
    assert {tensor.dtype for tensor in before.values()} == {torch.float32, torch.int64}
    for name, tensor in before.items():
        expected = tensor.half() if tensor.is_floating_point() else tensor
        assert after[name].dtype == expected.dtype
        assert torch.equal(after[name], expected)


def test_the_config_says_what_it_was_told(model: Entry, package: Package) -> None:
    told = json.loads((package.folder / "config.json").read_text())
    before = json.loads((model.folder / "config.json").read_text())
    data = (package.folder / "weights.safetensors").read_bytes()
    added = {"license": TERMS, "sha256": hashlib.sha256(data).hexdigest()}
    assert told == {**before, **added}
    assert license_of(package.folder) == TERMS
    assert license_of(model.folder) is None


def test_the_rounding_is_what_the_two_models_differ_by(model: Entry, package: Package) -> None:
    lightness = packing.photograph_like(4, SIDE, SIDE)
    one, other = (
        Predictor.load(folder, None, torch.device("cpu")).predict_ab(lightness)
        for folder in (model.folder, package.folder)
    )
    assert package.rounding == agreement(one, other)
    assert 0.0 < package.rounding.mean < package.rounding.largest < 2.0


def test_it_is_measured_on_the_projects_photographs(tmp_path: Path) -> None:
    folder = write_project(tmp_path)
    found = find(folder.name, tmp_path)
    done = pack(found, tmp_path / "packed", found.config, TERMS)
    stored = torch.from_numpy(
        LabSet.open(tmp_path / "data/lab", "test").take(torch.arange(3).numpy())
    )
    lightness = stored[:, :1].float() * (100 / 255)
    one, other = (
        Predictor.load(place, None, torch.device("cpu")).predict_ab(lightness)
        for place in (folder, done.folder)
    )
    assert done.rounding.largest == pytest.approx(agreement(one, other).largest)
    assert "on 3 of the photographs to measure on" in (done.folder / "MODEL_CARD.md").read_text()


def test_another_size_and_decoding_go_with_it(model: Entry, tmp_path: Path) -> None:
    decoding = model.config.decoding.model_copy(update={"temperature": 0.9})
    config = model.config.model_copy(update={"image_size": 96, "decoding": decoding})
    done = pack(model, tmp_path / "it", config, TERMS)
    found = read_config(done.folder)
    assert (found.image_size, found.decoding) == (96, decoding)
    assert load_colorizer(done.folder, "it").temperature == 0.9


def test_it_is_the_same_each_time(model: Entry, package: Package, tmp_path: Path) -> None:
    again = pack(model, tmp_path / "it", model.config, TERMS)
    for name in FILES:
        assert (again.folder / name).read_bytes() == (package.folder / name).read_bytes()


def test_a_package_can_be_packed_again(package: Package, tmp_path: Path) -> None:
    found = find(package.folder)
    again = pack(found, tmp_path / "it", found.config, TERMS)
    assert again.rounding.largest == 0.0
    assert read_config(again.folder).sha256 == read_config(package.folder).sha256


def test_weights_beyond_float16_are_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "it", entry(NAME))
    weights = load_file(folder / "weights.safetensors")
    first = next(name for name, tensor in weights.items() if tensor.is_floating_point())
    weights[first].view(-1)[0] = 1e6
    save_file(weights, folder / "weights.safetensors")
    found = find(folder)
    with pytest.raises(PackingError, match=f"{first} holds numbers that float16 cannot"):
        pack(found, tmp_path / "packed", found.config, TERMS)
    assert list(tmp_path.iterdir()) == [folder]


def test_too_large_a_package_is_refused_and_the_one_there_stays(
    model: Entry, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: (copy / name).read_bytes() for name in FILES}
    monkeypatch.setattr(packing, "MOST_BYTES", 30_000)
    with pytest.raises(PackingError, match=r"would have 0\.\d MB, more than 0\.03"):
        pack(model, copy, model.config, TERMS)
    assert {name: (copy / name).read_bytes() for name in FILES} == before
    assert list(copy.parent.iterdir()) == [copy]


def test_a_damaged_model_is_not_packed(model: Entry, tmp_path: Path) -> None:
    folder = tmp_path / "it"
    folder.mkdir()
    (folder / "config.json").write_bytes((model.folder / "config.json").read_bytes())
    (folder / "weights.safetensors").write_bytes(b"no weights")
    with pytest.raises(ColorizerError, match="cannot be loaded"):
        pack(replace(model, folder=folder), tmp_path / "packed", model.config, TERMS)


@pytest.mark.parametrize("place", [0.0, 0.01, 0.5, 0.999])
def test_one_flipped_bit_is_refused_in_one_line(copy: Path, place: float) -> None:
    path = copy / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1
    path.write_bytes(data)
    refused_in_one_line(copy)


@pytest.mark.parametrize("kept", [0, 8, 0.5])
def test_a_truncated_file_is_refused_in_one_line(copy: Path, kept: float) -> None:
    path = copy / "weights.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: int(kept if kept > 1 else kept * len(data))])
    refused_in_one_line(copy)


def test_another_digest_is_refused_in_one_line(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "sha256": "0" * 64}))
    refused_in_one_line(copy)


def refused_in_one_line(folder: Path) -> None:
    with pytest.raises(ColorizerError, match=r"cannot be loaded: its SHA-256 is") as refused:
        load_colorizer(folder, "it")
    assert "\n" not in str(refused.value)


# No pickle anywhere: what is unpickled can run any code.


def calls(file: Path) -> Iterator[ast.Call]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def unpickles(call: ast.Call) -> bool:
    given = {word.arg: ast.unparse(word.value) for word in call.keywords}
    match ast.unparse(call.func):
        case "torch.load":
            return given.get("weights_only") != "True"
        case "np.load" | "numpy.load":
            return given.get("allow_pickle", "False") != "False"
        case "joblib.load" | "pd.read_pickle" | "torch.jit.load":
            return True
    return False


def imports_pickle(file: Path) -> bool:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            harmless = {alias.name for alias in node.names} <= {"UnpicklingError"}
            modules = [] if harmless else [node.module or ""]
        if {"pickle", "cloudpickle", "dill", "shelve", "marshal"} & set(modules):
            return True
    return False


def test_nothing_is_unpickled() -> None:
    files = [file for part in ("src", "stages") for file in (ROOT / part).rglob("*.py")]
    assert sum(ast.unparse(c.func) == "torch.load" for f in files for c in calls(f)) >= 3
    assert [file.name for file in files if any(map(unpickles, calls(file)))] == []
    assert [file.name for file in files if imports_pickle(file)] == []


def test_what_would_unpickle_is_seen() -> None:
    lines = (
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, None, True)",
    )
    found = [unpickles(ast.parse(line, mode="eval").body) for line in lines]  # type: ignore[arg-type]
    assert found[:2] == [True, True]
