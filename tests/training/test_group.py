"""Several processes: what they compute together is what one computes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from group_kit import entries, gradients_of, together, training_of, validations_of
from training_kit import MODELS, write_lab_set

from photochrom.files import read_json

SIDE = 64


@pytest.fixture(scope="module")
def lab64(tmp_path_factory: pytest.TempPathFactory) -> Path:
    counts = {"train": 5, "validation": 1, "test": 1}
    return write_lab_set(tmp_path_factory.mktemp("group") / "lab", side=SIDE, counts=counts)


@pytest.fixture(scope="module")
def out(lab64: Path, lab: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes wrote."""
    folder = tmp_path_factory.mktemp("two")
    together(lab64, lab, folder)
    return folder


@pytest.fixture(scope="module")
def measured(out: Path) -> Any:
    return read_json(out / "measured.json")


@pytest.mark.parametrize("name", entries())
def test_gradients_are_those_of_one_process(
    name: str, out: Path, lab64: Path, tmp_path: Path
) -> None:
    of_two = torch.load(out / f"gradients-{name}.pt", weights_only=True)
    of_one = gradients_of(entries()[name], lab64, tmp_path)
    assert of_two.keys() == of_one.keys()
    greatest = max(float(gradient.abs().max()) for gradient in of_one.values())
    assert greatest > 0
    for key, gradient in of_one.items():
        difference = float((gradient - of_two[key]).abs().max())
        assert difference <= 1e-9 * min(1.0, greatest), key


@pytest.mark.parametrize("name", MODELS)
def test_a_training_has_the_same_metrics(
    name: str, out: Path, measured: Any, lab: Path, tmp_path: Path
) -> None:
    of_two = measured[name]
    of_one, kept = training_of(name, lab, tmp_path)
    assert [row.keys() for row in of_two] == [row.keys() for row in of_one]
    for one, two in zip(of_one, of_two, strict=True):
        assert two == pytest.approx(one, rel=1e-6)
    state = torch.load(out / f"{name}.pt", weights_only=True)
    assert state.keys() == kept.keys()
    for key, tensor in kept.items():
        assert torch.allclose(state[key], tensor, rtol=1e-6, atol=1e-9), key


def test_an_uneven_evaluation_is_that_of_one_process(measured: Any, lab: Path) -> None:
    """One photograph leaves the second process none; five and seven leave it fewer."""
    of_two = measured["validations"]
    of_one = validations_of(lab)
    assert of_two.keys() == of_one.keys()
    for count, measured in of_one.items():
        assert of_two[count] == pytest.approx(measured, rel=1e-12), count


@pytest.mark.parametrize("name", ["autoencoder", "unet6_gan", "unet313"])
def test_pieces_one_after_another_add_up(
    name: str, lab64: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for batch normalization, which sees a piece at a time."""
    whole = gradients_of(entries()[name], lab64, tmp_path / "whole", norms=False)
    monkeypatch.setenv("PHOTOCHROM_DEVICE_BATCH", "2")
    pieces = gradients_of(entries()[name], lab64, tmp_path / "pieces", norms=False)
    assert whole.keys() == pieces.keys()
    for key, gradient in whole.items():
        assert torch.allclose(pieces[key], gradient, rtol=1e-9, atol=1e-12), key
