"""Which models there are, which is the best, and what is said where there is none."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_kit import VIVID, write_model
from PIL import Image
from ruamel.yaml import YAML

from photochrom.colorizer import catalog
from photochrom.colorizer.stored import ColorizerError
from photochrom.params.models import AnnealedMeanParams, MeanParams

PARAMS = Path(__file__).parents[2] / "params.yaml"


def measure(root: Path, name: str, **values: Any) -> None:
    folder = root / "results" / "evaluate" / name
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text(json.dumps({"photographs": 9, **values}))


def rule(root: Path, key: str, direction: str) -> None:
    """Write params.yaml with this rule for the champion."""
    yaml = YAML()
    values = yaml.load(PARAMS.read_text(encoding="utf-8"))
    values["tracking"]["champion"] = {"measure": key, "direction": direction}
    with (root / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)


def lock(root: Path, name: str, decoding: dict[str, Any]) -> None:
    """Write dvc.lock as after an evaluation with this decoding."""
    params = {"params.yaml": {f"models.{name}.decoding": decoding}}
    with (root / "dvc.lock").open("w", encoding="utf-8") as file:
        YAML().dump({"schema": "2.0", "stages": {f"evaluate@{name}": {"params": params}}}, file)


@pytest.fixture
def three(here: Path) -> Path:
    for place, name in enumerate(("b", "a", "c")):
        folder = write_model(here / "models" / name, seed=place)
        (folder / "run.json").write_text(json.dumps({"started": f"2026-01-0{3 - place}T00:00:00"}))
    return here


def chosen(root: Path) -> tuple[str, str]:
    entry = catalog.find(None, root)
    return entry.name, entry.why


def test_the_best_is_that_of_the_projects_rule(three: Path) -> None:
    for name, values in {"a": (5.0, 60.0), "b": (2.0, 50.0), "c": (-1.0, 55.0)}.items():
        measure(three, name, colorfulness_delta=values[0], auc_rebalanced=values[1])
    rule(three, "auc_rebalanced", "higher")
    assert chosen(three) == ("a", "the best of 3 by AuC rebalanced")
    rule(three, "colorfulness_delta", "closest to 0")
    assert chosen(three) == ("c", "the best of 3 by Δ colorfulness")


def test_without_measures_it_is_the_newest(three: Path) -> None:
    rule(three, "auc_rebalanced", "higher")
    measure(three, "a", ciede2000=3.0)
    measure(three, "c", auc_rebalanced=float("nan"))
    assert chosen(three) == ("b", "the newest of 3, none of which is measured")


@pytest.mark.parametrize("text", [None, "tracking: [", "tracking: {}"])
def test_a_broken_params_yaml_is_told_of(text: str | None, three: Path) -> None:
    for name, value in {"a": 50.0, "b": 60.0}.items():
        measure(three, name, auc_rebalanced=value)
    if text is not None:
        (three / "params.yaml").write_text(text)
    name, why = chosen(three)
    assert name == "b"
    assert why.startswith("the best of 3 by AuC rebalanced; params.yaml names no measure: params")


def test_numbers_that_are_older_than_the_model_do_not_count(three: Path) -> None:
    for name, value in {"a": 50.0, "b": 40.0}.items():
        measure(three, name, auc_rebalanced=value)
    stale = {
        "schema": "2.0",
        "stages": {
            "train@a": {"outs": [{"path": "models/a", "md5": "new"}]},
            "evaluate@a": {
                "deps": [{"path": "models/a", "md5": "old"}],
                "outs": [{"path": "results/evaluate/a", "md5": "1"}],
            },
        },
    }
    with (three / "dvc.lock").open("w", encoding="utf-8") as file:
        YAML().dump(stale, file)
    assert chosen(three)[0] == "b"


def test_what_was_trained_comes_before_what_was_shipped(here: Path) -> None:
    with pytest.raises(ColorizerError, match=r"There is no model here: train one with `dvc repro`"):
        catalog.find(None, here)
    write_model(catalog.SHIPPED / "photochrom", classifies=True)
    entry = catalog.find(None, here)
    assert (entry.name, entry.origin, entry.classifies) == ("photochrom", "shipped", True)
    (here / "models" / "broken").mkdir(parents=True)
    (here / "models" / "broken" / "config.json").write_text("{}")
    assert catalog.find(None, here).origin == "shipped"
    write_model(here / "models" / "photochrom")
    for name in (None, "photochrom"):
        entry = catalog.find(name, here)
        assert (entry.origin, entry.classifies) == ("trained", False)
    assert [one.name for one in (*catalog.trained(here), *catalog.shipped())] == ["photochrom"] * 2


def test_a_model_colors_as_it_was_measured(here: Path) -> None:
    write_model(here / "models" / "guesser", classifies=True)
    assert catalog.find("guesser", here).config.decoding == AnnealedMeanParams(
        kind="annealed_mean", temperature=0.38
    )
    gray = Image.fromarray(np.arange(48 * 64, dtype=np.uint8).reshape(48, 64))
    before = np.asarray(catalog.load("guesser", here)(gray))
    lock(here, "guesser", {"kind": "mean"})
    assert catalog.find("guesser", here).config.decoding == MeanParams(kind="mean")
    colorizer = catalog.load("guesser", here)
    assert colorizer.temperature == 1.0
    assert not np.array_equal(before, np.asarray(colorizer(gray)))
    assert np.array_equal(colorizer(gray), colorizer(gray, temperature=1.0))


@pytest.mark.parametrize("decoding", [{"kind": "direct"}, {"kind": "none"}, {}])
def test_a_decoding_that_does_not_fit_is_not_taken(decoding: dict[str, str], here: Path) -> None:
    write_model(here / "models" / "guesser", classifies=True)
    lock(here, "guesser", decoding)
    assert catalog.find("guesser", here).config.decoding.model_dump() == VIVID


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": 1}, "is of format 1, not 2: train it again."),
        ({"network": {"kind": "none"}}, "cannot be used: "),
        ({"decoding": {"kind": "mean"}}, "objective and decoding differ"),
        ({"objective": {"bins": "gamut12"}}, "objective and decoding differ"),
    ],
)
def test_broken_models_are_listed_with_why(change: dict[str, Any], why: str, here: Path) -> None:
    write_model(here / "models" / "good")
    write_model(here / "models" / "bad", **change)
    assert [entry.name for entry in catalog.trained(here)] == ["good"]
    (fault,) = catalog.unusable(here)
    assert (fault.name, fault.origin) == ("bad", "trained")
    assert why in fault.why
    assert catalog.find(None, here).name == "good"
    with pytest.raises(ColorizerError) as refused:
        catalog.find("bad", here)
    assert str(refused.value) == fault.why


def test_files_that_are_missing_or_no_json_are_told_of(here: Path) -> None:
    (write_model(here / "models" / "a") / "weights.safetensors").unlink()
    (write_model(here / "models" / "b") / "config.json").write_bytes(b"\xff{")
    (write_model(here / "models" / "c") / "config.json").write_text("[" * 100_000)
    said = {fault.name: fault.why for fault in catalog.unusable(here)}
    assert list(said) == ["a", "b", "c"]
    assert said["a"].endswith("weights.safetensors is missing: run `dvc pull` or `dvc repro`.")
    assert "config.json cannot be used" in said["b"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("paintr", "There is no model paintr. Did you mean painter? There are guesser, painter."),
        ("x", "There is no model x. There are guesser, painter."),
        ("models/x", "There is no model models/x."),
        (Path("painters"), "There is no model painters. Did you mean painter?"),
    ],
)
@pytest.mark.usefixtures("models")
def test_an_unknown_name_is_refused_with_those_there_are(
    name: str | Path, said: str, here: Path
) -> None:
    with pytest.raises(ColorizerError) as refused:
        catalog.find(name, here)
    assert str(refused.value).startswith(said)


def test_a_folder_is_a_model_wherever_it_lies(here: Path, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "far" / "away")
    for name in (str(folder), f"{folder}{os.sep}", folder, Path(os.path.relpath(folder))):
        assert catalog.find(name, here).name == "away"
    assert catalog.load(folder, here).name == "away"


def test_a_name_is_no_folder_that_holds_something_else(here: Path) -> None:
    write_model(here / "models" / "scans")
    (here / "scans").mkdir()
    assert catalog.find("scans", here).folder == here / "models" / "scans"


def test_flipped_weights_of_a_shipped_model_are_refused(here: Path) -> None:
    folder = write_model(catalog.SHIPPED / "photochrom", sha256="0" * 64)
    with pytest.raises(ColorizerError, match="it is damaged, get it again") as refused:
        catalog.load(None, here)
    assert str(folder) in str(refused.value)


@pytest.mark.parametrize("address", ["models:/a", "models:/a/b", "models:/a@", "models:/a/1/2"])
def test_an_address_of_no_form_is_refused(address: str, here: Path) -> None:
    with pytest.raises(ColorizerError, match=r"write it as models:/NAME/VERSION"):
        catalog.find(address, here)


def test_an_address_without_a_store_is_refused(here: Path) -> None:
    with pytest.raises(ColorizerError, match=r"there is no mlflow\.db here"):
        catalog.find("models:/photochrom/1", here)
    assert list(here.iterdir()) == []
