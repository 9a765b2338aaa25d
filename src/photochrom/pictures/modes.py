"""From any mode of Pillow to eight-bit RGB."""

import numpy as np
from PIL import Image

BITS, PHOTOMETRIC, PLANES = 258, 262, 284


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any Pillow mode to eight-bit RGB, transparency laid on white."""
    if is_deep(image):
        return scaled_to_8_bits(image).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture has more than eight bits: Pillow's modes I;16, I and F."""
    return image.mode == "F" or image.mode.startswith("I")


def scaled_to_8_bits(image: Image.Image) -> Image.Image:
    """Convert a deep picture to L, from 65535 (integers) or its greatest value (floats)."""
    values = np.asarray(image).astype(np.float64)
    top = 65535.0 if image.mode.startswith("I") else max(float(np.nanmax(values)), 1.0)
    return Image.fromarray(np.nan_to_num(values * (255.0 / top)).clip(0, 255).astype(np.uint8))


def at_full_scale(image: Image.Image) -> Image.Image:
    """Let 0 be black and 65535 white in a TIFF of 12 or 16 bits, where Pillow leaves it otherwise.

    A TIFF may say that white is zero (TIFF 6.0, PhotometricInterpretation), as those of film
    scanners do; Pillow turns only eight bits. Twelve bits it leaves at 0..4095.
    """
    tags = getattr(image, "tag_v2", {})
    if not image.mode.startswith("I;16") or not tags:
        return image
    white_is_zero, bits = tags.get(PHOTOMETRIC) == 0, tags.get(BITS, (16,))[0]
    if not white_is_zero and bits == 16:
        return image
    values = np.asarray(image).astype(np.uint16)
    if bits < 16:
        values = np.round(values * (65535.0 / (2**bits - 1))).clip(0, 65535).astype(np.uint16)
    scaled = Image.fromarray(65535 - values if white_is_zero else values)
    scaled.info = dict(image.info)
    return scaled
