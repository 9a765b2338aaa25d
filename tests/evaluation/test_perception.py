"""The perceptual measures of a colorizer, with the networks that are there."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from perception_kit import CLASSES, compare, renamed, write_alexnet, write_set

from photochrom.data.shards import LabSet
from photochrom.evaluation.perception import Perception, PerceptionError, perception
from photochrom.evaluation.perception.encoder import Encoder, missing_packages
from photochrom.evaluation.perception.features import FILE
from photochrom.evaluation.perception.inception import Inception
from photochrom.evaluation.perception.published import ALEXNET, INCEPTION

needs_encoder = pytest.mark.skipif(bool(missing_packages()), reason="extra semantic is missing")
needs_published = pytest.mark.skipif(
    find_spec("torchmetrics") is None or find_spec("torch_fidelity") is None,
    reason="extra perceptual is missing",
)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> LabSet:
    """Twelve photographs of three classes."""
    return write_set(tmp_path_factory.mktemp("known") / "lab", [*CLASSES] * 4)


def look(perceived: Perception, test: LabSet, keep: float) -> dict[str, np.ndarray]:
    """Measure photographs that keep a share of their chroma, in batches of five."""
    parts = [
        perceived.measure(compare(test, rows, keep), rows)
        for rows in np.split(np.arange(len(test)), range(5, len(test), 5))
    ]
    return {key: torch.cat([part[key] for part in parts]).numpy() for key in parts[0]}


@needs_encoder
def test_the_truth_is_at_no_distance_and_gray_at_some(known: LabSet, tmp_path: Path) -> None:
    perceived = Perception.open(known, tmp_path)
    truth = look(perceived, known, 1.0)
    assert set(truth) == {"feature_distance", "semantic_top1", "semantic_top5"}
    assert_allclose(truth["feature_distance"], 0.0, atol=1e-12)
    assert_allclose(perceived.summarise(100, 0)[0]["kid_lite0"], 0.0, atol=1e-9)
    gray = look(perceived, known, 0.0)
    pale = look(perceived, known, 0.9)
    assert (gray["feature_distance"] > pale["feature_distance"]).mean() > 0.7
    assert (pale["feature_distance"] > 0).all()


@needs_encoder
def test_the_classes_are_those_of_the_labels(known: LabSet, tmp_path: Path) -> None:
    perceived = Perception.open(known, tmp_path)
    measured = look(perceived, known, 1.0)
    network = Encoder.open()
    assert network is not None
    rows = np.arange(len(known))
    likeliest = network(compare(known, rows, 1.0).true_rgb)[1].argsort(1, descending=True)
    right = likeliest == torch.arange(3).repeat(4)[:, None]
    assert_allclose(measured["semantic_top1"], 100.0 * right[:, 0])
    assert_allclose(measured["semantic_top5"], 100.0 * right[:, :5].any(1))


@needs_encoder
def test_known_features_of_the_truth_spare_looking_again(
    known: LabSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Perception.open(known, tmp_path)
    look(first, known, 1.0)
    first.save(tmp_path / "truth")
    saved = np.load(tmp_path / "truth" / FILE)
    assert (saved.dtype, saved.shape) == (np.float16, (12, 1280))
    anew, seen = Perception.open(known, tmp_path), []
    expected = look(anew, known, 0.5)
    knowing = Perception.open(known, tmp_path, tmp_path / "truth")
    real = Encoder.__call__
    monkeypatch.setattr(
        Encoder, "__call__", lambda s, rgb: (seen.append(len(rgb)), real(s, rgb))[1]
    )
    found = look(knowing, known, 0.5)
    assert sum(seen) == len(known)
    for key, values in expected.items():
        assert_allclose(found[key], values)
    assert knowing.summarise(100, 0) == anew.summarise(100, 0)


@needs_encoder
def test_features_of_other_photographs_are_refused(known: LabSet, tmp_path: Path) -> None:
    np.save(tmp_path / FILE, np.zeros((3, 1280), np.float16))
    with pytest.raises(PerceptionError, match=r"shape \(3, 1280\).* need \(12, 1280\): run `dvc"):
        Perception.open(known, tmp_path / "none", tmp_path)
    (tmp_path / FILE).write_bytes(b"half a file")
    with pytest.raises(PerceptionError, match="cannot be read"):
        Perception.open(known, tmp_path / "none", tmp_path)


@needs_encoder
def test_the_floor_compares_halves_of_the_truth(known: LabSet, tmp_path: Path) -> None:
    perceived = Perception.open(known, tmp_path)
    look(perceived, known, 0.0)
    values, intervals = perceived.summarise(100, 0, floor=True)
    assert set(values) == set(intervals) == {"kid_lite0"}
    assert values["kid_lite0"] != 0
    assert abs(values["kid_lite0"]) < perceived.summarise(100, 0)[0]["kid_lite0"]
    assert perceived.summarise(100, 0, floor=True) == (values, intervals)
    assert perceived.summarise(100, 1, floor=True)[0] != values


@needs_encoder
def test_photographs_without_classes_have_all_but_classes(tmp_path: Path) -> None:
    test = write_set(tmp_path / "lab", [*CLASSES, None], ["one", "one", "one", "one"])
    perceived = Perception.open(test, tmp_path)
    assert set(look(perceived, test, 0.0)) == {"feature_distance"}
    assert perceived.summarise(100, 0) == ({}, {})


@needs_encoder
def test_a_set_that_was_not_wholly_seen_is_not_summarised(known: LabSet, tmp_path: Path) -> None:
    perceived, rows = Perception.open(known, tmp_path), np.arange(3)
    perceived.measure(compare(known, rows, 0.0), rows)
    with pytest.raises(ValueError, match="each of them was measured"):
        perceived.summarise(100, 0)


def test_without_any_network_nothing_is_measured(
    known: LabSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Encoder, "open", classmethod(lambda cls: None))
    perceived = Perception.open(known, tmp_path / "none", tmp_path)
    assert look(perceived, known, 0.0) == {}
    assert perceived.summarise(100, 0) == perceived.summarise(100, 0, floor=True) == ({}, {})
    perceived.save(tmp_path / "details")
    assert not (tmp_path / "details").exists()


@needs_published
def test_fetched_weights_add_their_measures(
    known: LabSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alexnet = write_alexnet(tmp_path / "alexnet.pth")
    inception = tmp_path / "inception.pth"
    inception.write_bytes(b"opened by the stand-in")
    # The pixels take the place of Inception's features: looking through it takes half a minute.
    network = Inception(lambda rgb: (rgb.flatten(1)[:, :2048] / 255.0,), torch.device("cpu"))
    monkeypatch.setattr(Inception, "open", lambda path: {inception: network}[path])
    monkeypatch.setattr(perception, "ALEXNET", renamed(ALEXNET, alexnet))
    monkeypatch.setattr(perception, "INCEPTION", renamed(INCEPTION, inception))
    monkeypatch.setattr(Encoder, "open", classmethod(lambda cls: None))
    perceived = Perception.open(known, tmp_path)
    assert set(look(perceived, known, 1.0)) == {"lpips"}
    assert perceived.summarise(100, 0)[0] == pytest.approx({"kid": 0.0, "fid": 0.0}, abs=1e-6)
    gray = look(perceived, known, 0.0)
    assert (gray["lpips"] > 0).all()
    values, intervals = perceived.summarise(100, 0)
    assert values["kid"] != 0
    assert values["fid"] > 0
    assert set(intervals) == {"kid"}
    assert set(perceived.summarise(100, 0, floor=True)[0]) == {"kid", "fid"}


def test_damaged_weights_are_refused(known: LabSet, tmp_path: Path) -> None:
    (tmp_path / ALEXNET.file).write_bytes(b"half a file")
    with pytest.raises(PerceptionError, match=r"alexnet-owt-7be5be79\.pth is damaged .* delete it"):
        Perception.open(known, tmp_path)
