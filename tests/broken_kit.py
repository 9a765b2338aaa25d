"""Files that are broken, lie about themselves, or are no photographs."""

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial

from files_kit import Input, chunk, encoded, noise, picture, png

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def broken(name: str, suffix: str, make: Callable[[], bytes]) -> Input:
    """Return an input that is to be refused as corrupt."""
    return Input(name, suffix, "corrupt", make)


def of_no_pictures() -> Iterator[Input]:
    """Yield what is no picture, by its name or in truth."""
    page = b"<!doctype html><title>404</title><p>Not found.</p>" * 20
    files = {
        "empty": (".jpg", b""),
        "text": (".jpg", b"This is a note and no photograph.\n" * 40),
        "web-page": (".jpg", page),
        "drawing": (".png", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"),
        "zeros": (".tif", bytes(5000)),
        "only-a-signature": (".jpg", b"\xff\xd8\xff"),
        "only-start-and-end": (".jpg", b"\xff\xd8\xff\xd9"),
        "only-a-png-signature": (".png", SIGNATURE),
        "archive": (".webp", b"PK\x03\x04" + bytes(300)),
    }
    for name, (suffix, data) in files.items():
        yield broken(name, suffix, lambda data=data: data)
    yield broken("postscript", ".jpg", lambda: encoded(picture(), "EPS"))
    yield broken("icon", ".png", lambda: encoded(picture(), "ICO"))


def of_cut_files() -> Iterator[Input]:
    """Yield files that end too early, as after a failed copy."""
    kinds = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "JPEG2000", "AVIF", "PPM")
    for kind in kinds:
        for percent in (2, 50, 90):
            name = f"{kind.lower()}-cut-at-{percent}-percent"
            yield broken(name, f".{kind.lower()}", partial(cut, kind, percent))


def cut(kind: str, percent: int) -> bytes:
    """Return the beginning of a file."""
    whole = encoded(noise(), kind)
    return whole[: percent * len(whole) // 100]


def of_lying_headers() -> Iterator[Input]:
    """Yield headers that promise more than there is, or more than is accepted."""
    row = b"\0" + bytes(40)
    # What is missing is black, as in a browser.
    few = png((40, 5000), 8, 0, row * 9)
    yield Input("png-of-5000-lines-with-9", ".png", "colored", lambda: few)
    yield broken("png-of-no-size", ".png", lambda: png((0, 0), 8, 0, b""))
    yield broken("png-with-a-wrong-checksum", ".png", wrong_checksum)
    yield broken("tiff-lzw-damaged", ".tif", damaged_codes)
    yield broken("tiff-strips-beyond-the-end", ".tif", strips_beyond_the_end)
    yield broken("png-text-that-unpacks", ".png", unpacking_text)
    lying = {
        "png": png((60_000, 60_000), 8, 2, row),
        "gif": b"GIF89a"
        + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0)
        + b"\x08\x00;",
        "bmp": b"BM"
        + struct.pack(
            "<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 90_000, 90_000, 1, 24, 0, 0, 0, 0, 0, 0
        ),
        "ppm": b"P6\n100000 100000\n255\n" + bytes(500),
    }
    for kind, data in lying.items():
        yield Input(f"{kind}-of-gigapixels", f".{kind}", "too large", lambda data=data: data)
    yield Input("jpeg-of-gigapixels", ".jpg", "too large", jpeg_of_gigapixels)
    yield Input("tiff-of-gigapixels", ".tif", "too large", tiff_of_gigapixels)
    yield Input("png-bomb", ".png", "too large", bomb)


def wrong_checksum() -> bytes:
    """Return a PNG in whose pixels one bit has turned."""
    data = bytearray(encoded(noise(), "PNG"))
    data[len(data) // 2] ^= 1
    return bytes(data)


def damaged_codes() -> bytes:
    """Return a TIFF some of whose codes do not exist: libtiff says so on the standard error."""
    data = bytearray(encoded(noise(), "TIFF", compression="tiff_lzw"))
    data[2000:2040] = b"\xff" * 40
    return bytes(data)


def strips_beyond_the_end() -> bytes:
    """Return a TIFF whose pixels lie behind the end of the file."""
    return little_tiff(16, 16, 100_000)


def tiff_of_gigapixels() -> bytes:
    """Return a TIFF of a few bytes that promises 60,000 x 60,000 pixels."""
    return little_tiff(60_000, 60_000, 8)


def little_tiff(width: int, height: int, place: int) -> bytes:
    """Return a TIFF of gray pixels that are said to lie at a place (TIFF 6.0, section 3)."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1)]
    entries += [(273, 4, place), (277, 3, 1), (278, 4, height), (279, 4, width * height)]
    tags = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + tags + bytes(4)


def jpeg_of_gigapixels() -> bytes:
    """Return a JPEG whose header says 65,000 x 65,000."""
    data = bytearray(encoded(picture(), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", 65_000, 65_000)
    return bytes(data)


def unpacking_text() -> bytes:
    """Return a PNG with a compressed text of 10 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(10)) + packer.flush()
    row = b"\0" + bytes(4)
    return png((4, 4), 8, 0, row * 4, chunk(b"zTXt", b"Comment\0\0" + packed))


def bomb() -> bytes:
    """Return a true PNG of 400 megapixels in 50 kB."""
    packer, lines = zlib.compressobj(1), bytes(2501 * 1000)
    packed = b"".join(packer.compress(lines) for _ in range(20)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0))
    return SIGNATURE + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
