"""The colorizer: photographs of every size and mode, luminance kept, refusals in one line."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file
from skimage.color import rgb2lab
from torch import Tensor, nn

from photochrom.color.batch import normalised
from photochrom.color.bins import bins, gamut313
from photochrom.color.lab import rgb_to_lab
from photochrom.colorizer import LONGEST, Colorizer, ColorizerError, read_config
from photochrom.networks import build_network
from photochrom.params import load_params
from photochrom.params.models import (
    ArgmaxParams,
    ClassificationParams,
    Decoding,
    DirectParams,
    MeanParams,
    ModelParams,
    ResNetParams,
)
from photochrom.pictures.modes import to_rgb
from photochrom.pictures.opening import upright

CPU = torch.device("cpu")
MODELS = load_params(Path(__file__).resolve().parents[1] / "params.yaml").models
DIRECT = DirectParams(kind="direct")
SIZES = [(1, 1), (1, 50), (50, 1), (16, 16), (17, 31), (33, 20), (64, 64), (100, 70), (7, 300)]


class Probe(nn.Module):
    """Gives a color that follows the lightness, and remembers what it saw."""

    def __init__(self, factor: int = 1, strength: float = 0.05) -> None:
        super().__init__()
        self.seen: list[Tensor] = []
        self._factor, self._strength = factor, strength

    def forward(self, lightness: Tensor) -> Tensor:
        self.seen.append(lightness.clone())
        small = nn.functional.avg_pool2d(lightness, self._factor)
        return torch.cat((small, -small), dim=1) * self._strength


def colorizer_of(
    network: nn.Module, size: int = 32, stride: int = 8, decoding: Decoding = DIRECT
) -> Colorizer:
    where = None if decoding.kind == "direct" else gamut313()
    return Colorizer(network, stride, decoding, where, size, CPU)


def photograph(height: int, width: int, seed: int = 0) -> Image.Image:
    """A smooth gray picture with some contrast."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(60, 200, (3, 4), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BILINEAR)


