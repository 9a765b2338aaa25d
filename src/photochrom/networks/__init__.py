"""Networks: gray in, raw output out, at any size that is a multiple of their stride.

One family per file; the file's name is the ``kind`` in params.yaml. Each gives
``build(params, out_channels)``.
"""

from importlib import import_module
from typing import Any

from photochrom.networks.base import ColorNetwork, WeightsError
from photochrom.networks.decoded import Decoded
from photochrom.params.models import Network

__all__ = ["ColorNetwork", "WeightsError", "build_network"]


def build_network(
    params: Network, out_channels: int, decoder_width: int | None = None
) -> ColorNetwork:
    """Make a network with fresh weights.

    Parameters
    ----------
    params : the ``network`` of a model's entry.
    out_channels : 2 for ab, else the number of bins; the objective decides.
    decoder_width : of a decoder that learns to read the distribution; None for none.
    """
    family: Any = import_module(f"photochrom.networks.{params.kind}")
    network: ColorNetwork = family.build(params, out_channels)
    return network if decoder_width is None else Decoded(network, out_channels, decoder_width)
