"""Models in their folders: loaded as they were written, refused in one line."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from colorizer_kit import ARGMAX, CPU, FIRST, MODELS, edit, write_model
from safetensors.torch import load_file, save_file

from photochrom.color.batch import normalised
from photochrom.colorizer.prediction import Predictor
from photochrom.colorizer.stored import ColorizerError, read_config
from photochrom.params.models import ResNetParams


def test_a_model_is_loaded_as_it_was_written(tmp_path: Path) -> None:
    network = write_model(FIRST, tmp_path / "model")
    predictor = Predictor.load(tmp_path / "model", device=CPU)
    assert not predictor.network.training
    lightness = torch.rand(1, 1, 32, 32) * 100
    with torch.inference_mode():
        expected = network(normalised(lightness)) * 110.0
    torch.testing.assert_close(predictor.predict_ab(lightness), expected, atol=1e-4, rtol=1e-4)


def test_another_decoding_can_be_asked_for(tmp_path: Path) -> None:
    [model] = [m for m in MODELS.values() if m.objective.kind == "classification"][:1]
    write_model(model, tmp_path / "model")
    stored = Predictor.load(tmp_path / "model", device=CPU)
    asked = Predictor.load(tmp_path / "model", ARGMAX, CPU)
    assert (stored.decoding.kind, asked.decoding.kind) == ("mean", "argmax")
    lightness = torch.rand(1, 1, 32, 32) * 100
    assert not torch.equal(stored.predict_ab(lightness), asked.predict_ab(lightness))


def test_a_model_that_began_with_pretrained_weights_needs_them_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [model] = [m for m in MODELS.values() if isinstance(m.network, ResNetParams)][:1]
    write_model(model, tmp_path / "model")
    edit(tmp_path / "model", lambda config: config["network"].update(pretrained=True))
    monkeypatch.setattr("photochrom.networks.resnet._pretrained", lambda _: pytest.fail("asked"))
    Predictor.load(tmp_path / "model", device=CPU)


def refusal(folder: Path) -> str:
    with pytest.raises(ColorizerError) as caught:
        Predictor.load(folder, device=CPU)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400 + len(str(folder))
    return message


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    assert "holds no trained model: run `dvc repro`" in refusal(tmp_path)


@pytest.mark.parametrize("found", [0, 1, None, "2"])
def test_another_format_is_refused(trained: Path, found: Any) -> None:
    edit(trained, lambda config: config.update(format=found))
    assert f"is of format {found}, not 2" in refusal(trained)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '{"format": 2'])
def test_a_damaged_config_is_refused(trained: Path, text: str) -> None:
    (trained / "config.json").write_text(text)
    assert str(trained / "config.json") in refusal(trained)


@pytest.mark.parametrize("key", ["network", "objective", "decoding", "image_size"])
def test_a_config_that_lacks_a_key_is_refused_by_its_name(trained: Path, key: str) -> None:
    edit(trained, lambda config: config.pop(key))
    assert key in refusal(trained)


def test_a_network_of_another_version_is_refused(trained: Path) -> None:
    edit(trained, lambda config: config["network"].update(kind="transformer"))
    assert "transformer" in refusal(trained)


def test_missing_weights_are_refused(trained: Path) -> None:
    (trained / "weights.safetensors").unlink()
    assert "weights.safetensors" in refusal(trained)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_truncated_weights_are_refused(trained: Path, share: float) -> None:
    path = trained / "weights.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: round(share * len(whole))])
    assert "cannot be loaded" in refusal(trained)


def test_weights_of_another_network_are_refused_with_a_reason(
    trained: Path, tmp_path: Path
) -> None:
    other = next(m for m in MODELS.values() if m.network.kind != "resnet")
    write_model(other, tmp_path / "other")
    (tmp_path / "other/weights.safetensors").replace(trained / "weights.safetensors")
    said = refusal(trained)
    assert re.search("cannot be loaded: its layers .*(Missing|Unexpected|size mismatch)", said)
    assert "train it again, or get it anew" in said


def test_a_config_of_another_version_is_refused_with_a_reason(trained: Path) -> None:
    config = json.loads((trained / "config.json").read_text())
    key, _ = config["network"].popitem()
    (trained / "config.json").write_text(json.dumps(config))
    said = refusal(trained)
    assert re.search(rf"network\.\w+\.{key}: .*; train it again, or get it anew\.$", said)


def test_weights_of_another_size_are_refused_with_a_reason(trained: Path) -> None:
    path = trained / "weights.safetensors"
    save_file({"decoder.9.weight": torch.zeros(3)}, path)
    assert "Missing key" in refusal(trained)


def test_a_config_is_read(trained: Path) -> None:
    config = read_config(trained)
    assert config.image_size == 32
    assert config.network == FIRST.network


def test_weights_that_were_packed_are_checked(trained: Path) -> None:
    packed = (trained / "weights.safetensors").read_bytes()
    sha256 = hashlib.sha256(packed).hexdigest()
    edit(trained, lambda config: config.update(sha256=sha256))
    Predictor.load(trained, device=CPU)
    damaged = packed[:-1] + bytes([packed[-1] ^ 1])
    (trained / "weights.safetensors").write_bytes(damaged)
    assert "it is damaged, get it again" in refusal(trained)


def test_weights_in_float16_compute_in_float32(trained: Path) -> None:
    lightness = torch.rand(1, 1, 32, 32) * 100
    whole = Predictor.load(trained, device=CPU).predict_ab(lightness)
    path = trained / "weights.safetensors"
    halved = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in load_file(path).items()
    }
    save_file(halved, path)
    predictor = Predictor.load(trained, device=CPU)
    assert {parameter.dtype for parameter in predictor.network.parameters()} == {torch.float32}
    torch.testing.assert_close(predictor.predict_ab(lightness), whole, atol=0.2, rtol=0.05)
