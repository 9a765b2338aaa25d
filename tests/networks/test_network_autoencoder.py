"""The autoencoder: only the numbers of its bottleneck tell the decoder of a photograph."""

from typing import Any

import pytest
import torch
from network_kit import autoencoder, gray
from torch import Tensor

from photochrom.networks import build_network

GRID = 2
NATIVE = 16 * GRID


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def network_of() -> Any:
    return build_network(autoencoder(grid=GRID), 2)


def test_at_its_native_side_it_is_the_plain_chain_of_its_layers() -> None:
    network, picture = network_of(), gray(2, NATIVE, NATIVE)
    latent = network.squeeze(network.encoder(picture).flatten(1))
    grown = network.expand(latent).reshape(2, -1, GRID, GRID)
    assert torch.equal(network(picture), network.decoder(grown))


@pytest.mark.parametrize("shape", [(16, 16), (48, 32), (64, 64), (32, 96), (80, 80)])
def test_it_answers_at_other_sides_too(shape: tuple[int, int]) -> None:
    raw = network_of()(gray(1, *shape))
    assert raw.shape == (1, 2, *shape)
    assert raw.isfinite().all()
    assert raw.std() > 0


def test_at_twice_the_side_the_bottleneck_is_given_averages() -> None:
    network, given = network_of(), []
    network.squeeze.register_forward_hook(lambda _, inputs, __: given.append(inputs[0]))
    picture = gray(1, 2 * NATIVE, 2 * NATIVE)
    network(picture)
    quarters = network.encoder(picture).reshape(1, -1, GRID, 2, GRID, 2)
    torch.testing.assert_close(given[0], quarters.mean((3, 5)).flatten(1))


@pytest.mark.parametrize("side", [NATIVE, 2 * NATIVE])
def test_photographs_of_the_same_latent_numbers_get_the_same_colors(side: int) -> None:
    network, (one, other) = network_of(), gray(2, side, side).split(1)
    assert not torch.equal(network(one), network(other))
    latent = torch.randn(1, 6)
    network.squeeze.register_forward_hook(lambda *_: latent)
    assert torch.equal(network(one), network(other))


@pytest.mark.parametrize("side", [16, 32])
def test_no_more_than_the_latent_numbers_pass(side: int) -> None:
    """The colors move in no more directions than there are numbers in the bottleneck."""
    network: Any = build_network(autoencoder(grid=1, latent=3), 2).double()

    def colors(picture: Tensor) -> Tensor:
        found: Tensor = network(picture).flatten()
        return found

    slopes = torch.autograd.functional.jacobian(colors, gray(1, side, side).double())
    assert torch.linalg.matrix_rank(slopes.flatten(1)).item() == 3
