"""A folder of photographs for whole pipelines: good ones, and one of each broken kind."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

GOOD, MUTED = 24, 4
SIDE = 80
ORIENTATION = 0x0112
LYING_LEFT = 6


def good(number: int, strength: float = 1.0) -> Image.Image:
    """Make a smooth, colorful picture, another one for each number."""
    patches = np.random.default_rng(number).integers(0, 256, (5, 5, 3)).astype(float)
    mild = patches.mean(2, keepdims=True) * (1 - strength) + patches * strength
    picture = Image.fromarray(mild.astype(np.uint8))
    return picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def bomb() -> bytes:
    """Return a PNG of a few bytes that claims to have 3,600 megapixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def rotated() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = LYING_LEFT
    return encoded(good(105).crop((0, 0, 80, 60)), exif=exif)


def animated() -> bytes:
    frames = [good(number) for number in (106, 107, 108)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def deep_gray() -> bytes:
    levels = np.random.default_rng(109).integers(0, 2**16, (SIDE, SIDE), dtype=np.uint16)
    return encoded(Image.fromarray(levels), "PNG")


def with_alpha() -> bytes:
    picture = good(104)
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return encoded(picture, "PNG")


# Name, bytes, and what the filter says of it: an empty reason keeps it.
KINDS: dict[str, tuple[Callable[[], bytes], str]] = {
    "truncated.jpg": (lambda: encoded(good(100))[:900], "corrupt"),
    "zero-byte.jpg": (lambda: b"", "corrupt"),
    "no-picture.jpg": (lambda: b"These are words.", "corrupt"),
    "bomb.png": (bomb, "too large"),
    "one-by-one.png": (lambda: encoded(Image.new("RGB", (1, 1), "red"), "PNG"), "too small"),
    "sixteen-bit.png": (deep_gray, "gray"),
    "gray.jpg": (lambda: encoded(good(101).convert("L")), "gray"),
    "pale.png": (lambda: encoded(good(102, 0.03), "PNG"), "not colorful"),
    "same-bytes.png": (lambda: encoded(good(0), "PNG"), "duplicate"),
    "same-picture.webp": (lambda: encoded(good(1), "WEBP", quality=95), "near duplicate"),
    "cmyk.jpg": (lambda: encoded(good(103).convert("CMYK")), ""),
    "alpha.png": (with_alpha, ""),
    "palette.png": (lambda: encoded(good(110).quantize(64), "PNG"), ""),
    "rotated.jpg": (rotated, ""),
    "animated.gif": (animated, ""),
}


def write_photographs(folder: Path) -> None:
    """Write the good ones, then the odd ones whose names come later, as copies do."""
    (folder / "good").mkdir(parents=True)
    for number in range(GOOD):
        strength = 0.4 if number >= GOOD - MUTED else 1.0
        data = encoded(good(number, strength), "PNG")
        (folder / "good" / f"{number:02d}.png").write_bytes(data)
    (folder / "odd").mkdir()
    for name, (make, _) in KINDS.items():
        (folder / "odd" / name).write_bytes(make())
    (folder / "odd" / "words.txt").write_text("No picture by its name.")
    (folder / "odd" / "link.png").symlink_to(folder / "good" / "00.png")