def write_model(model: ModelParams, folder: Path, size: int = 32, **changes: Any) -> nn.Module:
    """Write a model as the stage train does."""
    objective = model.objective
    classifies = isinstance(objective, ClassificationParams)
    torch.manual_seed(0)
    network = build_network(model.network, len(bins(objective.bins)) if classifies else 2)
    folder.mkdir(parents=True)
    save_file(dict(network.state_dict()), folder / "weights.safetensors")
    decoding = MeanParams(kind="mean") if classifies else DIRECT
    config = {
        "format": 2,
        "model": "test",
        "study": "test",
        "network": model.network.model_dump(),
        "objective": objective.model_dump(),
        "decoding": decoding.model_dump(),
        "image_size": size,
        "parameters": 1,
        **changes,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return network.eval()


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    write_model(next(iter(MODELS.values())), tmp_path / "model")
    return tmp_path / "model"


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("size", [(1, 1), (37, 53), (90, 64)])
def test_every_model_colors_photographs_of_any_size(
    model: ModelParams, size: tuple[int, int], tmp_path: Path
) -> None:
    write_model(model, tmp_path / "model")
    colorizer = Colorizer.load(tmp_path / "model", model.decoding, CPU)
    gray = photograph(*size)
    colored = colorizer(gray)
    assert (colored.mode, colored.size) == ("RGB", gray.size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("stride", "factor"), [(8, 1), (8, 4), (64, 1)])
def test_colors_come_at_the_size_of_the_photograph(
    size: tuple[int, int], stride: int, factor: int
) -> None:
    network = Probe(factor)
    ab = colorizer_of(network, stride=stride).predict_ab(torch.full((2, 1, *size), 70.0))
    assert ab.shape == (2, 2, *size)
    assert ab.dtype == torch.float32
    assert all(side % stride == 0 for side in network.seen[0].shape[-2:])
    # An even gray has an even color, whatever was scaled and padded: 0.4 * 0.05 * 110.
    torch.testing.assert_close(ab[:, 0], torch.full((2, *size), 2.2), atol=1e-3, rtol=0)
    torch.testing.assert_close(ab[:, 1], torch.full((2, *size), -2.2), atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", SIZES)
def test_the_luminance_of_the_photograph_is_kept(size: tuple[int, int]) -> None:
    gray = photograph(*size)
    colored = colorizer_of(Probe(strength=0.15))(gray)
    before = rgb2lab(np.asarray(gray.convert("RGB")))[..., 0]
    after = rgb2lab(np.asarray(colored))
    # Eight bits of RGB keep L to within some tenths.
    assert np.abs(after[..., 0] - before).max() < 0.5
    if size != (1, 1):
        assert np.abs(after[..., 1:]).max() > 1.0


def test_only_colors_out_of_the_gamut_cost_luminance() -> None:
    gray = photograph(32, 32)
    colored = colorizer_of(Probe(strength=3.0))(gray)
    before, after = (rgb2lab(np.asarray(p.convert("RGB")))[..., 0] for p in (gray, colored))
    clipped = np.isin(np.asarray(colored), (0, 255)).any(-1)
    assert clipped.any()
    assert np.abs(after - before)[~clipped].max() < 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([8, 32]), st.sampled_from([16, 32]))
def test_any_size_works(height: int, width: int, stride: int, size: int) -> None:
    ab = colorizer_of(Probe(), size, stride).predict_ab(torch.rand(1, 1, height, width) * 100)
    assert ab.shape == (1, 2, height, width)
    assert ab.isfinite().all()


@pytest.mark.parametrize("size", [(32, 32), (32, 40), (56, 32)])
def test_gray_of_the_working_size_is_not_resampled(size: tuple[int, int]) -> None:
    network, lightness = Probe(), torch.rand(1, 1, *size) * 100
    ab = colorizer_of(network).predict_ab(lightness)
    assert torch.equal(network.seen[0], normalised(lightness))
    expected = normalised(lightness) * 0.05 * 110.0
    torch.testing.assert_close(ab, torch.cat((expected, -expected), dim=1))


def test_gray_is_padded_by_its_own_edge() -> None:
    network, lightness = Probe(), torch.rand(1, 1, 32, 35) * 100
    ab = colorizer_of(network, stride=16).predict_ab(lightness)
    [seen] = network.seen
    assert seen.shape[-2:] == (32, 48)
    assert torch.equal(seen[..., :35], normalised(lightness))
    assert torch.equal(seen[..., 35:], normalised(lightness)[..., -1:].expand(-1, -1, -1, 13))
    torch.testing.assert_close(ab[:, :1], normalised(lightness) * 0.05 * 110.0)


@pytest.mark.parametrize(
    ("size", "expected"), [((64, 96), (32, 48)), ((16, 24), (32, 48)), ((96, 64), (48, 32))]
)
def test_the_shorter_side_becomes_the_working_size(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    network = Probe()
    colorizer_of(network).predict_ab(torch.rand(1, 1, *size) * 100)
    assert network.seen[0].shape[-2:] == expected


def test_a_large_photograph_is_averaged_not_picked() -> None:
    stripes = ((torch.arange(128) % 4 == 0) * 100.0).expand(1, 1, 128, 128)
    network = Probe()
    colorizer_of(network).predict_ab(stripes)
    torch.testing.assert_close(network.seen[0], torch.full((1, 1, 32, 32), -0.5), atol=0.2, rtol=0)


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (3, 2000)])
def test_a_strip_is_not_enlarged_beyond_memory(size: tuple[int, int]) -> None:
    network = Probe()
    ab = colorizer_of(network).predict_ab(torch.full((1, 1, *size), 50.0))
    assert ab.shape[-2:] == size
    assert network.seen[0].numel() <= max(8 * max(size), LONGEST * 32 * 32)


