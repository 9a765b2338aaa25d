"""The colorizer: photographs of every kind, the luminance kept, the same alone and in a batch."""

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from colorizer_kit import (
    ARGMAX,
    CPU,
    LEARNED,
    MODELS,
    SIZES,
    Learned,
    Logits,
    Probe,
    colorizer_of,
    gray_level,
    picture,
    write_model,
)
from PIL import Image
from skimage.color import rgb2lab
from torch import Tensor, nn

from photochrom.color.batch import normalised
from photochrom.color.bins import gamut313
from photochrom.color.lab import rgb_to_lab
from photochrom.colorizer import colorizer as module
from photochrom.colorizer.colorizer import load_colorizer
from photochrom.colorizer.options import (
    HIGHEST_TEMPERATURE,
    LOWEST_TEMPERATURE,
    OptionError,
    Options,
)
from photochrom.params.models import AnnealedMeanParams, Decoding, MeanParams, ModelParams
from photochrom.pictures.modes import to_rgb
from photochrom.pictures.opening import BadPhotographError
from photochrom.pictures.photograph import Photograph

MEAN = MeanParams(kind="mean")


def photograph(height: int, width: int, seed: int = 0) -> Photograph:
    return Photograph(np.asarray(picture(height, width, seed)))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_model_colors_photographs_of_any_size(model: ModelParams, tmp_path: Path) -> None:
    write_model(model, tmp_path / "model", model.decoding)
    colorizer = load_colorizer(tmp_path / "model", "made", CPU)
    for size in [(1, 1), (37, 53), (90, 64)]:
        gray = picture(*size)
        colored = colorizer(gray)
        assert (colored.mode, colored.size) == ("RGB", gray.size)


@pytest.mark.parametrize("strength", [0.15, 3.0])
@pytest.mark.parametrize("size", SIZES)
def test_the_luminance_of_the_photograph_is_kept(size: tuple[int, int], strength: float) -> None:
    gray = picture(*size)
    colored = np.asarray(colorizer_of(Probe(strength=strength))(gray))
    assert np.abs(gray_level(colored) - np.asarray(gray)).max() <= 0.5
    assert size == (1, 1) or np.ptp(colored.astype(int), axis=-1).max() > 5


def test_colors_follow_the_network() -> None:
    """L 50 + x gives ab 2.2 x and -2.2 x, for a strength of 1."""
    gray = np.full((32, 32), 150, dtype=np.uint8)
    colored = colorizer_of(Probe(strength=0.5))(gray)
    lab = rgb_to_lab(torch.from_numpy(colored).movedim(-1, 0).double() / 255.0)
    expected = (lab[0, 0, 0] / 50.0 - 1.0) * 55.0
    torch.testing.assert_close(lab[1], expected.expand(32, 32), atol=0.6, rtol=0)
    torch.testing.assert_close(lab[2], -expected.expand(32, 32), atol=0.6, rtol=0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_photographs_of_every_mode_are_colored(mode: str) -> None:
    gray = picture(20, 30)
    if mode == "I;16":
        given = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    else:
        given = gray.convert("RGB").convert(mode)
    colored = colorizer_of(Probe())(given)
    assert (colored.mode, colored.size) == ("RGB", (30, 20))
    levels = gray_level(np.asarray(colored))
    assert np.abs(levels - gray_level(np.asarray(to_rgb(given)))).max() <= 1.0


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_what_is_transparent_stays_so(mode: str) -> None:
    given, alpha = picture(20, 30).convert(mode), picture(20, 30, seed=1)
    given.putalpha(alpha)
    colored = colorizer_of(Probe())(given)
    assert colored.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(colored)[..., 3], np.asarray(alpha))
    levels = gray_level(np.asarray(colored)[..., :3])
    assert np.abs(levels - np.asarray(given)[..., 0]).max() <= 0.5


def test_the_colors_of_a_photograph_are_not_looked_at() -> None:
    """What has the same L has the same colors given; none of its own leaks through."""
    network = Probe()
    colorizer_of(network)(Image.new("RGB", (32, 32), (200, 80, 60)))
    lab = rgb_to_lab(torch.tensor([200.0, 80.0, 60.0])[:, None, None] / 255.0)
    expected = normalised(lab[:1])[None].expand(1, 1, 32, 32)
    torch.testing.assert_close(network.seen[0], expected)


