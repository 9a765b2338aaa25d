"""Every network of params.yaml and every kind: shapes, ranges, gradients, sizes, weights."""

import pkgutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, resnet18

from photochrom import networks
from photochrom.color.bins import bins
from photochrom.networks import ColorNetwork, WeightsError, build_network, resnet
from photochrom.networks.base import count_parameters
from photochrom.params import load_params
from photochrom.params.models import (
    ClassificationParams,
    Network,
    ResNetParams,
    UNetParams,
    VGGParams,
)

ROOT = Path(__file__).resolve().parents[2]
SIDES = (32, 64, 96)


def unet(levels: int, width: int = 4, output: str = "linear", **other: Any) -> UNetParams:
    values = {"dropout": 0.5, "init": "normal", **other}
    return UNetParams.model_validate(
        {"kind": "unet", "levels": levels, "width": width, "output": output, **values}
    )


def resnet_of(depth: int, pretrained: bool = False) -> ResNetParams:
    return ResNetParams.model_validate(
        {"kind": "resnet", "depth": depth, "pretrained": pretrained, "decoder": "deconvolution"}
    )


VARIANTS: dict[str, tuple[Any, int]] = {
    "resnet18": (resnet_of(18), 2),
    "resnet34": (resnet_of(34), 313),
    "vgg": (VGGParams(kind="vgg", width=0.125), 313),
    "vgg regression": (VGGParams(kind="vgg", width=0.125), 2),
    "unet3": (unet(3, output="tanh"), 2),
    "unet4 default": (unet(4, init="default", dropout=0.0), 313),
    "unet5": (unet(5), 256),
    "unet6 tanh": (unet(6, output="tanh"), 2),
}


def entries() -> Iterator[tuple[str, tuple[Any, int]]]:
    for name, model in load_params(ROOT / "params.yaml").models.items():
        objective = model.objective
        classifies = isinstance(objective, ClassificationParams)
        yield name, (model.network, len(bins(objective.bins)) if classifies else 2)


CASES = VARIANTS | dict(entries())
every_network = pytest.mark.parametrize(
    "build",
    [pytest.param(lambda case=case: build_network(*case), id=name) for name, case in CASES.items()],
)
Build = Callable[[], ColorNetwork]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def gray(count: int, height: int, width: int) -> Tensor:
    return torch.rand(count, 1, height, width) * 2 - 1


def fitting(network: ColorNetwork) -> list[int]:
    sides = [side for side in SIDES if side % network.stride == 0]
    return sides or [network.stride]


def kinds() -> set[str]:
    members = get_args(get_args(Network)[0])
    return {get_args(member.model_fields["kind"].annotation)[0] for member in members}


def test_every_kind_of_params_is_a_file_and_has_a_variant_here() -> None:
    modules = {module.name for module in pkgutil.iter_modules(networks.__path__)}
    assert kinds() <= modules
    assert kinds() == {params.kind for params, _ in VARIANTS.values()}


