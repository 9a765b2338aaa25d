"""A zoo of inputs: every format, mode, depth, orientation and size, and every way to be broken.

Each is made when its ``data`` is first asked for, always the same. The library, the command line
and the service are tested with all of them.
"""

import struct
from collections.abc import Callable, Iterator

import numpy as np

from broken_kit import of_cut_files, of_lying_headers, of_no_pictures
from files_kit import (
    Input,
    animated,
    chunk,
    deep,
    deep_png,
    encoded,
    interlaced_png,
    oriented,
    picture,
    png,
    scene,
    tiff,
)
from profiles_kit import cmyk_profile, gray_profile, rgb_profile


def of_pillow() -> Iterator[Input]:
    """Yield every format and mode that Pillow writes."""
    modes = {
        ("PNG", ".png"): ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
        ("JPEG", ".jpg"): ("L", "RGB", "CMYK", "YCbCr"),
        ("TIFF", ".tif"): (
            "1",
            "L",
            "LA",
            "P",
            "RGB",
            "RGBA",
            "CMYK",
            "YCbCr",
            "LAB",
            "I;16",
            "I",
            "F",
        ),
        ("GIF", ".gif"): ("1", "L", "P", "RGBA"),
        ("BMP", ".bmp"): ("1", "L", "P", "RGB", "RGBA"),
        ("WEBP", ".webp"): ("L", "RGB", "RGBA"),
        ("AVIF", ".avif"): ("L", "RGB", "RGBA"),
        ("JPEG2000", ".jp2"): ("L", "LA", "RGB", "RGBA", "I;16"),
        ("PPM", ".ppm"): ("1", "L", "RGB", "I;16", "F"),
    }
    for (kind, suffix), those in modes.items():
        for mode in those:
            name = f"{kind}-{mode}".lower().replace(";", "")
            yield good(name, suffix, lambda kind=kind, mode=mode: encoded(picture(mode), kind))


def good(name: str, suffix: str, make: Callable[[], bytes]) -> Input:
    """Return an input that is to be colored."""
    return Input(name, suffix, "colored", make)


def of_png() -> Iterator[Input]:
    """Yield PNGs that Pillow does not write by itself."""
    for channels, name in ((2, "la"), (3, "rgb"), (4, "rgba")):
        yield good(f"png-{name}16", ".png", lambda n=channels: deep_png(n))
    for bits in (2, 4):
        line = b"\0" + bytes([0b00011011]) * (5 * bits)
        yield good(f"png-l{bits}", ".png", lambda b=bits, row=line: png((40, 9), b, 0, row * 9))
    yield good("png-interlaced", ".png", interlaced_png)
    clear = chunk(b"tRNS", struct.pack(">H", 257))
    yield good("png-l16-transparent-gray", ".png", lambda: deep_png(1, clear))
    used = int(np.asarray(picture("P"))[0, 0])
    yield good("png-p-transparent", ".png", lambda: encoded(picture("P"), "PNG", transparency=used))
    fading = bytes(range(256))
    yield good("png-p-fading", ".png", lambda: encoded(picture("P"), "PNG", transparency=fading))
    yield good(
        "png-rgb-transparent", ".png", lambda: encoded(picture(), "PNG", transparency=(0, 51, 204))
    )
    yield good("png-animated", ".png", lambda: animated("PNG"))


def of_jpeg() -> Iterator[Input]:
    """Yield kinds of JPEG."""
    yield good("jpeg-progressive", ".jpg", lambda: encoded(picture(), "JPEG", progressive=True))
    yield good("jpeg-full-chroma", ".jpg", lambda: encoded(picture(), "JPEG", subsampling=0))
    yield good("jpeg-several", ".jpg", lambda: animated("MPO"))
    yield good("jpeg-then-more", ".jpg", lambda: encoded(picture(), "JPEG") + b"\0more" * 50)
    for orientation in range(1, 9):
        for kind, suffix in (("JPEG", ".jpeg"), ("TIFF", ".tiff")):
            yield good(
                f"{kind.lower()}-orientation-{orientation}",
                suffix,
                lambda kind=kind, turn=orientation: encoded(picture(), kind, exif=oriented(turn)),
            )
    yield good("png-orientation-6", ".png", lambda: encoded(picture("LA"), "PNG", exif=oriented(6)))
    yield good("webp-orientation-8", ".webp", lambda: encoded(picture(), "WEBP", exif=oriented(8)))


