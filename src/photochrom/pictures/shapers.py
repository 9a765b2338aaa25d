"""ICC profiles of curves and primaries, at 16 bits, which Pillow's converter does not offer."""

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

LEVELS = 65536
HEADER, ENTRY = 128, 12
# XYZ (D50) of sRGB's primaries, a column each (Lindbloom, "RGB/XYZ matrices", Bradford-adapted).
SRGB_TO_XYZ = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
# Parameters g a b c d e f of a `para` curve by its function (ICC.1:2022, table 68).
PARAMETERS = ("g", "gab", "gabc", "gabcd", "gabcdef")


@dataclass(frozen=True, eq=False)
class Shaper:
    """A profile's way to linear light.

    Attributes
    ----------
    curves : float32 (1 or 3, 65536), linear light of each level of 16 bits, black at 0.
    matrix : (3, 3) from that to linear sRGB; None for gray, whose linear light is luminance.
    """

    curves: np.ndarray
    matrix: np.ndarray | None

    def gray_table(self) -> np.ndarray:
        """Return sRGB's gray of each gray level, uint16 (65536,).

        The neutral colors of a profile of RGB have the luminance that its primaries sum up to.
        """
        if self.matrix is None:
            return encode(self.curves[0])
        luminance = (SRGB_TO_XYZ @ self.matrix)[1]
        return encode(luminance @ self.curves)

    def color(self, pixels: np.ndarray) -> np.ndarray:
        """Convert colors to sRGB, uint16 (..., 3); what lies out of its gamut is cut off."""
        assert self.matrix is not None
        channels = [curve[pixels[..., place]] for place, curve in enumerate(self.curves)]
        return encode(np.stack(channels, -1) @ self.matrix.T.astype(np.float32))


@lru_cache(maxsize=8)
def read_shaper(profile: bytes) -> Shaper | None:
    """Read a profile of gray or of RGB; None for one that is damaged or works by a table of colors.

    Source: ICC.1:2022, 8.3 and 8.4; black point compensation as in ISO 18619.
    """
    try:
        return _shaper(profile)
    except (struct.error, ValueError, IndexError, KeyError):
        return None


def _shaper(profile: bytes) -> Shaper | None:
    tags = _tags(profile)
    space, connection = profile[16:20], profile[20:24]
    if space == b"GRAY":
        curve = _compensated(_curve(tags[b"kTRC"]))
        return Shaper((_luminance(curve) if connection == b"Lab " else curve)[None], None)
    if space != b"RGB " or connection != b"XYZ " or b"A2B0" in tags or b"A2B1" in tags:
        return None
    curves = [_compensated(_curve(tags[name])) for name in (b"rTRC", b"gTRC", b"bTRC")]
    primaries = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    return Shaper(np.stack(curves), np.linalg.inv(SRGB_TO_XYZ) @ np.array(primaries).T)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, HEADER)
    tags = {}
    for place in range(min(count, 100)):
        entry = struct.unpack_from(">4sII", profile, HEADER + 4 + ENTRY * place)
        name, start, length = entry
        if start + length > len(profile):
            raise ValueError("a tag lies beyond the profile's end")
        tags[name] = profile[start : start + length]
    return tags


def _xyz(data: bytes) -> tuple[float, ...]:
    return tuple(value / 65536 for value in struct.unpack_from(">3i", data, 8))


def _curve(data: bytes) -> np.ndarray:
    """Return a curve's value (0..1) at each of 65536 levels."""
    levels = np.linspace(0.0, 1.0, LEVELS)
    if data[:4] == b"para":
        return _parametric(data, levels)
    if data[:4] != b"curv":
        raise ValueError("a curve of unknown type")
    (count,) = struct.unpack_from(">I", data, 8)
    if count == 0:
        return levels
    values = np.frombuffer(data, ">u2", count, 12)
    if count == 1:
        gamma: np.ndarray = levels ** (int(values[0]) / 256)
        return gamma
    return np.interp(levels, np.linspace(0.0, 1.0, count), values / 65535)


def _parametric(data: bytes, levels: np.ndarray) -> np.ndarray:
    """Compute a `para` curve: (a x + b)^g + e from d on, c x + f below."""
    (function,) = struct.unpack_from(">H", data, 8)
    names = PARAMETERS[function]
    found = struct.unpack_from(f">{len(names)}i", data, 12)
    p = dict.fromkeys("abcdef", 0.0) | {"a": 1.0}
    p |= {name: value / 65536 for name, value in zip(names, found, strict=True)}
    if function in (1, 2):
        # Below -b/a the curve is level: at 0, or at c, which then is the offset of all of it.
        p["d"], p["e"], p["f"], p["c"] = -p["b"] / p["a"], p["c"], p["c"], 0.0
    power = np.maximum(p["a"] * levels + p["b"], 0.0) ** p["g"] + p["e"]
    value: np.ndarray = np.where(levels >= p["d"], power, p["c"] * levels + p["f"])
    return value.clip(0.0, 1.0)


def _compensated(curve: np.ndarray) -> np.ndarray:
    """Move black to 0 and leave white, in linear light."""
    black = min(float(curve[0]), 0.5)
    moved: np.ndarray = ((curve - black) / (1.0 - black)).clip(0.0, 1.0).astype(np.float32)
    return moved


def _luminance(lightness: np.ndarray) -> np.ndarray:
    """Return Y (0..1) of L*/100 (CIE 15:2018, eq. 8.5 inverted)."""
    f = (100.0 * lightness + 16.0) / 116.0
    y: np.ndarray = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return y.astype(np.float32)


def encode(linear: np.ndarray) -> np.ndarray:
    """Encode linear light (0..1, cut off beyond) for sRGB in 16 bits (IEC 61966-2-1)."""
    linear = linear.clip(0.0, 1.0)
    low = linear <= 0.0031308
    encoded = np.where(low, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055)
    levels: np.ndarray = np.round(encoded * 65535).astype(np.uint16)
    return levels
