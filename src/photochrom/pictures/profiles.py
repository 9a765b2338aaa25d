"""ICC profiles: what a file's numbers mean as colors, brought to sRGB."""

import io
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from PIL import Image, ImageCms

from photochrom.pictures.modes import is_deep, scaled_to_8_bits

LEFT_ASIDE = (
    "Its color profile is damaged, or is made for another kind of color: it was left aside."
)
SPACES = {"GRAY": ("L",), "RGB": ("L", "RGB"), "CMYK": ("CMYK",)}
"""Which modes of Pillow a profile fits, by its color space."""
COMPENSATION = ImageCms.Flags.BLACKPOINTCOMPENSATION


@dataclass(frozen=True)
class Conversion:
    """The way of a mode's pixels to sRGB; without a profile, and from sRGB, they stay as they are.

    Attributes
    ----------
    transform : for modes RGB and CMYK.
    table : for mode L: 256 gray levels, none other than one of sRGB.
    note : why the profile could not be used; None where it could.
    """

    transform: ImageCms.ImageCmsTransform | None = None
    table: tuple[int, ...] | None = None
    note: str | None = None

    @property
    def changes(self) -> bool:
        """Whether the pixels are other ones in sRGB."""
        return self.transform is not None or self.table is not None

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return pixels of the mode in sRGB: L stays L, RGB and CMYK become RGB."""
        if self.table is not None:
            return image.point(self.table)
        if self.transform is None:
            return image if image.mode in ("L", "RGB") else image.convert("RGB")
        converted = ImageCms.applyTransform(image, self.transform)
        assert converted is not None  # Only in place it would be.
        return converted


@lru_cache(maxsize=32)
def conversion(profile: bytes | None, mode: str) -> Conversion:
    """Find the way from a profile to sRGB.

    Colors are matched relative to the white of the medium, with black point compensation, as is
    usual for photographs (ICC.1:2022, D.6). An sRGB profile is known by what it does: it moves no
    color of a test chart by more than one level of 255.

    Parameters
    ----------
    profile : the ICC profile; None where there is none.
    mode : ``L``, ``RGB`` or ``CMYK``. The neutral colors of an RGB profile serve for ``L``.
    """
    if not profile:
        return Conversion()
    try:
        return _fitting(profile, mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return Conversion(note=LEFT_ASIDE)


def _fitting(profile: bytes, mode: str) -> Conversion:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    if mode not in SPACES.get(space, ()):
        return Conversion(note=LEFT_ASIDE)
    seen_as = "L" if space == "GRAY" else space
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        seen_as,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        # For a table of 256 entries it need not be quick, and is true to half a level.
        COMPENSATION | ImageCms.Flags.NOOPTIMIZE if mode == "L" else COMPENSATION,
    )
    if mode == "L":
        return _of_gray(transform, seen_as)
    return Conversion(transform) if mode == "CMYK" or _moves(transform) else Conversion()


def _of_gray(transform: ImageCms.ImageCmsTransform, seen_as: str) -> Conversion:
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None]).convert(seen_as)
    converted = ImageCms.applyTransform(ramp, transform)
    assert converted is not None
    # Green stands for the luminance where an RGB profile's neutral colors are not quite neutral.
    levels = np.asarray(converted)[0, :, 1].astype(int)
    unmoved = np.abs(levels - np.arange(256)).max() <= 1
    return Conversion() if unmoved else Conversion(table=tuple(levels.tolist()))


def _moves(transform: ImageCms.ImageCmsTransform) -> bool:
    """Return whether a transform moves a color of the test chart by more than one level."""
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    chart = np.concatenate((cube, ramp))[None]
    converted = ImageCms.applyTransform(Image.fromarray(chart), transform)
    return bool(np.abs(np.asarray(converted).astype(int) - chart).max() > 1)


def embedded(image: Image.Image) -> bytes | None:
    """Return the ICC profile that a picture's pixels go by; those of Lab need none."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and image.mode != "LAB" else None


def base_mode(image: Image.Image) -> str:
    """Return the mode that a picture is converted from, once its transparency is apart."""
    if image.mode in ("1", "L", "LA", "La"):
        return "L"
    return "CMYK" if image.mode == "CMYK" else "RGB"


def to_srgb(image: Image.Image) -> Image.Image:
    """Convert a picture that carries a profile to eight bits of sRGB; keep transparency.

    Returns
    -------
    The same picture where it has no profile, an unfitting one or sRGB's. Else L, LA, RGB or RGBA,
    without the profile.
    """
    profile = embedded(image)
    if not profile:
        return image
    found = conversion(profile, "L" if is_deep(image) else base_mode(image))
    if not found.changes:
        return image
    converted = found(scaled_to_8_bits(image) if is_deep(image) else plain(image))
    if image.has_transparency_data:
        converted.putalpha(opacity(image))
    converted.info.pop("icc_profile", None)
    converted.info.pop("transparency", None)
    return converted


def plain(image: Image.Image) -> Image.Image:
    """Return a picture in its base mode, its transparency taken off."""
    image, mode = _divided(image), base_mode(image)
    return image if image.mode == mode else image.convert(mode)


def opacity(image: Image.Image) -> Image.Image:
    """Return the opacity of a picture that has transparency, mode L."""
    return _divided(image).convert("RGBA").getchannel("A")


def _divided(image: Image.Image) -> Image.Image:
    """Undo the multiplication of colors by their opacity in the modes that have it."""
    divided = {"La": "LA", "RGBa": "RGBA"}.get(image.mode)
    return image if divided is None else image.convert(divided)


@cache
def srgb_profile() -> bytes:
    """Return an ICC profile of sRGB, always the same bytes."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Bytes 24 to 35 hold the time of making (ICC.1:2022, 7.2.1): the day sRGB was published.
    made[24:36] = bytes((7, 0xCF, 0, 10, 0, 18)) + bytes(6)
    return bytes(made)