def of_tiff() -> Iterator[Input]:
    """Yield kinds of TIFF, the format of scanners."""
    for packing in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"):
        yield good(
            f"tiff-{packing}", ".tif", lambda p=packing: encoded(picture(), "TIFF", compression=p)
        )
    yield good("tiff-fax", ".tif", lambda: encoded(picture("1"), "TIFF", compression="group4"))
    wide = np.stack([deep(), deep()[::-1], deep()[:, ::-1]], -1)
    clear = np.concatenate([wide, deep()[..., None]], -1)
    yield good("tiff-l16-big-endian", ".tif", lambda: tiff(deep(), byteorder=">"))
    yield good("tiff-l16-white-is-zero", ".tif", lambda: tiff(deep(), photometric="miniswhite"))
    yield good(
        "tiff-l-white-is-zero", ".tif", lambda: tiff(scene()[..., 0], photometric="miniswhite")
    )
    yield good(
        "tiff-l16-lzw", ".tif", lambda: encoded(picture("I;16"), "TIFF", compression="tiff_lzw")
    )
    yield good("tiff-rgb16", ".tif", lambda: tiff(wide))
    yield good("tiff-rgb16-deflate", ".tif", lambda: tiff(wide, compression="zlib", predictor=True))
    yield good(
        "tiff-rgb16-planes", ".tif", lambda: tiff(np.moveaxis(wide, -1, 0), planarconfig="separate")
    )
    yield good("tiff-rgb16-tiles", ".tif", lambda: tiff(wide, tile=(16, 16)))
    yield good("tiff-rgba16", ".tif", lambda: tiff(clear, extrasamples=["unassalpha"]))
    yield good("tiff-bigtiff", ".tif", lambda: tiff(scene(), bigtiff=True))
    yield good("tiff-pages", ".tif", lambda: animated("TIFF"))


def of_animations() -> Iterator[Input]:
    """Yield animations, of which the first frame is colored."""
    for kind, suffix in (("GIF", ".gif"), ("WEBP", ".webp"), ("AVIF", ".avif")):
        yield good(f"{kind.lower()}-animated", suffix, lambda kind=kind: animated(kind))


def of_sizes() -> Iterator[Input]:
    """Yield the smallest, the narrowest and the oddest sizes."""
    sizes = [(1, 1), (1, 2), (2, 1), (3, 3), (9, 7), (1, 5000), (5000, 1), (20_000, 3), (3, 20_000)]
    for width, height in sizes:
        name = f"size-{width}x{height}"
        yield good(name, ".png", lambda w=width, h=height: encoded(picture("L", w, h), "PNG"))
    yield good("size-1x1-jpeg", ".jpg", lambda: encoded(picture("L", 1, 1), "JPEG"))
    yield good("size-1x1-16", ".tif", lambda: encoded(picture("I;16", 1, 1), "TIFF"))
    yield good("size-20000x3-rgb", ".jpg", lambda: encoded(picture("RGB", 20_000, 3), "JPEG"))


def of_profiles() -> Iterator[Input]:
    """Yield pictures with ICC profiles, fitting and unfitting ones."""
    fitting = {"L": gray_profile(1.8), "RGB": rgb_profile(), "CMYK": cmyk_profile()}
    for mode, profile in fitting.items():
        yield with_profile(f"profile-{mode}", mode, profile)
    yield good(
        "profile-l16",
        ".tif",
        lambda: encoded(picture("I;16"), "TIFF", icc_profile=gray_profile(1.8)),
    )
    yield with_profile("profile-of-gray-in-color", "RGB", gray_profile(1.8))
    yield with_profile("profile-of-color-in-gray", "L", rgb_profile())
    yield with_profile("profile-of-inks-in-color", "RGB", cmyk_profile())
    yield with_profile("profile-garbage", "RGB", b"no profile at all" * 20)
    yield with_profile("profile-cut-off", "RGB", rgb_profile()[:200])


def with_profile(name: str, mode: str, profile: bytes) -> Input:
    """Return a JPEG that carries a profile."""
    return good(name.lower(), ".jpg", lambda: encoded(picture(mode), "JPEG", icc_profile=profile))


def of_metadata() -> Iterator[Input]:
    """Yield pictures whose metadata or names are wrong, which are pictures nevertheless."""
    garbage = b"Exif\0\0II*\0\x08\0\0\0" + b"\xff" * 60
    yield good("exif-garbage", ".jpg", lambda: encoded(picture(), "JPEG", exif=garbage))
    yield good("exif-orientation-99", ".jpg", lambda: encoded(picture(), "JPEG", exif=oriented(99)))
    yield good("xmp-garbage", ".jpg", lambda: encoded(picture(), "JPEG", xmp=b"<x:xmpmeta <<<"))
    yield good("resolution-zero", ".png", lambda: encoded(picture(), "PNG", dpi=(0, 0)))
    yield good("png-called-jpg", ".jpg", lambda: encoded(picture(), "PNG"))
    yield good("tiff-called-png", ".png", lambda: encoded(picture("I;16"), "TIFF"))


INPUTS: tuple[Input, ...] = (
    *of_pillow(),
    *of_png(),
    *of_jpeg(),
    *of_tiff(),
    *of_animations(),
    *of_sizes(),
    *of_profiles(),
    *of_metadata(),
    *of_no_pictures(),
    *of_cut_files(),
    *of_lying_headers(),
)
"""Every kind of input, the ones that are colored first."""
