"""A model as one ONNX graph: L in, ab out, the decoding inside."""

import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from photochrom.color.batch import normalised
from photochrom.color.decoding import decode
from photochrom.colorizer.prediction import Predictor, resized

INPUT, OUTPUT = "L", "ab"
SYMBOL = re.compile(r"\bs\d+\b")


class Decoded(nn.Module):
    """A network with what stands before and after it.

    Its input's sides are multiples of the network's stride.
    """

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        self.network = _with_fixed_padding(predictor.network)
        self.decoding = predictor.decoding
        self.bins = predictor.bins

    def forward(self, lightness: Tensor) -> Tensor:
        """Return ab (N, 2, H, W) of L (N, 1, H, W) in 0..100."""
        raw = self.network(normalised(lightness))
        ab = decode(raw, self.decoding, self.bins)
        return resized(ab, lightness.shape[-2:])


def onnx_graph(predictor: Predictor, facts: Mapping[str, str]) -> Any:
    """Turn a model into an ONNX graph.

    Parameters
    ----------
    predictor : the model, on the CPU.
    facts : what the file says of itself, its ``metadata_props``.

    Returns
    -------
    onnx.ModelProto with input ``L`` (N, 1, H, W), float32 in 0..100, and output ``ab``
    (N, 2, H, W); N is free, H and W are multiples of the stride.
    """
    stride = predictor.stride
    sides = {2: stride * torch.export.Dim("h"), 3: stride * torch.export.Dim("w")}
    # Sides of one stride, or a batch of one, would be taken for constants.
    example = torch.full((2, 1, 3 * stride, 5 * stride), 50.0)
    shapes = ({0: torch.export.Dim("N"), **sides},)
    with torch.no_grad(), _silence():
        graph = torch.export.export(
            Decoded(predictor), (example,), dynamic_shapes=shapes, strict=False
        )
        program = torch.onnx.export(
            _pooled(graph), input_names=[INPUT], output_names=[OUTPUT], dynamo=True, verbose=False
        )
        model = program.model_proto  # type: ignore[union-attr]
    _name_sides(model)
    _strip(model)
    for key, value in facts.items():
        model.metadata_props.add(key=key, value=value)
    return model


class FixedPadding(nn.Module):
    """A convolution of TensorFlow's padding ``same``, for sides that are multiples of its stride.

    There the padding is the same for all sides, while the exporter needs minutes for the general
    rule.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        sizes = zip(convolution.kernel_size, convolution.dilation, convolution.stride, strict=True)
        missing = [max(0, (kernel - 1) * d + 1 - stride) for kernel, d, stride in sizes]
        (top, left), (height, width) = [total // 2 for total in missing], missing
        self.padding = (left, width - left, top, height - top)
        self.convolution = convolution

    def forward(self, features: Tensor) -> Tensor:
        """Return the convolution of features (N, C, H, W)."""
        layer = self.convolution
        padded = F.pad(features, self.padding)
        return F.conv2d(
            padded, layer.weight, layer.bias, layer.stride, 0, layer.dilation, layer.groups
        )


def _with_fixed_padding(network: nn.Module) -> nn.Module:
    """Return a network that pads alike at all sides, the same one where it does so by itself."""
    from timm.layers.conv2d_same import Conv2dSame

    if not any(isinstance(layer, Conv2dSame) for layer in network.modules()):
        return network
    copy = deepcopy(network)
    for layer in list(copy.modules()):
        for name, child in layer.named_children():
            if isinstance(child, Conv2dSame):
                setattr(layer, name, FixedPadding(child))
    return copy


def pooled(features: Tensor, size: tuple[int, int]) -> Tensor:
    """Average features (N, C, H, W) over a grid of ``size``, as ``F.adaptive_avg_pool2d`` does.

    PyTorch's own way of saying it in ONNX holds for one height and width alone.
    """
    rows, columns = features.shape[-2:]
    return _shares(rows, size[0], features) @ features @ _shares(columns, size[1], features).mT


def _shares(length: int, cells: int, like: Tensor) -> Tensor:
    """Return the weight (cells, length) of each sample in each cell."""
    cell = torch.arange(cells, device=like.device)[:, None]
    sample = torch.arange(length, device=like.device)[None, :]
    begins, ends = cell * length // cells, ((cell + 1) * length + cells - 1) // cells
    inside = ((sample >= begins) & (sample < ends)).to(like)
    return inside / inside.sum(1, keepdim=True)


def _pooled(graph: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
    operation = torch.ops.aten.adaptive_avg_pool2d.default
    if not any(node.target is operation for node in graph.graph.nodes):
        return graph
    table = torch.export.default_decompositions()
    table[operation] = pooled
    changed: torch.export.ExportedProgram = graph.run_decompositions(table)
    return changed


def _name_sides(model: Any) -> None:
    """Put N, h and w for the exporter's own symbols."""
    (lightness,) = model.graph.input
    shown = [dim.dim_param for dim in lightness.type.tensor_type.shape.dim]
    names = {}
    for text, name in zip(shown, ("N", "", "h", "w"), strict=True):
        if found := SYMBOL.search(text):
            names[found[0]] = name
    graph = model.graph
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = SYMBOL.sub(lambda m: names.get(m[0], m[0]), dim.dim_param)


def _strip(model: Any) -> None:
    """Take out the exporter's traces: they tell of this machine's folders, and nobody else."""
    graph = model.graph
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    del graph.metadata_props[:]


@contextmanager
def _silence() -> Iterator[None]:
    """Keep to itself what exporters say to those who write exporters."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