def test_a_photograph_is_turned_as_its_camera_was_held() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 16, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "PNG", exif=exif)
    assert colorizer_of(Probe())(file.getvalue()).size == (8, 16)


def test_files_bytes_and_images_give_the_same(tmp_path: Path) -> None:
    colorizer, path = colorizer_of(Probe()), tmp_path / "scan.png"
    picture(40, 30).save(path)
    sources = [path, str(path), path.read_bytes(), Image.open(path)]
    first, *others = [np.asarray(colorizer(source)) for source in sources]
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float16", "float32", "float64", ">u2"])
@pytest.mark.parametrize("channels", [(), (1,), (2,), (3,), (4,)])
def test_an_array_gives_an_array_of_its_type(kind: str, channels: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    values = rng.uniform(0.2, 0.8, (12, 17, *channels))
    top = np.iinfo(kind).max if "f" not in kind else 1
    given = (values * top).astype(kind)
    colored = colorizer_of(Probe())(given)
    assert colored.dtype == given.dtype
    assert colored.shape == (12, 17, 3 + (channels in [(2,), (4,)]))
    if colored.shape[-1] == 4:
        np.testing.assert_array_equal(colored[..., 3], given[..., -1])


def test_bits_give_eight_bits() -> None:
    given = np.eye(20, dtype=bool)
    colored = colorizer_of(Probe())(given)
    assert colored.dtype == np.uint8
    np.testing.assert_array_equal(colored, np.repeat(given[..., None], 3, -1) * np.uint8(255))


def test_sixteen_bits_keep_their_luminance() -> None:
    gray = np.random.default_rng(0).integers(0, 65536, (50, 60)).astype(np.uint16)
    colored = colorizer_of(Probe(strength=0.5))(gray)
    assert np.abs(gray_level(colored) - gray).max() <= 0.52


def test_an_array_that_is_no_photograph_is_refused() -> None:
    with pytest.raises(BadPhotographError):
        colorizer_of(Probe())(np.zeros((3, 4, 5, 6), np.uint8))


def test_what_a_photograph_carries_is_kept() -> None:
    given = Photograph(np.full((9, 8), 77, np.uint8), np.full((9, 8), 5, np.uint8), "TIFF")
    colored = colorizer_of(Probe()).color(given)
    assert (colored.format, colored.metadata) == ("TIFF", given.metadata)
    assert colored.alpha is given.alpha


def test_options_can_be_given_by_name() -> None:
    colorizer, gray = colorizer_of(Probe(strength=0.4)), np.asarray(picture(40, 40))
    options = Options(saturation=0.5, upsampling="guided")
    expected = colorizer(gray, options)
    np.testing.assert_array_equal(colorizer(gray, saturation=0.5, upsampling="guided"), expected)
    np.testing.assert_array_equal(
        colorizer(gray, Options(upsampling="guided"), saturation=0.5), expected
    )
    with pytest.raises(OptionError, match="saturation is 9"):
        colorizer(gray, saturation=9.0)


def test_no_saturation_is_gray() -> None:
    gray = np.asarray(picture(40, 50))
    colored = colorizer_of(Probe(strength=0.9))(gray, saturation=0.0)
    np.testing.assert_array_equal(colored, np.repeat(gray[..., None], 3, axis=-1))


def test_saturation_is_a_factor_of_ab() -> None:
    gray = np.full((32, 32), 40000, dtype=np.uint16)
    colorizer = colorizer_of(Probe(strength=0.2))
    once, twice = (
        rgb2lab(colorizer(gray, saturation=one) / 65535.0)[..., 1:] for one in (1.0, 2.0)
    )
    np.testing.assert_allclose(2.0 * once, twice, atol=0.05)
    assert np.abs(once).min() > 2.0


def test_the_working_size_can_be_chosen() -> None:
    network = Probe()
    colorizer_of(network)(np.asarray(picture(128, 192)), size=48)
    assert network.seen[0].shape[-2:] == (48, 72)


@pytest.mark.parametrize(
    ("decoding", "expected"),
    [
        (MEAN, 1.0),
        (ARGMAX, LOWEST_TEMPERATURE),
        (AnnealedMeanParams(kind="annealed_mean", temperature=0.38), 0.38),
        (LEARNED, 1.0),
    ],
)
def test_a_distribution_has_its_own_temperature(decoding: Decoding, expected: float) -> None:
    assert colorizer_of(Logits(), decoding=decoding).temperature == expected


def test_a_model_without_a_distribution_has_no_temperature() -> None:
    colorizer = colorizer_of(Probe())
    assert colorizer.temperature is None
    with pytest.raises(OptionError, match="predicts colors, no distribution: leave temperature"):
        colorizer.color(photograph(8, 8), Options(temperature=1.0))
    with pytest.raises(OptionError, match="one coloring: ask for 1 variant"):
        colorizer.variants(photograph(8, 8), 2)


def test_a_temperature_changes_the_colors_and_its_own_does_not() -> None:
    colorizer, gray = colorizer_of(Logits(0.01), decoding=MEAN), np.asarray(picture(40, 40))
    np.testing.assert_array_equal(colorizer(gray, temperature=1.0), colorizer(gray))
    vivid = colorizer(gray, temperature=LOWEST_TEMPERATURE).astype(int)
    pale = colorizer(gray, temperature=HIGHEST_TEMPERATURE).astype(int)
    assert np.ptp(vivid, axis=-1).mean() > 1.5 * np.ptp(pale, axis=-1).mean()


@pytest.mark.parametrize("sharpness", [1e3, 1e30])
def test_no_temperature_overflows(sharpness: float) -> None:
    gray = np.full((40, 40), 150, dtype=np.uint8)
    colorizer = colorizer_of(Logits(sharpness), decoding=ARGMAX)
    boldest = colorizer(gray, temperature=LOWEST_TEMPERATURE)
    np.testing.assert_array_equal(boldest, colorizer(gray))
    assert np.ptp(boldest.astype(int), axis=-1).min() > 5


def test_what_was_learned_is_shown_and_a_temperature_moves_it() -> None:
    gray, learned = np.asarray(picture(40, 40)), colorizer_of(Learned(0.01), decoding=LEARNED)
    mean = colorizer_of(Logits(0.01), decoding=MEAN)
    usual = learned(gray).astype(int)
    np.testing.assert_array_equal(learned(gray, temperature=1.0), usual)
    bold = learned(gray, temperature=0.1).astype(int)
    assert np.abs(bold - usual).mean() > 2
    assert np.abs(bold - mean(gray, temperature=0.1).astype(int)).mean() > 2


@pytest.mark.parametrize("temperature", [None, 0.2])
@pytest.mark.parametrize("upsampling", ["bicubic", "guided"])
@pytest.mark.parametrize("decoding", [MEAN, LEARNED], ids=lambda decoding: decoding.kind)
def test_the_first_variant_is_the_usual_coloring(
    decoding: Decoding, upsampling: Any, temperature: float | None
) -> None:
    colorizer = colorizer_of(Learned(), decoding=decoding)
    options = Options(temperature=temperature, saturation=1.3, upsampling=upsampling)
    first, *_ = colorizer.variants(photograph(40, 60), 4, options)
    expected = colorizer.color(photograph(40, 60), options)
    difference = np.abs(first.photograph.pixels.astype(int) - expected.pixels)
    assert difference.max() <= 1


class Honest(Learned):
    """Gray with a probability of 0.92, else blue; the same everywhere."""

    def forward(self, lightness: Tensor) -> Tensor:
        raw = super().forward(lightness)
        gray, blue = gamut313().nearest(torch.tensor([[0.0, 0.0], [20.0, -60.0]])).tolist()
        raw[:, :313] = -30.0
        raw[:, gray], raw[:, blue] = math.log(0.92), math.log(0.08)
        return raw


def test_an_honest_distribution_has_variants_beside_gray() -> None:
    given = photograph(40, 60)
    assert len(colorizer_of(Honest(), decoding=MEAN).variants(given, 4)) == 1
    _, blue = colorizer_of(Honest(), decoding=LEARNED).variants(given, 4)
    red, _, much = blue.photograph.pixels.astype(int).reshape(-1, 3).mean(0)
    assert much > red + 30


@pytest.mark.parametrize("count", [0, 17])
def test_too_many_variants_are_refused(count: int) -> None:
    with pytest.raises(OptionError, match=f"variants is {count}: set it from 1 to 16"):
        colorizer_of(Logits(), decoding=MEAN).variants(photograph(8, 8), count)


class Convolved(nn.Module):
    """A small network with a bottleneck, whose arithmetic depends on how it is batched."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self._layers = nn.Sequential(
            nn.Conv2d(1, 32, 5, padding=2),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 2, 3, padding=1),
            nn.Tanh(),
        ).eval()
        self.batches: list[int] = []

    def forward(self, lightness: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(lightness))
        colors: torch.Tensor = self._layers(lightness)
        return colors


def mixed() -> list[Photograph]:
    sizes = [(40, 60), (60, 40), (80, 120), (41, 59), (32, 32), (40, 60), (7, 90)]
    return [photograph(*size, seed) for seed, size in enumerate(sizes)]


def test_a_photograph_is_the_same_alone_and_in_a_batch() -> None:
    network = Convolved()
    colorizer, options = colorizer_of(network), Options()
    seen = [colorizer._seen(one, options) for one in mixed()]
    together = colorizer._predicted(seen, options)
    assert max(network.batches) >= 3
    for one, ab in zip(seen, together, strict=True):
        [alone] = colorizer._predicted([one], options)
        torch.testing.assert_close(ab, alone, atol=1e-4, rtol=0)


@pytest.mark.parametrize("window", [1, 3, 16])
@pytest.mark.parametrize("upsampling", ["bicubic", "guided"])
def test_a_batch_keeps_the_order(
    window: int, upsampling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", window)
    colorizer, options = colorizer_of(Convolved()), Options(upsampling=upsampling)
    colored = list(colorizer.batch(mixed(), options))
    for one, given in zip(colored, mixed(), strict=True):
        alone = colorizer.color(given, options).pixels
        assert np.abs(one.pixels.astype(int) - alone).max() <= 1


def counted(read: list[int], count: int) -> Iterator[Photograph]:
    for number in range(count):
        read.append(number)
        yield photograph(40, 60, number)


@pytest.mark.parametrize(("window", "size", "ahead"), [(4, 2**26, 4), (16, 6000, 3)])
def test_a_batch_reads_ahead_only_so_far(
    window: int, size: int, ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", window)
    monkeypatch.setattr(module, "WINDOW_BYTES", size)
    read = list[int]()
    colored = colorizer_of(Probe()).batch(counted(read, 10))
    assert read == []
    next(colored)
    assert read == list(range(ahead))
    assert len(list(colored)) == 9


def test_no_more_are_taken_at_once_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 3 * 32 * 48)
    network = Convolved()
    list(colorizer_of(network).batch(photograph(40, 60, seed) for seed in range(8)))
    assert network.batches == [3, 3, 2]


def test_an_empty_batch_gives_nothing() -> None:
    assert list(colorizer_of(Probe()).batch([])) == []


def made_scan(side: int) -> np.ndarray:
    """Shapes, shading and fine texture, drawn at any size (side, 1.5 side)."""
    y, x = np.mgrid[0:side, 0 : side * 3 // 2].astype(np.float32) / side + np.float32(0.5 / side)
    values = 0.45 + 0.25 * np.sin(3 * x + 2 * y) * np.cos(4 * y)
    values += 0.2 * (np.hypot(x - 0.5, y - 0.4) < 0.25) - 0.25 * (np.abs(x - 1.1 + y / 4) < 0.1)
    values += 0.05 * np.sin(40 * x) * np.sin(37 * y)
    return np.round(255 * values.clip(0, 1)).astype(np.uint8)


@pytest.mark.parametrize("side", [512, 1024, 2048])
def test_colors_do_not_shift_with_the_size_of_the_photograph(side: int) -> None:
    """ab of 22 on average moves by less than 0.1, and by 1.5 at most where there is an edge."""
    colorizer, options = colorizer_of(Probe(strength=0.5)), Options()
    scan = made_scan(side)
    reduced = Image.fromarray(scan).resize((384, 256), Image.Resampling.LANCZOS)
    small, large = (
        colorizer._seen(Photograph(np.asarray(one)), options) for one in (reduced, scan)
    )
    assert small.shape == large.shape
    assert (small - large).abs().mean() < 0.1
    first, other = colorizer._predicted([small, large], options)
    assert first.norm(dim=0).mean() > 20.0
    assert (first - other).norm(dim=0).mean() < 0.1
    assert (first - other).norm(dim=0).max() < 1.5
