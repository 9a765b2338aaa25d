"""Pictures that tell nothing but their colors: each has as many pixels and bytes as any other.

Photographs and colorizations go the same way, through eight-bit Lab, so that nothing but ab can
differ. The PNG files are not compressed, and hold nothing but the pixels.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from photochrom.color.lab import decode_lab, encode_lab, lab_to_rgb8
from photochrom.colorizer.prediction import Predictor
from photochrom.params import ModelParams
from photochrom.params.study import GOLD
from photochrom.study.gold import constructed_fake
from photochrom.study.trials import Picture
from photochrom.study.votes import TRUTH

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BATCH = 64


def draw(
    pictures: Iterable[Picture],
    photographs: Mapping[str, np.ndarray],
    models: Mapping[str, ModelParams],
    folder: Path,
) -> Iterator[tuple[Picture, bytes]]:
    """Yield each picture with its PNG, one model after another.

    Parameters
    ----------
    pictures : what to draw.
    photographs : eight-bit Lab (uint8 (3, S, S)) by id.
    models : the models among their names; how they are decoded comes from here.
    folder : holds the folders of the trained models.

    Raises
    ------
    ColorizerError
        If a model cannot be loaded.
    """
    by_name: dict[str, list[Picture]] = {}
    for picture in sorted(set(pictures)):
        by_name.setdefault(picture.name, []).append(picture)
    for name, wanted in by_name.items():
        if name in models:
            colorizer = Predictor.load(folder / name, models[name].decoding)
            yield from _colorized(wanted, photographs, colorizer)
        else:
            yield from ((picture, _own(picture, photographs)) for picture in wanted)


def _own(picture: Picture, photographs: Mapping[str, np.ndarray]) -> bytes:
    """Draw a photograph in its own colors, or in those of a constructed fake."""
    stored = photographs[picture.photograph]
    if picture.name == GOLD:
        return png(to_rgb(constructed_fake(stored, picture.turn)))
    if picture.name == TRUTH:
        return png(to_rgb(stored))
    raise ValueError(f"{picture.name} is neither a model to judge nor a photograph")


def _colorized(
    wanted: list[Picture], photographs: Mapping[str, np.ndarray], colorizer: Predictor
) -> Iterator[tuple[Picture, bytes]]:
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        stored = np.stack([photographs[picture.photograph] for picture in batch])
        for picture, output in zip(batch, colorize(stored, colorizer), strict=True):
            yield picture, png(to_rgb(output))


def colorize(stored: np.ndarray, colorizer: Predictor) -> np.ndarray:
    """Replace the colors of photographs by a model's, rounded to eight-bit Lab as theirs are.

    Parameters
    ----------
    stored : uint8 array (N, 3, S, S) of eight-bit Lab, of which the model sees the first channel.

    Returns
    -------
    uint8 array of the same shape, with the very same first channel.
    """
    lightness = decode_lab(torch.from_numpy(stored))[:, :1]
    lab = torch.cat((lightness, colorizer.predict_ab(lightness)), dim=1)
    encoded: np.ndarray = encode_lab(lab).numpy()
    return np.concatenate((stored[:, :1], encoded[:, 1:]), axis=1)


def to_rgb(stored: np.ndarray) -> np.ndarray:
    """Convert eight-bit Lab (uint8 (3, S, S)) to eight-bit sRGB (uint8 (S, S, 3))."""
    rgb: np.ndarray = lab_to_rgb8(decode_lab(torch.from_numpy(stored))).movedim(0, -1).numpy()
    return rgb


def png(rgb: np.ndarray) -> bytes:
    """Write a picture as PNG whose length depends on nothing but its height and width.

    Parameters
    ----------
    rgb : uint8 array (H, W, 3).

    Returns
    -------
    Header, uncompressed pixels and end, no other chunk (PNG specification, third edition).
    """
    height, width, _ = rgb.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    # Every line of pixels begins with its filter: 0, none.
    lines = np.pad(rgb.reshape(height, width * 3), ((0, 0), (1, 0))).tobytes()
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 0)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
