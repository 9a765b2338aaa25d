"""Every network of params.yaml and every kind: shapes, ranges, gradients, sizes, weights."""

import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from network_kit import autoencoder, efficientnet, gray, residual, resnet_of, shape_of, unet, vgg
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from photochrom import networks
from photochrom.color.bins import bins
from photochrom.networks import ColorNetwork, build_network
from photochrom.params import load_params
from photochrom.params.models import ClassificationParams, Network

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml")
SIDES = (32, 64, 96)

VARIANTS: dict[str, tuple[Any, int]] = {
    "resnet18": (resnet_of(18), 2),
    "resnet18 without norm": (resnet_of(18, norm=False), 2),
    "resnet34": (resnet_of(34), 313),
    "resnet18 upsampling": (resnet_of(18, "upsampling"), 256),
    "resnet34 upsampling without norm": (resnet_of(34, "upsampling", norm=False), 2),
    "vgg": (vgg(0.125), 313),
    "vgg regression": (vgg(0.125), 2),
    "unet3": (unet(3, output="tanh"), 2),
    "unet4 default": (unet(4, init="default", dropout=0.0), 313),
    "unet5": (unet(5), 256),
    "unet6 tanh": (unet(6, output="tanh"), 2),
    "residual2": (residual(2), 2),
    "residual3 linear": (residual(3, blocks=2, output="linear"), 313),
    "residual5 default": (residual(5, init="default", dropout=0.0), 2),
    "autoencoder": (autoencoder(), 2),
    "autoencoder linear": (autoencoder(grid=4, latent=20, output="linear"), 256),
    "efficientnet": (efficientnet(), 313),
    "efficientnet enlarged": (efficientnet(enlarge=2), 2),
    "efficientnet mirrored": (efficientnet(mirrored=True), 2),
}


def entries() -> Iterator[tuple[str, tuple[Any, int]]]:
    for name, model in PARAMS.models.items():
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


def fitting(network: ColorNetwork) -> list[int]:
    sides = [side for side in SIDES if side % network.stride == 0]
    return sides or [network.stride]


def native(name: str) -> int:
    image = PARAMS.models[name].image
    return image.crop or image.size or PARAMS.lab.size


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


@pytest.mark.parametrize("name", PARAMS.models)
def test_a_model_answers_at_every_side_that_its_stride_divides(name: str) -> None:
    """That is at 32, 64, 96 and its own side, but for U-Nets of six and more levels at 64 px."""
    network = build_network(*CASES[name]).eval()
    for side in {*SIDES, native(name)}:
        if side % network.stride == 0:
            raw = network(gray(1, side, side))
            assert raw.isfinite().all()
            assert raw.shape == (1, CASES[name][1], *raw.shape[-2:])
            assert raw.shape[-1] == raw.shape[-2] in (side, side // 2, side // 4)
        else:
            assert getattr(CASES[name][0], "levels", 0) >= 6
    assert native(name) % network.stride == 0


# The sides of the photographs in the studies, each with its networks made narrow.
STUDIED: dict[str, tuple[Any, int, int]] = {
    "000 regression": (resnet_of(18), 2, 128),
    "000 classification": (vgg(0.05), 313, 128),
    "001 classification": (resnet_of(18, "upsampling"), 256, 256),
    "001 regression": (resnet_of(34, "upsampling"), 2, 256),
    "001 gan": (unet(6, output="tanh"), 2, 64),
    "002 regression": (resnet_of(18, "upsampling", norm=False), 2, 224),
    "002 autoencoder": (autoencoder(grid=14, latent=32), 2, 224),
    "003 gan": (residual(8), 2, 256),
    "004 classification": (unet(5, dropout=0.0), 313, 32),
    "004 gan": (unet(5, output="tanh", dropout=0.0), 2, 32),
}


@pytest.mark.parametrize(("params", "channels", "side"), STUDIED.values(), ids=STUDIED)
def test_a_network_works_at_the_side_of_its_study(params: Any, channels: int, side: int) -> None:
    network = build_network(params, channels).train()
    raw = network(gray(2, side, side))
    assert raw.shape[:2] == (2, channels)
    raw.square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


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


def loud(params: Any) -> Tensor:
    """Return the output of a network whose weights are far too large."""
    network = build_network(params, 2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(100)
    return network(gray(2, 64, 64))


@pytest.mark.parametrize(
    "params",
    [unet(3, output="tanh"), unet(6, output="tanh"), residual(3), autoencoder()],
    ids=lambda params: params.kind,
)
def test_tanh_stays_within_one_however_large_the_weights(params: Any) -> None:
    assert loud(params).abs().max() <= 1.0
    assert loud(params).abs().max() > 0.99


@pytest.mark.parametrize(
    "params",
    [unet(3), residual(3, output="linear"), autoencoder(output="linear")],
    ids=lambda params: params.kind,
)
def test_linear_output_is_not_bounded(params: Any) -> None:
    assert loud(params).abs().max() > 1.0


@pytest.mark.parametrize("params", [unet(5), residual(5)], ids=lambda params: params.kind)
def test_dropout_is_only_for_training(params: Any) -> None:
    network, picture = build_network(params, 2), gray(2, 32, 32)
    assert not torch.equal(network.train()(picture), network.train()(picture))
    assert torch.equal(network.eval()(picture), network.eval()(picture))


@pytest.mark.parametrize(
    "params", [unet(6, width=32), residual(4, width=32)], ids=lambda params: params.kind
)
def test_normal_weights_have_the_published_spread(params: Any) -> None:
    network = build_network(params, 2)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.weight.numel() > 10_000:
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
            assert layer.weight.mean().item() == pytest.approx(0.0, abs=1e-3)
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.weight.mean().item() == pytest.approx(1.0, abs=0.02)
        bias = getattr(layer, "bias", None)
        assert bias is None or not bias.any()


@pytest.mark.parametrize(("family", "levels"), [(unet, 8), (residual, 8), (unet, 6), (unet, 3)])
def test_the_three_innermost_levels_but_the_deepest_have_dropout(
    family: Callable[..., Any], levels: int
) -> None:
    network: Any = shape_of(family(levels), 2)
    dropped = [
        level
        for level, block in enumerate(network.up)
        if any(isinstance(layer, nn.Dropout) for layer in block)
    ]
    assert dropped == {8: [4, 5, 6], 6: [2, 3, 4], 3: [1]}[levels]
