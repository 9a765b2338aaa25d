"""Discriminators: their layers, what each verdict sees, how many verdicts there are."""

import pytest
import torch
from torch import Tensor, nn

from photochrom.networks.base import count_parameters
from photochrom.objectives.adversarial.dcgan import DCGAN
from photochrom.objectives.adversarial.patchgan import PatchGAN
from photochrom.objectives.adversarial.task import build_discriminator
from photochrom.params.models import DCGANParams, PatchGANParams


def dcgan(width: int, layers: int, init: str = "normal") -> DCGAN:
    values = {"kind": "dcgan", "width": width, "layers": layers, "init": init}
    return DCGAN(DCGANParams.model_validate(values))


def patchgan(width: int, layers: int, init: str = "normal") -> PatchGAN:
    values = {"kind": "patchgan", "width": width, "layers": layers, "init": init}
    return PatchGAN(PatchGANParams.model_validate(values))


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_each_logit_sees_a_patch_of_the_published_size(layers: int, field: int) -> None:
    torch.manual_seed(0)
    judge = patchgan(2, layers, "default").eval()
    picture = torch.randn(1, 3, 128, 128, requires_grad=True)
    logits = judge(picture)
    middle = logits.shape[-1] // 2
    [gradient] = torch.autograd.grad(logits[0, 0, middle, middle], picture)
    touched = gradient[0].abs().sum(0) > 0
    rows, columns = touched.any(1).nonzero(), touched.any(0).nonzero()
    assert (rows.max() - rows.min() + 1).item() == field
    assert (columns.max() - columns.min() + 1).item() == field
    assert (gradient[0].abs().amax((1, 2)) > 0).all(), "L, a and b should all be looked at"


def test_patchgan_has_the_published_layers() -> None:
    judge = patchgan(64, 3)
    table = [(3, 64, 2), (64, 128, 2), (128, 256, 2), (256, 512, 1), (512, 1, 1)]
    found = [
        (layer.in_channels, layer.out_channels, layer.stride[0])
        for layer in judge.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    assert found == table
    expected = sum(16 * inside * outside for inside, outside, _ in table)
    expected += 64 + 1 + 2 * (128 + 256 + 512)
    assert count_parameters(judge) == expected
    assert judge(torch.randn(1, 3, 256, 256)).shape == (1, 1, 30, 30)


def seen_by(judge: nn.Module, side: int) -> Tensor:
    """Return which pixels (side, side) decide the first verdict."""
    picture = torch.randn(1, 3, side, side, requires_grad=True)
    [gradient] = torch.autograd.grad(judge(picture)[0, 0, 0, 0], picture)
    return gradient[0].abs().sum(0) > 0


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_a_dcgan_gives_one_verdict_on_the_whole_photograph(layers: int) -> None:
    torch.manual_seed(0)
    judge, side = dcgan(2, layers, "default").eval(), 2 ** (layers + 2)
    assert judge(torch.randn(3, 3, side, side)).shape == (3, 1, 1, 1)
    assert seen_by(judge, side).all()


def test_a_larger_photograph_gets_a_verdict_per_window() -> None:
    torch.manual_seed(0)
    judge = dcgan(2, 2, "default").eval()
    assert judge(torch.randn(1, 3, 32, 32)).shape == (1, 1, 5, 5)
    seen = seen_by(judge, 32)
    assert seen[:16, :16].all()
    assert not seen[:, 24:].any()
    assert not seen[24:].any()


@pytest.mark.parametrize("layers", [3, 4])
def test_a_dcgan_has_these_layers(layers: int) -> None:
    """Radford et al. 2016 turned round: halvings with a norm but for the first, then 4 x 4."""
    judge = dcgan(64, layers)
    table = [(3, 64, 2, 1), (64, 128, 2, 1), (128, 256, 2, 1), (256, 512, 2, 1)][:layers]
    table.append((table[-1][1], 1, 1, 0))
    found = [
        (layer.in_channels, layer.out_channels, layer.stride[0], layer.padding[0])
        for layer in judge.modules()
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (4, 4)
    ]
    assert found == table
    norms = [outside for _, outside, _, _ in table[1:-1]]
    expected = sum(16 * inside * outside for inside, outside, _, _ in table)
    assert count_parameters(judge) == expected + 64 + 1 + 2 * sum(norms)


def test_channels_grow_eightfold_at_most() -> None:
    widths = [m.out_channels for m in dcgan(2, 6).modules() if isinstance(m, nn.Conv2d)]
    assert widths == [2, 4, 8, 16, 16, 16, 1]


@pytest.mark.parametrize("build", [patchgan, dcgan])
def test_normal_weights_have_the_published_spread(build: type) -> None:
    torch.manual_seed(0)
    for init, spread in (("normal", 0.02), ("default", None)):
        [_, second, *_] = [m for m in build(32, 3, init).modules() if isinstance(m, nn.Conv2d)]
        uniform = (3 * 16 * 32) ** -0.5  # PyTorch's, evenly within 1 / sqrt(fan in)
        assert second.weight.std().item() == pytest.approx(spread or uniform, rel=0.05)


def test_the_kind_in_params_chooses_the_class() -> None:
    values = {"width": 2, "layers": 1, "init": "normal"}
    patches = PatchGANParams.model_validate({"kind": "patchgan", **values})
    whole = DCGANParams.model_validate({"kind": "dcgan", **values})
    assert type(build_discriminator(patches)) is PatchGAN
    assert type(build_discriminator(whole)) is DCGAN