@every_network
def test_output_fits_input_at_every_size(build: Build) -> None:
    network = build().eval()
    outputs = set()
    for side in fitting(network):
        for height, width in ((side, side), (side, side + network.stride)):
            raw = network(gray(2, height, width))
            assert raw.isfinite().all()
            factor = height // raw.shape[-2]
            assert raw.shape == (2, raw.shape[1], height // factor, width // factor)
            outputs.add((raw.shape[1], factor))
    assert len(outputs) == 1, "channels and resolution should not depend on the size"


@pytest.mark.parametrize("name", CASES)
def test_channels_are_as_asked(name: str) -> None:
    params, channels = CASES[name]
    network = build_network(params, channels).eval()
    assert network(gray(1, network.stride, network.stride)).shape[1] == channels


@every_network
def test_every_parameter_gets_a_finite_gradient(build: Build) -> None:
    network = build().train()
    side = fitting(network)[0]
    raw = network(gray(3, side, side))
    (raw - torch.randn_like(raw)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@every_network
def test_weights_come_back_bit_for_bit(build: Build, tmp_path: Path) -> None:
    network = build()
    side = fitting(network)[0]
    network.train()(gray(2, side, side))
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, tmp_path / "weights.safetensors")
    torch.manual_seed(1)
    other = build()
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    picture = gray(2, side, side)
    assert torch.equal(network.eval()(picture), other.eval()(picture))


@every_network
def test_the_seed_decides_the_first_weights(build: Build) -> None:
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(torch.cat([p.flatten() for p in build().parameters()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@every_network
def test_a_photograph_does_not_depend_on_its_batch_when_colored(build: Build) -> None:
    network = build().eval()
    side = fitting(network)[0]
    pictures = gray(3, side, side)
    torch.testing.assert_close(network(pictures)[1:2], network(pictures[1:2]))


@pytest.mark.parametrize("levels", [3, 6])
def test_tanh_stays_within_one_however_large_the_weights(levels: int) -> None:
    network = build_network(unet(levels, output="tanh"), 2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(100)
    raw = network(gray(2, 64, 64))
    assert raw.abs().max() <= 1.0
    assert raw.abs().max() > 0.99


def test_linear_output_is_not_bounded() -> None:
    network = build_network(unet(3, output="linear"), 2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(100)
    assert network(gray(2, 64, 64)).abs().max() > 1.0


# Zhang et al. 2016, layer by layer: output channels, stride, dilation.
ZHANG = [
    (64, 1, 1), (64, 2, 1),
    (128, 1, 1), (128, 2, 1),
    (256, 1, 1), (256, 1, 1), (256, 2, 1),
    (512, 1, 1), (512, 1, 1), (512, 1, 1),
    (512, 1, 2), (512, 1, 2), (512, 1, 2),
    (512, 1, 2), (512, 1, 2), (512, 1, 2),
    (512, 1, 1), (512, 1, 1), (512, 1, 1),
    (256, 1, 1), (256, 1, 1),
]  # fmt: skip


def shape_of(params: Any, channels: int) -> ColorNetwork:
    """Return a network without its numbers, which take time to draw."""
    with torch.device("meta"):
        return build_network(params, channels)


def test_vgg_has_the_published_layers() -> None:
    network = shape_of(VGGParams(kind="vgg", width=1.0), 313)
    found = [
        (layer.out_channels, layer.stride[0], layer.dilation[0])
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
    ]
    assert found == ZHANG
    [up] = [layer for layer in network.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert (up.in_channels, up.out_channels, up.kernel_size, up.stride) == (
        512,
        256,
        (4, 4),
        (2, 2),
    )
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules()) == 7


def test_vgg_has_32_million_parameters() -> None:
    body = [channels for channels, _, _ in ZHANG[:19]]
    pairs = zip([1, *body[:-1]], body, strict=True)
    expected = sum(9 * inside * outside + outside for inside, outside in pairs)
    expected += 2 * (64 + 128 + 256 + 4 * 512)
    expected += 16 * 512 * 256 + 256 + 2 * (9 * 256 * 256 + 256) + 256 * 313 + 313
    network = shape_of(VGGParams(kind="vgg", width=1.0), 313)
    assert count_parameters(network) == expected == 32_235_385


def test_a_narrow_vgg_keeps_multiples_of_eight() -> None:
    for width in (0.01, 0.25, 0.3):
        network = build_network(VGGParams(kind="vgg", width=width), 2)
        widths = {m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)} - {2}
        assert all(count % 8 == 0 and count > 0 for count in widths)


def test_unet_has_54_million_parameters() -> None:
    down = [1, 64, 128, 256, 512, 512, 512, 512, 512]
    expected = sum(16 * inside * outside for inside, outside in pairwise(down))
    expected += 64 + 512  # biases of the outermost and the innermost, which have no norm
    expected += 2 * sum(down[2:8])
    up = [(512, 512)] + [(1024, 512)] * 3 + [(1024, 256), (512, 128), (256, 64), (128, 2)]
    expected += sum(16 * inside * outside for inside, outside in up)
    expected += 2 * sum(outside for _, outside in up[:-1]) + 2
    network = shape_of(unet(8, width=64, output="tanh"), 2)
    assert count_parameters(network) == expected == 54_410_434


def test_resnet18_is_cut_after_its_sixth_child() -> None:
    network = build_network(resnet_of(18), 2)
    whole = list(resnet18().children())[:6]
    encoder = sum(p.numel() for child in whole for p in child.parameters()) - 2 * 64 * 49
    halves = ((128, 128), (128, 64), (64, 32))
    decoder = sum(16 * inside * outside + 2 * outside for inside, outside in halves)
    assert count_parameters(network) == encoder + decoder + 9 * 32 * 2 + 2
    assert count_parameters(build_network(resnet_of(34), 2)) > count_parameters(network)


def test_unet_drops_in_the_three_innermost_levels_but_the_deepest() -> None:
    def dropped(levels: int) -> list[int]:
        network: Any = shape_of(unet(levels), 2)
        return [
            level
            for level, block in enumerate(network.up)
            if any(isinstance(layer, nn.Dropout) for layer in block)
        ]

    assert dropped(8) == [4, 5, 6]
    assert dropped(6) == [2, 3, 4]
    assert dropped(3) == [1]


def test_unet_drops_only_while_it_trains() -> None:
    network, picture = build_network(unet(5), 2), gray(2, 32, 32)
    assert not torch.equal(network.train()(picture), network.train()(picture))
    assert torch.equal(network.eval()(picture), network.eval()(picture))


def test_normal_weights_have_the_published_spread() -> None:
    network = build_network(unet(6, width=32), 2)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.weight.numel() > 10_000:
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
            assert layer.weight.mean().item() == pytest.approx(0.0, abs=1e-3)
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.weight.mean().item() == pytest.approx(1.0, abs=0.02)
        bias = getattr(layer, "bias", None)
        assert bias is None or not bias.any()


def test_a_gray_stem_answers_as_the_colored_one_does_to_gray(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published = resnet18().eval()
    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", lambda *_, **__: published.state_dict())
    encoder: Any = build_network(resnet_of(18, pretrained=True), 2).eval()
    picture = gray(2, 64, 64)
    expected = nn.Sequential(*list(published.children())[:6])(picture.expand(-1, 3, -1, -1))
    torch.testing.assert_close(encoder.encoder(picture), expected, rtol=1e-4, atol=1e-4)


def test_pretrained_weights_that_cannot_be_fetched_are_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", refuse)
    with pytest.raises(WeightsError) as caught:
        resnet.build(resnet_of(18, pretrained=True), 2)
    message = str(caught.value)
    assert "\n" not in message
    assert ResNet18_Weights.IMAGENET1K_V1.url in message
    assert "pretrained to false" in message
