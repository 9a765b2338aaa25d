"""The ONNX file gives what PyTorch gives, at any size, or there is none."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from export_kit import SIDE, drawn, entry, models, predictor_of
from hypothesis import given
from hypothesis import strategies as st

from photochrom.color.batch import normalised
from photochrom.colorizer import onnx_export
from photochrom.colorizer.agreement import agreement, clear_pixels, photograph_like
from photochrom.colorizer.onnx_export import Exported, OnnxError, check, export_onnx
from photochrom.colorizer.onnx_graph import pooled
from photochrom.params.models import AnnealedMeanParams, ArgmaxParams

MODELS = models()


def run(path: Path, lightness: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (ab,) = session.run(None, {"L": lightness.numpy()})
    return torch.from_numpy(ab)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Exported]:
    """Export a model once for all tests: that takes seconds."""
    folder = tmp_path_factory.mktemp("onnx")

    @cache
    def export(name: str) -> Exported:
        facts = {"model": "it", "license": "CC0"}
        return export_onnx(predictor_of(MODELS[name]), folder / f"{name}.onnx", facts)

    return export


@pytest.mark.parametrize("name", MODELS)
def test_it_gives_the_same_colors_at_every_size(
    name: str, exported: Callable[[str], Exported]
) -> None:
    predictor, done = predictor_of(MODELS[name]), exported(name)
    assert done.largest <= 1e-3
    assert len(set(done.shapes)) == 3
    assert {count for count, _, _ in done.shapes} == {1, 2}
    # Sizes that it was not checked at: the smallest there is, and a strip of three.
    for height, width in ((predictor.stride, predictor.stride), (SIDE, 3 * SIDE)):
        lightness = photograph_like(3, height, width)
        raw = predictor.raw(lightness)
        clear = clear_pixels(predictor, raw, (height, width))
        expected = predictor.ab(raw, (height, width))
        assert float(expected.std()) > 0.1
        assert agreement(run(done.path, lightness), expected, clear).largest <= 1e-3


@pytest.fixture(scope="module")
def regression(exported: Callable[[str], Exported]) -> Path:
    return exported(next(name for name in MODELS if "resnet18_regression" in name)).path


def test_the_file_says_what_it_takes(regression: Path) -> None:
    model = onnx.load(regression)
    onnx.checker.check_model(model, full_check=True)
    told = {item.key: item.value for item in model.metadata_props}
    assert told == {
        "model": "it",
        "license": "CC0",
        "stride": "8",
        "size": "64",
        "decoding": "direct",
        "input": "L: CIE L* of D65 (N, 1, H, W), float32 in 0..100; H and W multiples of 8",
        "output": "ab: CIE a* and b* (N, 2, H, W), float32",
    }
    shown = [
        (value.name, [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim])
        for value in (*model.graph.input, *model.graph.output)
    ]
    assert shown == [("L", ["N", 1, "8*h", "8*w"]), ("ab", ["N", 2, "8*h", "8*w"])]


def test_the_file_tells_nothing_of_this_machine(regression: Path) -> None:
    data = regression.read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in data
    assert b".py" not in data


def test_a_wrong_export_is_refused_and_leaves_no_file(
    regression: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = onnx.load(regression)
    monkeypatch.setattr(onnx_export, "onnx_graph", lambda *_: stored)
    predictor = predictor_of(entry("resnet18_regression"))
    with torch.no_grad():
        list(predictor.network.parameters())[-1].add_(1e-4)
    with pytest.raises(OnnxError, match=r"differ by 0\.011 units"):
        export_onnx(predictor, tmp_path / "model.onnx", {})
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_there_stays_when_its_successor_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise ValueError("an operation\nthat ONNX lacks")

    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    monkeypatch.setattr(onnx_export, "onnx_graph", fails)
    with pytest.raises(OnnxError, match="cannot be put in ONNX: an operation that ONNX lacks"):
        export_onnx(predictor_of(entry("resnet18_regression")), path, {})
    assert (path.read_bytes(), len(list(tmp_path.iterdir()))) == (b"before", 1)


def test_a_damaged_file_is_no_match(regression: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(regression.read_bytes()[:1000])
    with pytest.raises(OnnxError, match="onnxruntime cannot run"):
        check(predictor_of(entry("resnet18_regression")), path)


def test_missing_packages_are_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "missing_packages", lambda: ["onnx", "onnxscript"])
    with pytest.raises(OnnxError, match=r"needs onnx, onnxscript: `pip install 'photochrom\[onnx"):
        export_onnx(predictor_of(entry("resnet18_regression")), tmp_path / "model.onnx", {})


def test_argmax_is_compared_where_no_bin_ties() -> None:
    model = entry("resnet18_grid256")
    predictor = replace(predictor_of(model), decoding=ArgmaxParams(kind="argmax"))
    raw = torch.zeros(1, 256, 8, 8)
    raw[:, 7] = 5.0
    raw[:, 9, 2, 3] = 5.0 - 1e-4
    clear = clear_pixels(predictor, raw, (8, 8))
    assert clear is not None
    assert torch.nonzero(~clear[0, 0]).tolist() == [[2, 3]]
    wider = clear_pixels(predictor, raw, (16, 16))
    assert wider is not None
    jumped = raw.clone()
    jumped[:, 9, 2, 3] += 1e-3
    one, other = predictor.ab(raw, (16, 16)), predictor.ab(jumped, (16, 16))
    assert agreement(one, other).largest > 1.0
    found = agreement(one, other, wider)
    assert found.largest == 0.0
    assert 0.5 < found.compared < 1.0


def test_only_argmax_leaves_pixels_out() -> None:
    predictor = predictor_of(entry("resnet18_grid256"))
    mean = replace(predictor, decoding=AnnealedMeanParams(kind="annealed_mean", temperature=0.4))
    assert clear_pixels(mean, torch.zeros(1, 256, 8, 8), (8, 8)) is None


def test_what_ties_everywhere_cannot_be_checked(
    regression: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = predictor_of(entry("resnet18_grid256"))
    predictor = replace(predictor, decoding=ArgmaxParams(kind="argmax"))
    with torch.no_grad():
        for parameter in predictor.network.parameters():
            parameter.zero_()
    with pytest.raises(OnnxError, match="give --temperature"):
        check(predictor, regression)


def test_agreement_is_the_largest_and_the_mean_distance() -> None:
    one, other = torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    other[0, 0, 0, 0], other[0, 1, 1, 1] = 3.0, -1.0
    found = agreement(one, other)
    assert (found.largest, found.mean, found.compared) == (3.0, 0.5, 1.0)
    only = torch.tensor([[[[False, True], [True, True]]]])
    found = agreement(one, other, only)
    assert (found.largest, found.compared) == (1.0, 0.75)
    assert found.mean == pytest.approx(1 / 6)
    assert agreement(one, other, torch.zeros(1, 1, 2, 2, dtype=torch.bool)).compared == 0.0


@given(st.integers(1, 23), st.integers(1, 23), st.tuples(st.integers(1, 7), st.integers(1, 7)))
def test_pooling_is_that_of_pytorch(height: int, width: int, size: tuple[int, int]) -> None:
    features = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(1))
    expected = F.adaptive_avg_pool2d(features, size)
    assert torch.allclose(pooled(features, size), expected, atol=1e-6)


def test_lightness_to_compare_with_spans_its_range_and_repeats() -> None:
    one = photograph_like(2, 40, 24)
    assert (one.shape, float(one.min()), float(one.max())) == ((2, 1, 40, 24), 0.0, 100.0)
    assert torch.equal(one, photograph_like(2, 40, 24))
    assert not torch.equal(one[0], one[1])


def test_the_network_takes_what_the_pipeline_gives_it(regression: Path) -> None:
    """The file holds all that stands between L and ab, written out by hand."""
    network = drawn(entry("resnet18_regression"))
    lightness = photograph_like(1, 64, 64)
    with torch.no_grad():
        expected = 110.0 * network(normalised(lightness))
    assert float((run(regression, lightness) - expected).abs().max()) <= 1e-3
