"""A model as an ONNX file that other programs run, checked against PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from torch import Tensor

from photochrom.colorizer.agreement import Agreement, agreement, clear_pixels, photograph_like
from photochrom.colorizer.onnx_graph import INPUT, onnx_graph
from photochrom.colorizer.prediction import Predictor
from photochrom.files import whole_file

PACKAGES = ("onnx", "onnxruntime", "onnxscript")
INSTALL = "pip install 'photochrom[onnx]'"
TOLERANCE = 1e-3
"""In ab units. A step of one in sRGB's 255 is some 0.4."""
LEAST_COMPARED = 0.5


class OnnxError(Exception):
    """A model cannot be exported; the message is a sentence that says why."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes
    ----------
    path : the file.
    size : of it, in bytes.
    opset : of the graph.
    shapes : batch, height and width at which it was compared with PyTorch.
    largest : the largest difference of a and b there, in ab units.
    """

    path: Path
    size: int
    opset: int
    shapes: tuple[tuple[int, int, int], ...]
    largest: float


def export_onnx(predictor: Predictor, path: Path, facts: Mapping[str, str]) -> Exported:
    """Write a model as an ONNX file, once onnxruntime gives the same colors as PyTorch.

    Parameters
    ----------
    predictor : the model, on the CPU; its decoding goes into the file.
    path : the file; one that is there is replaced.
    facts : what the file is to say of itself beside stride, size and decoding.

    Raises
    ------
    OnnxError
        If packages are missing, the network cannot be put in ONNX, or the file gives other colors
        than PyTorch; then no file is left.
    """
    _require()
    model = _graph(predictor, {**_facts(predictor), **facts})
    with whole_file(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
        largest = check(predictor, temporary)
    opset = max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    return Exported(path, path.stat().st_size, opset, shapes(predictor), largest)


def check(predictor: Predictor, path: Path) -> float:
    """Compare what onnxruntime and PyTorch give at the :func:`shapes`.

    Returns
    -------
    The largest difference, in ab units.

    Raises
    ------
    OnnxError
        If it is above :data:`TOLERANCE`, or cannot be told.
    """
    try:
        session = _session(path)
        found = [_compared(predictor, session, *shape) for shape in shapes(predictor)]
    except Exception as error:
        raise OnnxError(f"onnxruntime cannot run the exported model: {_one_line(error)}") from None
    if min(one.compared for one in found) < LEAST_COMPARED:
        raise OnnxError(
            "The model's likeliest colors hang on rounding nearly everywhere, so that the file "
            "cannot be checked: give --temperature."
        )
    largest = max(one.largest for one in found)
    if not largest <= TOLERANCE:
        raise OnnxError(
            f"onnxruntime and PyTorch differ by {largest:.2g} units of a and b, above "
            f"{TOLERANCE:g}: nothing was written. Other versions of torch or onnxruntime may do it."
        )
    return largest


def shapes(predictor: Predictor) -> tuple[tuple[int, int, int], ...]:
    """Return batch, height and width at which an export is compared: around the working size."""
    stride = predictor.stride
    side = max(1, round(predictor.size / stride)) * stride
    return ((1, side, side), (2, side, 2 * side), (1, side + stride, 2 * side + stride))


def missing_packages() -> list[str]:
    """Return the packages that exporting needs and that are not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def _require() -> None:
    if missing := missing_packages():
        raise OnnxError(f"Exporting to ONNX needs {', '.join(missing)}: `{INSTALL}`.")


def _graph(predictor: Predictor, facts: Mapping[str, str]) -> Any:
    try:
        return onnx_graph(predictor, facts)
    except Exception as error:
        raise OnnxError(f"The network cannot be put in ONNX: {_one_line(error)}") from None


def _facts(predictor: Predictor) -> dict[str, str]:
    decoding, stride = predictor.decoding, predictor.stride
    side = f"multiples of {stride}"
    return {
        "input": f"{INPUT}: CIE L* of D65 (N, 1, H, W), float32 in 0..100; H and W {side}",
        "output": "ab: CIE a* and b* (N, 2, H, W), float32",
        "stride": str(stride),
        "size": str(predictor.size),
        "decoding": decoding.kind,
        **{key: str(value) for key, value in decoding.model_dump(exclude={"kind"}).items()},
    }


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Errors alone: what else it says of a graph is no affair of who exports it.
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(path.read_bytes(), options, ["CPUExecutionProvider"])


def _compared(predictor: Predictor, session: Any, count: int, height: int, width: int) -> Agreement:
    lightness = photograph_like(count, height, width)
    raw = predictor.raw(lightness)
    expected: Tensor = predictor.ab(raw, (height, width))
    (given,) = session.run(None, {INPUT: lightness.numpy()})
    return agreement(
        torch.from_numpy(given), expected, clear_pixels(predictor, raw, (height, width))
    )


def _one_line(error: Exception) -> str:
    return shorten(str(error), 300)
