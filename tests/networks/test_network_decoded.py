"""The decoder behind a network of distributions."""

import torch
from network_kit import efficientnet, gray
from torch import Tensor

from photochrom.networks import build_network
from photochrom.networks.decoded import SHARES, Decoded


def built(bins: int = 5) -> Decoded:
    torch.manual_seed(0)
    network = build_network(efficientnet(0.25, 2), bins, decoder_width=8)
    assert isinstance(network, Decoded)
    return network.eval()


def test_colors_follow_the_logits_wherever_they_lie() -> None:
    network, picture = built(), gray(1, 32, 48)
    raw = network(picture)
    assert raw.shape == (1, 7, 16, 24)
    torch.testing.assert_close(raw[:, :5], network.network(picture))
    shares = raw[:, :5].softmax(1) * SHARES
    moved = torch.roll(shares, (3, 5), (2, 3))
    torch.testing.assert_close(network.decoder(shares), raw[:, 5:])
    torch.testing.assert_close(network.decoder(moved), torch.roll(raw[:, 5:], (3, 5), (2, 3)))


def test_the_rest_of_the_photograph_says_how_a_distribution_is_read() -> None:
    decoder = built().decoder
    pixel, quiet, loud = torch.rand(3, 1, 5, 1, 1)
    alone, beside = (
        decoder(torch.cat((pixel, rest.expand(-1, -1, 1, 7)), dim=3))[..., 0]
        for rest in (quiet, loud)
    )
    assert not torch.allclose(alone, beside, atol=1e-3)


def test_the_encoder_alone_learns_slower() -> None:
    network = built()
    [(prefix, scale)] = network.lr_scales().items()
    assert scale == 0.25
    named = {n for n, _ in network.named_parameters() if n.startswith(prefix)}
    assert named == {f"network.encoder.{n}" for n, _ in network.network.encoder.named_parameters()}


def test_a_constant_added_to_all_logits_changes_no_color() -> None:
    network = built()
    network.network.register_forward_hook(lambda *given: given[-1] + 7.0)
    shifted = network(gray(1, 32, 32))[:, 5:]
    torch.testing.assert_close(shifted, built()(gray(1, 32, 32))[:, 5:])


def test_the_decoder_does_not_shape_the_distribution() -> None:
    network = built()
    colors: Tensor = network(gray(1, 32, 32))[:, 5:]
    colors.square().sum().backward()
    assert not any(p.grad.any() for p in network.network.parameters() if p.grad is not None)
    assert all(p.grad is not None and p.grad.any() for p in network.decoder.color.parameters())


def test_its_stride_is_that_of_the_network() -> None:
    assert built().stride == built().network.stride == 16