def test_colors_do_not_change_much_with_the_size() -> None:
    colorizer = colorizer_of(Probe(strength=0.2))
    small = np.asarray(colorizer(photograph(32, 32))).astype(float)
    large = np.asarray(colorizer(photograph(96, 96)).resize((32, 32), Image.Resampling.BOX))
    assert np.abs(small - large.astype(float)).mean() < 2.0


def test_photographs_of_a_batch_are_colored_one_by_one() -> None:
    lightness, colorizer = torch.rand(3, 1, 20, 30) * 100, colorizer_of(Probe())
    alone = torch.cat([colorizer.predict_ab(one[None]) for one in lightness])
    torch.testing.assert_close(colorizer.predict_ab(lightness), alone)


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_raw_output_is_shown_piece_by_piece(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "photochrom.colorizer.photographs_at_once"
    monkeypatch.setattr(module, lambda channels, gray: at_once)
    lightness, seen = torch.rand(5, 1, 32, 32) * 100, list[Tensor]()
    colorizer = colorizer_of(Probe(4))
    ab = colorizer.predict_ab(lightness, seen.append)
    assert [len(raw) for raw in seen] == [at_once] * (5 // at_once) + [5 % at_once] * (at_once == 2)
    assert torch.cat(seen).shape == (5, 2, 8, 8)
    enlarged = nn.functional.interpolate(torch.cat(seen) * 110.0, (32, 32), mode="bicubic")
    torch.testing.assert_close(ab, enlarged)
    assert torch.equal(ab, colorizer.predict_ab(lightness))


def test_no_gradient_is_kept() -> None:
    lightness = torch.full((1, 1, 8, 8), 50.0, requires_grad=True)
    assert not colorizer_of(nn.Conv2d(1, 2, 1)).predict_ab(lightness).requires_grad


def test_logits_are_decoded_at_their_own_resolution_and_then_enlarged() -> None:
    class Logits(nn.Module):
        def forward(self, lightness: Tensor) -> Tensor:
            raw = torch.zeros(len(lightness), 313, *(side // 4 for side in lightness.shape[-2:]))
            raw[:, 100] = 50.0
            return raw

    colorizer = colorizer_of(Logits(), decoding=ArgmaxParams(kind="argmax"))
    ab = colorizer.predict_ab(torch.rand(1, 1, 32, 32) * 100)
    expected = gamut313().centers[100][None, :, None, None].expand(1, 2, 32, 32)
    torch.testing.assert_close(ab, expected)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "F", "P", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_photographs_of_every_mode_are_colored(mode: str) -> None:
    gray = photograph(20, 30)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    else:
        picture = gray.convert("RGB").convert(mode)
    colored = colorizer_of(Probe())(picture)
    assert (colored.mode, colored.size) == ("RGB", (30, 20))
    shown, given = (rgb2lab(np.asarray(one))[..., 0] for one in (colored, to_rgb(picture)))
    # Black and white have no room for color within the gamut.
    assert np.abs(shown - given).max() < 1.0


def test_the_colors_of_a_photograph_are_not_looked_at() -> None:
    """What has the same L has the same colors given; none of its own leaks through."""
    network = Probe()
    reddish = Image.new("RGB", (32, 32), (200, 80, 60))
    colorizer_of(network)(reddish)
    lab = rgb_to_lab(torch.tensor([200.0, 80.0, 60.0])[:, None, None] / 255.0)
    expected = normalised(lab[:1])[None].expand(1, 1, 32, 32)
    torch.testing.assert_close(network.seen[0], expected)
    assert network.seen[0].shape[1] == 1


def test_a_model_is_loaded_as_it_was_written(tmp_path: Path) -> None:
    model = next(iter(MODELS.values()))
    network = write_model(model, tmp_path / "model")
    colorizer = Colorizer.load(tmp_path / "model", device=CPU)
    assert not colorizer.network.training
    lightness = torch.rand(1, 1, 32, 32) * 100
    with torch.inference_mode():
        expected = network(normalised(lightness)) * 110.0
    torch.testing.assert_close(colorizer.predict_ab(lightness), expected, atol=1e-4, rtol=1e-4)


def test_another_decoding_can_be_asked_for(tmp_path: Path) -> None:
    [model] = [m for m in MODELS.values() if m.objective.kind == "classification"][:1]
    write_model(model, tmp_path / "model")
    stored = Colorizer.load(tmp_path / "model", device=CPU)
    asked = Colorizer.load(tmp_path / "model", ArgmaxParams(kind="argmax"), CPU)
    assert (stored.decoding.kind, asked.decoding.kind) == ("mean", "argmax")
    lightness = torch.rand(1, 1, 32, 32) * 100
    assert not torch.equal(stored.predict_ab(lightness), asked.predict_ab(lightness))


def test_a_model_that_began_with_pretrained_weights_needs_them_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [model] = [m for m in MODELS.values() if isinstance(m.network, ResNetParams)][:1]
    write_model(model, tmp_path / "model")
    edit(tmp_path / "model", lambda config: config["network"].update(pretrained=True))
    monkeypatch.setattr("photochrom.networks.resnet._pretrained", lambda _: pytest.fail("asked"))
    Colorizer.load(tmp_path / "model", device=CPU)


def refusal(folder: Path) -> str:
    with pytest.raises(ColorizerError) as caught:
        Colorizer.load(folder, device=CPU)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400 + len(str(folder))
    return message


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    assert "holds no trained model: run `dvc repro`" in refusal(tmp_path)


@pytest.mark.parametrize("found", [0, 1, None, "2"])
def test_another_format_is_refused(trained: Path, found: Any) -> None:
    edit(trained, lambda config: config.update(format=found))
    assert f"is of format {found}, not 2" in refusal(trained)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '{"format": 2'])
def test_a_damaged_config_is_refused(trained: Path, text: str) -> None:
    (trained / "config.json").write_text(text)
    assert str(trained / "config.json") in refusal(trained)


@pytest.mark.parametrize("key", ["network", "objective", "decoding", "image_size"])
def test_a_config_that_lacks_a_key_is_refused_by_its_name(trained: Path, key: str) -> None:
    edit(trained, lambda config: config.pop(key))
    assert key in refusal(trained)


def test_a_network_of_another_version_is_refused(trained: Path) -> None:
    edit(trained, lambda config: config["network"].update(kind="transformer"))
    assert "transformer" in refusal(trained)


def test_missing_weights_are_refused(trained: Path) -> None:
    (trained / "weights.safetensors").unlink()
    assert "weights.safetensors" in refusal(trained)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_truncated_weights_are_refused(trained: Path, share: float) -> None:
    path = trained / "weights.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: round(share * len(whole))])
    assert "cannot be loaded" in refusal(trained)


def test_weights_of_another_network_are_refused_with_a_reason(
    trained: Path, tmp_path: Path
) -> None:
    other = next(m for m in MODELS.values() if m.network.kind != "resnet")
    write_model(other, tmp_path / "other")
    (tmp_path / "other/weights.safetensors").replace(trained / "weights.safetensors")
    assert re.search("cannot be loaded: .*(Missing|Unexpected|size mismatch)", refusal(trained))


def test_weights_of_another_size_are_refused_with_a_reason(trained: Path) -> None:
    path = trained / "weights.safetensors"
    save_file({"decoder.9.weight": torch.zeros(3)}, path)
    assert "Missing key" in refusal(trained)


def test_a_config_is_read(trained: Path) -> None:
    config = read_config(trained)
    assert config.image_size == 32
    assert config.network == next(iter(MODELS.values())).network


def test_a_photograph_is_turned_as_its_camera_was_held(trained: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 16, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "PNG", exif=exif)
    held = Image.open(file)
    assert held.size == (16, 8)
    assert upright(held).size == (8, 16)
    assert Colorizer.load(trained, device=CPU)(held).size == (8, 16)
