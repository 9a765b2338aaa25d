"""The layer tables of the studies and papers, and the numbers of parameters that follow."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from network_kit import autoencoder, residual, resnet_of, shape_of, unet, vgg
from torch import nn

from photochrom.networks import build_network
from photochrom.networks.base import count_parameters

CONVOLUTIONS = nn.Conv2d | nn.ConvTranspose2d


def chain(*channels: int) -> list[tuple[int, int]]:
    return list(pairwise(channels))


def weights(kernel: int, pairs: Iterable[tuple[int, int]]) -> int:
    """Return the numbers in convolutions from so many channels to so many, without biases."""
    return sum(kernel**2 * inside * outside for inside, outside in pairs)


def table(module: nn.Module) -> list[tuple[int, int, int, int]]:
    """Return input and output channels, kernel and stride of each convolution."""
    return [
        (layer.in_channels, layer.out_channels, layer.kernel_size[0], int(layer.stride[0]))
        for layer in module.modules()
        if isinstance(layer, CONVOLUTIONS)
    ]


def count(module: nn.Module, kind: Any) -> int:
    return sum(isinstance(layer, kind) for layer in module.modules())


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


def test_vgg_has_the_published_layers() -> None:
    network = shape_of(vgg(1.0), 313)
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
    network = shape_of(vgg(1.0), 313)
    assert count_parameters(network) == expected == 32_235_385


def test_a_narrow_vgg_keeps_multiples_of_eight() -> None:
    for width in (0.01, 0.25, 0.3):
        network = build_network(vgg(width), 2)
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


def test_unet_of_six_levels_has_29_million_parameters() -> None:
    down = chain(1, 64, 128, 256, 512, 512, 512)
    up = [(512, 512), (1024, 512), (1024, 256), (512, 128), (256, 64), (128, 2)]
    norms = [128, 256, 512, 512, 512, 512, 256, 128, 64]
    biases = [64, 512, 2]
    expected = weights(4, down) + weights(4, up) + 2 * sum(norms) + sum(biases)
    network = shape_of(unet(6, width=64, output="tanh"), 2)
    assert count_parameters(network) == expected == 29_240_514
    assert [row[:2] for row in table(network)] == down + up[::-1]
    assert {row[2:] for row in table(network)} == {(4, 2)}


def test_unet_for_32_px_with_313_bins() -> None:
    down = chain(1, 64, 128, 256, 512, 512)
    up = [(512, 512), (1024, 256), (512, 128), (256, 64), (128, 313)]
    norms = [128, 256, 512, 512, 256, 128, 64]
    biases = [64, 512, 313]
    expected = weights(4, down) + weights(4, up) + 2 * sum(norms) + sum(biases)
    network: Any = shape_of(unet(5, width=64), 313)
    assert count_parameters(network) == expected == 17_292_793
    assert [row[:2] for row in table(network)] == down + up[::-1]
    assert network.stride == 32


# Study 002, section 2.3, but for its first 512: the six children of a ResNet-18 end with 128
# channels, 512 are those of the whole one. Channels in and out, and the factor of upsampling.
STUDY_002 = [(128, 128, 2), (128, 64, 1), (64, 64, 1), (64, 32, 2), (32, 2, 2)]
DECONVOLVED = [(128, 128), (128, 64), (64, 32)]


def resnet_encoder(blocks: tuple[int, int]) -> int:
    """Return the numbers in a gray stem, layer1 and layer2 (He et al. 2016, table 1)."""
    stem = 49 * 64 + 2 * 64
    convolution = {width: 9 * width**2 + 2 * width for width in (64, 128)}
    narrowing = 9 * 64 * 128 + 2 * 128 + convolution[128] + 64 * 128 + 2 * 128
    first, second = blocks
    return stem + 2 * first * convolution[64] + narrowing + 2 * (second - 1) * convolution[128]


@pytest.mark.parametrize(("depth", "blocks"), [(18, (2, 2)), (34, (3, 4))])
def test_the_decoder_of_study_002_is_its_table(depth: int, blocks: tuple[int, int]) -> None:
    network: Any = shape_of(resnet_of(depth, "upsampling", norm=False), 2)
    pairs = [row[:2] for row in STUDY_002]
    decoder = weights(3, pairs) + sum(outside for _, outside in pairs)
    assert count_parameters(network) == resnet_encoder(blocks) + decoder
    assert table(network.decoder) == [(*pair, 3, 1) for pair in pairs]
    factors: list[int] = []
    for layer in network.decoder:
        if isinstance(layer, nn.Conv2d):
            factors.append(1)
        elif isinstance(layer, nn.Upsample):
            factors[-1] *= int(layer.scale_factor)  # type: ignore[arg-type]
    factors[-1] *= network.repeats
    assert factors == [factor for _, _, factor in STUDY_002]
    assert count(network.decoder, nn.ReLU) == 4, "ReLU on the last would forbid negative a and b"
    assert count(network.decoder, nn.BatchNorm2d) == 0


def test_norm_in_that_decoder_takes_the_place_of_biases() -> None:
    network: Any = shape_of(resnet_of(18, "upsampling"), 2)
    pairs = [row[:2] for row in STUDY_002]
    normed = sum(outside for _, outside in pairs[:-1])
    assert count_parameters(network) == resnet_encoder((2, 2)) + weights(3, pairs) + 2 * normed + 2
    assert count(network.decoder, nn.BatchNorm2d) == 4


@pytest.mark.parametrize(("depth", "blocks"), [(18, (2, 2)), (34, (3, 4))])
@pytest.mark.parametrize("norm", [True, False])
def test_deconvolutions_double_three_times(depth: int, blocks: tuple[int, int], norm: bool) -> None:
    network: Any = shape_of(resnet_of(depth, norm=norm), 2)
    decoder = weights(4, DECONVOLVED) + (2 if norm else 1) * (128 + 64 + 32)
    decoder += weights(3, [(32, 2)]) + 2
    assert count_parameters(network) == resnet_encoder(blocks) + decoder
    assert table(network.decoder) == [(*pair, 4, 2) for pair in DECONVOLVED] + [(32, 2, 3, 1)]


# Study 002, section 2.6. Of the fusion's two rows one says 56 and one 256; 256 fits the other.
ENCODED_002 = [(1, 32), (32, 64), (64, 128), (128, 256)]
FUSED_002 = [(256 * 14 * 14, 256), (256, 256 * 14 * 14)]
DECODED_002 = [(256, 256), (256, 128), (128, 64), (64, 2)]


def test_the_autoencoder_is_the_studys_at_224_px() -> None:
    network: Any = shape_of(autoencoder(width=32, grid=14, latent=256), 2)
    linear = [(m.in_features, m.out_features) for m in network.modules() if type(m) is nn.Linear]
    assert table(network.encoder) == [(*pair, 3, 2) for pair in ENCODED_002]
    assert linear == FUSED_002
    assert table(network.decoder) == [(*pair, 3, 2) for pair in DECODED_002]
    rows = ENCODED_002 + DECODED_002
    expected = weights(3, rows) + weights(1, FUSED_002)
    expected += sum(outside for _, outside in rows + FUSED_002)
    assert count_parameters(network) == expected == 27_088_450
    assert count(network.encoder, nn.ReLU) == 4
    assert [type(layer) for layer in network.decoder][-2:] == [nn.ConvTranspose2d, nn.Tanh]
    assert count(network.decoder, nn.ReLU) == 3, "tanh stands where the table has its last ReLU"


def test_the_residual_unet_of_eight_levels() -> None:
    """Study 003: 4 x 4 of stride 2 down and up, two 3 x 3 a block, a norm after each."""
    widths = [64, 128, 256, 512, 512, 512, 512, 512]
    down, up = chain(1, *widths), chain(*widths[::-1], 2)
    blocks = [(width, width) for width in widths for _ in range(4)]
    norms = widths[1:] + widths[:-1] + [width for width, _ in blocks]
    expected = weights(4, down + up) + weights(3, blocks) + 2 * sum(norms) + 64 + 2
    network: Any = shape_of(residual(8, width=64), 2)
    assert count_parameters(network) == expected == 89_380_034
    for level, (inside, width) in enumerate(down):
        block = [(width, width, 3, 1)] * 2
        outside = up[7 - level][1]
        assert table(network.down[level]) == [(inside, width, 4, 2), *block]
        assert table(network.up[level]) == [*block, (width, outside, 4, 2)]


def test_more_residual_blocks_cost_four_convolutions_a_level() -> None:
    one, three = (shape_of(residual(2, width=8, blocks=blocks), 2) for blocks in (1, 3))
    more = 2 * 4 * sum(9 * width**2 + 2 * width for width in (8, 16))
    assert count_parameters(three) - count_parameters(one) == more
