"""Models in MLflow's registry: listed, found by their address, and used."""

import json
from pathlib import Path

import numpy as np
import pytest
from cli_kit import CLASSIFICATION, NETWORK, Run, write_model, write_photograph
from PIL import Image

from photochrom.colorizer import catalog
from photochrom.colorizer.stored import ColorizerError
from photochrom.params import load_params
from photochrom.tracking import Dataset, TrainingRecord, flatten, served_code, sync

PARAMS = Path(__file__).parents[2] / "params.yaml"
CHAMPION = "models:/photochrom@champion"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose two models are in its registry; the second is the champion."""
    root = tmp_path_factory.mktemp("registry") / "project"
    whole = load_params(PARAMS)
    entry = next(iter(whole.models.values()))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_TRACKING_URI", "PHOTOCHROM_TRACKING"):
            patch.delenv(name, raising=False)
        for place, name in enumerate(("first", "second")):
            _train(root, name, place)
        models = dict.fromkeys(("first", "second"), entry)
        sync(root, whole.model_copy(update={"models": models}), served_code())
    return root


def _train(root: Path, name: str, seed: int) -> None:
    folder = write_model(root / "models" / name, classifies=True, seed=seed)
    params = flatten({"network": NETWORK.model_dump(), "objective": CLASSIFICATION})
    record = TrainingRecord(name, f"{seed:032}", params, dataset=Dataset("some", "0", {}))
    told = {"key": record.key, "record": record.to_json(), "seconds": 1.0}
    (folder / "run.json").write_text(json.dumps(told | {"started": "2025-01-02T03:04:05+00:00"}))
    (folder / "history.csv").write_text(
        "epoch,images_seen,seconds,train/loss,lr\n1,8,1.0,0.5,0.1\n"
    )
    metrics = root / "results" / "evaluate" / name / "metrics.json"
    metrics.parent.mkdir(parents=True)
    metrics.write_text(json.dumps({"photographs": 1, "auc_rebalanced": 50.0 + seed}))


@pytest.fixture
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    return project


def test_an_address_gives_the_registered_model(inside: Path) -> None:
    gray = Image.fromarray(np.arange(60 * 40, dtype=np.uint8).reshape(60, 40))
    expected = np.asarray(catalog.load("second")(gray))
    entry = catalog.find(CHAMPION)
    assert (entry.name, entry.origin) == (CHAMPION, "registered")
    assert not entry.folder.is_relative_to(inside)
    assert np.array_equal(catalog.load(CHAMPION)(gray), expected)
    other = catalog.load("models:/photochrom/1")(gray)
    assert not np.array_equal(other, expected)


@pytest.mark.parametrize("address", ["models:/photochrom/9", "models:/x/1", "models:/photochrom@x"])
def test_what_is_not_registered_is_refused_in_a_sentence(address: str, inside: Path) -> None:
    with pytest.raises(ColorizerError) as refused:
        catalog.find(address)
    assert str(refused.value).startswith(f"{address} cannot be had: MLflow at mlflow.db says: ")
    assert "\n" not in str(refused.value)


def test_models_lists_the_versions(inside: Path, photochrom: Run) -> None:
    told = {one["name"]: one for one in photochrom("models", "--json").json["models"]}
    assert list(told) == ["first", "second", "models:/photochrom/2", "models:/photochrom/1"]
    best = told["models:/photochrom/2"]
    assert (best["aliases"], best["network"], best["answer"], best["measures"]) == (
        *(["champion"], "unet", "distribution", {"photographs": 1.0, "auc_rebalanced": 51.0}),
    )
    assert "models:/photochrom/2 (champion)" in photochrom("models").out.decode()


def test_the_store_of_another_project_serves_too(
    inside: Path, tmp_path: Path, photochrom: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{inside / 'mlflow.db'}")
    monkeypatch.chdir(tmp_path)
    write_photograph(tmp_path / "scan.png")
    ended = photochrom("colorize", "scan.png", "--model", CHAMPION)
    assert ended.status == 0, ended.err
    assert ended.lines[0] == f"Model: {CHAMPION}, registered in MLflow."


def test_a_damaged_store_is_told_of(here: Path) -> None:
    (here / "mlflow.db").write_bytes(b"no database" * 1000)
    with pytest.raises(ColorizerError) as refused:
        catalog.find(CHAMPION, here)
    assert str(refused.value) == (
        f"{CHAMPION} cannot be had: MLflow at mlflow.db says: file is not a database."
    )
