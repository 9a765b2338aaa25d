"""ICC profiles written by hand (ICC.1:2004-10), whose effect is known in closed form."""

import struct

import numpy as np

D50 = (0.9642, 1.0, 0.8249)
# Linear RGB to XYZ of D50, from Lindbloom's tables.
ADOBE = (
    (0.6097559, 0.3111242, 0.0194811),
    (0.2052401, 0.6256560, 0.0608902),
    (0.1492240, 0.0632197, 0.7448387),
)
SRGB = (
    (0.4360747, 0.2225045, 0.0139322),
    (0.3850649, 0.7168786, 0.0971045),
    (0.1430804, 0.0606169, 0.7141733),
)


def gray_profile(gamma: float) -> bytes:
    """Return the profile of gray whose linear value is value ** gamma."""
    return profile(b"GRAY", b"XYZ ", {b"wtpt": xyz(D50), b"kTRC": curve(gamma)})


def rgb_profile(
    primaries: tuple[tuple[float, ...], ...] = ADOBE,
    gamma: float = 2.2,
    transfer: bytes | None = None,
) -> bytes:
    """Return a profile of three primaries (XYZ of D50, one a row) and one gamma or other curve."""
    tags = {b"wtpt": xyz(D50)}
    for letter, primary in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags |= {letter + b"XYZ": xyz(primary), letter + b"TRC": transfer or curve(gamma)}
    return profile(b"RGB ", b"XYZ ", tags)


def cmyk_profile() -> bytes:
    """Return a profile of four inks that all darken alike: L = 100 (1-C)(1-M)(1-Y)(1-K), no color.

    Between the corners of its table, lcms interpolates; at them the value is exact.
    """
    ramp = bytes(range(256))
    corners = np.full((16, 3), 128, dtype=np.uint8)
    corners[:, 0] = 0
    corners[0, 0] = 255
    identity = struct.pack(">9i", *(0x10000 * int(i == j) for i in range(3) for j in range(3)))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity
    table += ramp * 4 + corners.tobytes() + ramp * 3
    return profile(b"CMYK", b"Lab ", {b"wtpt": xyz(D50), b"A2B0": table}, b"prtr")


def profile(
    space: bytes, connection: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr"
) -> bytes:
    """Put tags together to a profile of version 2.1."""
    name = b"made by hand\0"
    tags = tags | {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
    }
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for tag, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        table += tag + struct.pack(">II", place + len(body), len(data))
        body += padded
    length = 128 + 4 + len(table) + len(body)
    header = struct.pack(">I4sI", length, bytes(4), 0x02100000) + kind + space + connection
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += xyz(D50)[8:] + bytes(48)
    assert len(header) == 128
    return header + struct.pack(">I", len(tags)) + table + body


def xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def table(values: np.ndarray) -> bytes:
    """Return a curve through values of 0..1 at even steps."""
    levels = np.round(values * 65535).astype(">u2")
    return b"curv" + bytes(4) + struct.pack(">I", len(levels)) + levels.tobytes()


def parametric(function: int, *parameters: float) -> bytes:
    """Return a curve by its function and parameters (ICC.1:2022, table 68)."""
    numbers = (round(value * 65536) for value in parameters)
    return b"para" + bytes(4) + struct.pack(f">HH{len(parameters)}i", function, 0, *numbers)
