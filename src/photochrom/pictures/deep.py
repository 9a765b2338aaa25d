"""Color files of 16 bits a channel, which Pillow would read with eight."""

import logging
from typing import IO

import numpy as np
from PIL import Image

from photochrom.pictures.modes import BITS, PHOTOMETRIC

EIGHT_BITS = (
    "Its 16 bits a channel were read as 8: to keep them, save it as TIFF without LZW, or install "
    "imagecodecs."
)
MULTIPLIED, OPACITY = 1, 2

# tifffile logs what it finds odd in a file, which would land on the user's screen.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def has_deep_color(image: Image.Image) -> bool:
    """Return whether a file that Pillow opened, and has not loaded, has 16 bits of each color."""
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(BITS, ())
        return len(bits) >= 3 and set(bits) == {16}
    tile = getattr(image, "tile", ())
    stored = str(tile[0].args) if image.format == "PNG" and tile else ""
    return "16" in stored and not image.mode.startswith("I")


def read_deep(file: IO[bytes], image: Image.Image) -> np.ndarray | None:
    """Read the colors of a deep file at full depth.

    Parameters
    ----------
    file : the file that Pillow opened ``image`` from.

    Returns
    -------
    uint16 (H, W, 3), or with alpha (H, W, 2) or (H, W, 4), as they are stored. None where the file
    is damaged, or packed in a way that only Pillow reads, with eight bits.
    """
    file.seek(0)
    try:
        pixels = _from_tiff(file) if image.format == "TIFF" else _from_png(file, image)
    except MemoryError:
        raise
    except Exception:  # Whether it can be read at all, Pillow decides afterwards.
        return None
    # Pillow has turned the size of a TIFF on its side already.
    fits = pixels is not None and sorted(pixels.shape[:2]) == sorted(image.size)
    return pixels if fits else None


def _from_tiff(file: IO[bytes]) -> np.ndarray | None:
    import tifffile

    with tifffile.TiffFile(file) as opened:
        page = opened.pages.first
        if page.tags[PHOTOMETRIC].value != tifffile.PHOTOMETRIC.RGB:
            return None
        pixels: np.ndarray = page.asarray()
        extra = tuple(map(int, page.extrasamples))
        if page.axes.startswith("S"):
            pixels = np.moveaxis(pixels, 0, -1)
    if extra[:1] == (OPACITY,):
        return pixels[..., :4]
    return _divided(pixels[..., :4]) if extra[:1] == (MULTIPLIED,) else pixels[..., :3]


def _divided(pixels: np.ndarray) -> np.ndarray:
    """Undo the multiplication of colors by their opacity (TIFF 6.0, ExtraSamples)."""
    alpha = pixels[..., 3:].astype(np.float32)
    color = pixels[..., :3] * (65535.0 / np.maximum(alpha, 1.0))
    return np.concatenate((color.clip(0, 65535).round().astype(np.uint16), pixels[..., 3:]), -1)


def _from_png(file: IO[bytes], image: Image.Image) -> np.ndarray:
    import torch
    from torchvision.io import ImageReadMode, decode_png

    data = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)
    pixels: np.ndarray = decode_png(data, ImageReadMode.UNCHANGED).permute(1, 2, 0).numpy()
    clear = image.info.get("transparency")
    if not isinstance(clear, tuple) or pixels.shape[2] != 3:
        return pixels
    opaque = (pixels != np.array(clear, dtype=np.uint16)).any(-1, keepdims=True)
    return np.concatenate((pixels, opaque.astype(np.uint16) * 65535), -1)
