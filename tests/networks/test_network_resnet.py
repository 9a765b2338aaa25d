"""ResNets: where they are cut, the gray stem, and pretrained weights that are fetched or not."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from network_kit import gray, resnet_of
from torch import nn
from torchvision.models import ResNet18_Weights, ResNet34_Weights, resnet18, resnet34

from photochrom.networks import WeightsError, build_network, resnet

FAMILIES: dict[int, tuple[Callable[[], nn.Module], Any]] = {
    18: (resnet18, ResNet18_Weights),
    34: (resnet34, ResNet34_Weights),
}
every_depth = pytest.mark.parametrize("depth", FAMILIES)


class Quiet(SimpleHTTPRequestHandler):
    """A server that does not tell of each request."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve a folder and send torch's downloads to an empty one; give the server's address."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    (tmp_path / "served").mkdir()
    handler = partial(Quiet, directory=str(tmp_path / "served"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def published(depth: int, folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """Publish a whole ResNet as torchvision does: its file is named after its checksum."""
    family, weights = FAMILIES[depth]
    torch.manual_seed(1)
    whole, file = family(), folder / f"resnet{depth}.pth"
    torch.save(whole.state_dict(), file)
    name = f"resnet{depth}-{hashlib.sha256(file.read_bytes()).hexdigest()[:8]}.pth"
    file.rename(folder / name)
    monkeypatch.setattr(weights.IMAGENET1K_V1.value, "url", f"{address}/{name}")
    return whole.eval()


@pytest.mark.parametrize(
    ("depth", "decoder", "norm"),
    [(18, "deconvolution", True), (18, "upsampling", False), (34, "upsampling", True)],
)
def test_a_gray_stem_answers_as_the_colored_one_does_to_gray(
    depth: int,
    decoder: str,
    norm: bool,
    served: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = published(depth, tmp_path / "served", served, monkeypatch)
    params = resnet_of(depth, decoder, norm=norm, pretrained=True)
    network: Any = build_network(params, 2).eval()
    picture = gray(2, 64, 64)
    expected = nn.Sequential(*list(whole.children())[:6])(picture.expand(-1, 3, -1, -1))
    torch.testing.assert_close(network.encoder(picture), expected, rtol=1e-4, atol=1e-4)
    assert network(picture).shape == (2, 2, 64, 64)


@every_depth
def test_the_gray_stem_is_the_sum_over_the_colors(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    family, weights = FAMILIES[depth]
    whole: Any = family()
    monkeypatch.setattr(weights, "get_state_dict", lambda *_, **__: whole.state_dict())
    network: Any = build_network(resnet_of(depth, pretrained=True), 2)
    stem = network.encoder[0].weight
    torch.testing.assert_close(stem, whole.conv1.weight.sum(1, keepdim=True))
    inner = network.encoder[5].state_dict()
    assert all(torch.equal(inner[name], t) for name, t in whole.layer2.state_dict().items())


def test_weights_are_not_fetched_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("asked for weights")

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", refuse)
    build_network(resnet_of(18), 2)


@every_depth
def test_pretrained_weights_that_cannot_be_fetched_are_one_line(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise URLError("no route to host")

    weights = FAMILIES[depth][1]
    monkeypatch.setattr(weights, "get_state_dict", refuse)
    with pytest.raises(WeightsError) as caught:
        resnet.build(resnet_of(depth, pretrained=True), 2)
    message = str(caught.value)
    assert "\n" not in message
    assert weights.IMAGENET1K_V1.url in message
    assert "pretrained to false" in message


def test_weights_that_the_server_lacks_are_refused_the_same(
    served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{served}/resnet18-00000000.pth"
    monkeypatch.setattr(ResNet18_Weights.IMAGENET1K_V1.value, "url", address)
    with pytest.raises(WeightsError, match=f"404.*Download {address}"):
        build_network(resnet_of(18, pretrained=True), 2)


@pytest.mark.parametrize("place", ["served", "home/hub/checkpoints"])
def test_a_file_that_is_not_whole_is_refused_the_same(
    place: str, served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come so from the server, or lie so where a former download left it."""
    file = tmp_path / place / "resnet18-00000000.pth"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"half a file")
    weights = ResNet18_Weights.IMAGENET1K_V1
    monkeypatch.setattr(weights.value, "url", f"{served}/{file.name}")
    with pytest.raises(WeightsError) as caught:
        build_network(resnet_of(18, pretrained=True), 2)
    assert "\n" not in str(caught.value)
    assert f"Download {weights.url} to {tmp_path / 'home'}" in str(caught.value)


@pytest.mark.parametrize("channels", [2, 256])
def test_the_last_upsampling_repeats_each_number_four_times(channels: int) -> None:
    network: Any = build_network(resnet_of(18, "upsampling"), channels).eval()
    picture = gray(1, 32, 48)
    whole, once = network(picture), network(picture, repeated=False)
    assert network.repeats == 2
    assert once.shape == (1, channels, 16, 24)
    assert torch.equal(whole, once.repeat_interleave(2, -1).repeat_interleave(2, -2))


def test_deconvolutions_repeat_nothing() -> None:
    network: Any = build_network(resnet_of(18), 2).eval()
    picture = gray(1, 32, 32)
    assert network.repeats == 1
    assert torch.equal(network(picture), network(picture, repeated=False))


@pytest.mark.parametrize("depth", [18, 34])
@pytest.mark.parametrize("decoder", ["deconvolution", "upsampling"])
def test_a_resnet_is_cut_at_an_eighth_of_the_side(depth: int, decoder: str) -> None:
    network: Any = build_network(resnet_of(depth, decoder), 2).eval()
    assert network.encoder(gray(1, 64, 96)).shape == (1, 128, 8, 12)
