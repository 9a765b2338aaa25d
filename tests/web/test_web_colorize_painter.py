"""What the worker does, in this process: which models it has, and what it cannot do."""

import io
import json
import shutil
from pathlib import Path

import pytest
from coloring_kit import NAMES, SCAN, TEMPERATURE, write_models
from PIL import Image

from photochrom.colorizer import catalog
from photochrom.colorizer.catalog import Entry
from photochrom.colorizer.options import Options
from photochrom.web.jobs import Job, RefusedError
from photochrom.web.painter import Painter


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A project whose models a test may change."""
    return write_models(tmp_path)


def opened(root: Path, *names: str) -> Painter:
    return Painter.open(names, root, 1.0)


def refused(root: Path, *names: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        opened(root, *names)
    assert caught.value.status == 503
    assert caught.value.detail.endswith(".")
    return caught.value


def test_all_models_are_served_by_default(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "SHIPPED", own / "nothing")
    found = [model.name for model in opened(own).models]
    assert sorted(found) == sorted(NAMES)
    assert found[0] == catalog.find(None, own).name


def test_the_first_that_is_named_is_the_default(own: Path) -> None:
    for names in (NAMES, NAMES[::-1], NAMES[:1]):
        assert tuple(model.name for model in opened(own, *names).models) == names


def test_a_model_may_be_named_by_its_folder_and_twice(own: Path) -> None:
    names = ("plain", str(own / "models" / "plain"))
    assert [model.name for model in opened(own, *names).models] == ["plain"]


def test_two_models_of_one_name_are_refused(own: Path) -> None:
    shutil.copytree(own / "models" / "plain", own / "elsewhere" / "plain")
    assert "called plain" in refused(own, "plain", str(own / "elsewhere" / "plain")).detail


def test_a_model_that_is_not_there_is_refused(own: Path) -> None:
    assert "nobody" in refused(own, "nobody").detail


def test_no_model_at_all_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path)
    refused(tmp_path)


def test_a_device_that_is_not_there_is_refused(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOCHROM_DEVICE", "abacus")
    assert "abacus" in refused(own).detail


@pytest.mark.parametrize("kind", ["annealed_mean", "mean", "argmax"])
def test_the_temperature_is_told_as_it_will_be(own: Path, kind: str) -> None:
    path = own / "models" / "likely" / "config.json"
    config = json.loads(path.read_text())
    decoding = {"kind": kind} | ({"temperature": TEMPERATURE} if kind == "annealed_mean" else {})
    path.write_text(json.dumps(config | {"decoding": decoding}))
    (told,) = opened(own, "likely").models
    assert told.temperature == catalog.load("likely", own).temperature


def test_weights_that_are_damaged_spoil_one_model_only(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own / "models" / "likely" / "weights.safetensors").write_bytes(b"damaged")
    painter = opened(own, *NAMES)
    with pytest.raises(RefusedError, match="likely cannot be loaded: take another") as caught:
        painter.paint(Job("likely", Options()), SCAN, io.BytesIO())
    assert caught.value.status == 503
    # Where it lies is for whoever serves it, and nobody else.
    assert str(own) not in caught.value.detail
    assert "weights.safetensors" in capsys.readouterr().err
    body = io.BytesIO()
    painter.paint(Job("plain", Options()), SCAN, body)
    assert Image.open(body).size == Image.open(io.BytesIO(SCAN)).size


def test_a_model_is_loaded_once(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load = catalog.opened

    def counted(entry: Entry) -> object:
        loaded.append(entry.name)
        return load(entry)

    monkeypatch.setattr(catalog, "opened", counted)
    painter = opened(own, *NAMES)
    for name in (*NAMES, *NAMES):
        painter.paint(Job(name, Options()), SCAN, io.BytesIO())
    assert loaded == list(NAMES)
