"""The residual U-Net: blocks that keep shapes, skips that are added."""

from typing import Any

import pytest
import torch
from network_kit import gray, residual
from torch import Tensor, nn

from photochrom.networks import build_network
from photochrom.networks.residual import ResidualBlock


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def silence(module: nn.Module) -> None:
    """Make a module's last norm give zeros, whatever comes in."""
    [*_, norm] = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    nn.init.zeros_(norm.weight)
    nn.init.zeros_(norm.bias)


def flows(levels: int, silent: int | None = None) -> tuple[Any, dict[str, Tensor]]:
    """Run a network and return what each down gave, each up was given and each up gave."""
    network: Any = build_network(residual(levels), 2).eval()
    if silent is not None:
        silence(network.up[silent])
    seen: dict[str, Tensor] = {}
    for side, blocks in (("down", network.down), ("up", network.up)):
        for level, block in enumerate(blocks):
            name = f"{side}{level}"
            block.register_forward_hook(
                lambda _, given, out, name=name: seen.update(
                    {name: out.detach().clone(), f"{name} given": given[0].detach().clone()}
                )
            )
    network(gray(2, 32, 32))
    return network, seen


def test_a_block_adds_to_what_it_is_given() -> None:
    block, features = ResidualBlock(5).eval(), torch.randn(2, 5, 6, 8)
    before = features.clone()
    found = block(features)
    assert found.shape == features.shape
    torch.testing.assert_close(found, features + block.body(features))
    assert not torch.equal(found, features)
    assert torch.equal(features, before)
    silence(block)
    assert torch.equal(block(features), features)


def test_skips_are_added_on_the_way_up() -> None:
    _, seen = flows(4)
    assert torch.equal(seen["up3 given"], seen["down3"])
    for level in range(3):
        below = seen[f"up{level + 1}"]
        assert below.abs().max() > 0
        torch.testing.assert_close(seen[f"up{level} given"], below + seen[f"down{level}"])


@pytest.mark.parametrize("silent", [1, 2, 3])
def test_where_nothing_comes_from_below_the_skip_remains(silent: int) -> None:
    _, seen = flows(4, silent)
    assert torch.equal(seen[f"up{silent - 1} given"], seen[f"down{silent - 1}"])


@pytest.mark.parametrize("blocks", [1, 3])
def test_each_level_halves_the_side_and_blocks_leave_it(blocks: int) -> None:
    network: Any = build_network(residual(3, blocks=blocks), 2).eval()
    features, sides = gray(1, 32, 48), []
    for down in network.down:
        for layer in down:
            given, features = features, layer(features)
            if isinstance(layer, ResidualBlock):
                assert features.shape == given.shape
        sides.append(tuple(features.shape[-2:]))
    assert sides == [(16, 24), (8, 12), (4, 6)]
    found = [sum(isinstance(layer, ResidualBlock) for layer in down) for down in network.down]
    assert found == [blocks] * 3
