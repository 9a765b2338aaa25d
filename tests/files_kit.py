"""Files of pictures made by hand: what the zoo of inputs and the tests of pictures are made of."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import tifffile
from PIL import Image, ImageCms

Expected = Literal["colored", "corrupt", "too large"]


@dataclass(frozen=True)
class Input:
    """One kind of input.

    Attributes
    ----------
    name : what is special about it; unique, and fit for a file's name.
    suffix : the ending of its file's name, with the dot.
    expected : what becomes of it with a limit of 200 megapixels, or of 50.
    make : makes the bytes of the file.
    """

    name: str
    suffix: str
    expected: Expected
    make: Callable[[], bytes]

    @cached_property
    def data(self) -> bytes:
        """The bytes of the file."""
        return self.make()


def scene(width: int = 40, height: int = 28) -> np.ndarray:
    """Return smooth colors, uint8 (H, W, 3), that no rotation or mirroring leaves as they are."""
    x = np.linspace(0, 1, width)[None]
    y = np.linspace(0, 1, height)[:, None]
    channels = (0.9 * x + 0 * y, 0.2 + 0.6 * y + 0 * x, 0.8 - 0.5 * x * y)
    return np.round(255 * np.stack(channels, -1)).astype(np.uint8)


def deep(width: int = 40, height: int = 28) -> np.ndarray:
    """Return smooth gray, uint16 (H, W), whose lower bytes count."""
    ramp = np.linspace(257, 65000, width * height).round()
    return ramp.astype(np.uint16).reshape(height, width)


def noise(width: int = 64, height: int = 64) -> Image.Image:
    """Return a picture that no coder makes small, so that cutting it off loses something."""
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(values)


def picture(mode: str = "RGB", width: int = 40, height: int = 28) -> Image.Image:
    """Return the scene in a mode of Pillow."""
    image = Image.fromarray(scene(width, height))
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        lab = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
        assert lab is not None
        del lab.info["icc_profile"]  # It tells when it was made.
        return lab
    if mode in ("LA", "RGBA"):
        image = image.convert(mode)
        image.putalpha(Image.linear_gradient("L").resize(image.size))
        return image
    if mode in ("I", "F"):
        return Image.fromarray(deep(width, height).astype(np.int32 if mode == "I" else np.float32))
    return Image.fromarray(deep(width, height)) if mode == "I;16" else image.convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return the bytes of a file of one of Pillow's formats."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    """Return a TIFF of the kinds that Pillow does not write."""
    buffer = io.BytesIO()
    options.setdefault("photometric", "rgb" if pixels.ndim > 2 else "minisblack")
    tifffile.imwrite(buffer, pixels, metadata=None, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    size: tuple[int, int],
    depth: int,
    color: int,
    rows: bytes,
    *extra: bytes,
    interlaced: bool = False,
) -> bytes:
    """Write a PNG by hand, for the kinds that Pillow does not write.

    Parameters
    ----------
    size : width and height.
    depth : bits of a sample.
    color : PNG's color type.
    rows : lines of pixels, each after its filter byte.
    extra : chunks before the pixels.
    """
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, color, 0, 0, interlaced))
    body = chunk(b"IDAT", zlib.compress(rows, 6))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + body + chunk(b"IEND", b"")


def deep_png(channels: int, *extra: bytes) -> bytes:
    """Return a PNG of 16 bits with 1 to 4 channels."""
    pixels = np.stack([np.roll(deep(), 7 * shift, 1) for shift in range(channels)], -1)
    lines = pixels.astype(">u2").reshape(28, -1).view(np.uint8)
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    return png((40, 28), 16, color, np.pad(lines, ((0, 0), (1, 0))).tobytes(), *extra)


def interlaced_png() -> bytes:
    """Return eight by eight gray pixels in Adam7's seven passes (PNG specification, 8.2)."""
    gray = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    passes = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2)]
    passes.append((1, 2, 0, 1))
    parts = (gray[top::down, left::along] for top, down, left, along in passes)
    rows = b"".join(b"\0" + line.tobytes() for part in parts for line in part)
    return png((8, 8), 8, 0, rows, interlaced=True)


def oriented(orientation: int) -> Image.Exif:
    """Return EXIF of a camera held so, with a description and a lens."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x010F] = orientation, "A street in spring", "Maker"
    exif.get_ifd(0x8769)[0xA434] = "A lens"
    return exif


def animated(kind: str) -> bytes:
    """Return a file of three frames or pages."""
    others = [Image.new("RGB", (40, 28), color) for color in ("blue", "lime")]
    data = encoded(picture(), kind, save_all=True, append_images=others)
    return timeless(data) if kind == "AVIF" else data


def timeless(avif: bytes) -> bytes:
    """Return an animated AVIF that does not tell when it was made (ISO/IEC 14496-12, 8.2.2)."""
    data = bytearray(avif)
    for box in (b"mvhd", b"tkhd", b"mdhd"):
        place = data.index(box)
        long = data[place + 4] == 1
        data[place + 8 : place + (24 if long else 16)] = bytes(16 if long else 8)
    return bytes(data)
