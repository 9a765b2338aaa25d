"""Photographs that come as arrays."""

import numpy as np

from photochrom.pictures.opening import BadPhotographError, refuse_more_than
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.strips import rounded

SHAPES = "(H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4)"


def from_array(array: np.ndarray, max_megapixels: float) -> Photograph:
    """Take an array for a photograph in sRGB.

    Parameters
    ----------
    array : (H, W) or (H, W, 1) gray, (H, W, 2) gray with alpha, (H, W, 3) color, (H, W, 4) color
        with alpha, in any memory order: uint8, uint16, bool, or floats in 0..1.
    max_megapixels : larger ones are refused.

    Returns
    -------
    The photograph; floats become uint16, bools uint8. Where it can, it shares the array's memory.

    Raises
    ------
    BadPhotographError
        For other shapes and types, for numbers out of 0..1, and for an empty array.
    """
    _refuse_shape(array)
    refuse_more_than(max_megapixels, (array.shape[1], array.shape[0]))
    levels = _levels(np.asarray(array))
    if levels.ndim == 2:
        return Photograph(np.ascontiguousarray(levels))
    channels = levels.shape[2]
    pixels = levels[..., 0] if channels < 3 else levels[..., :3]
    alpha = _eight_bits(levels[..., -1]) if channels in (2, 4) else None
    return Photograph(np.ascontiguousarray(pixels), alpha)


def _refuse_shape(array: np.ndarray) -> None:
    shape = " x ".join(map(str, array.shape)) or "no dimensions"
    if array.ndim not in (2, 3) or (array.ndim == 3 and not 1 <= array.shape[2] <= 4):
        raise _refusal(f"An array of {shape} is no photograph: give one of shape {SHAPES}.")
    if array.size == 0:
        raise _refusal(f"An array of {shape} holds no pixel.")


def _levels(array: np.ndarray) -> np.ndarray:
    """Return uint8 or uint16 of the machine's byte order."""
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if np.issubdtype(array.dtype, np.floating):
        return _of_floats(array)
    if array.dtype.kind != "u" or array.dtype.itemsize > 2:
        raise _refusal(
            f"An array of {array.dtype} is no photograph: give uint8, uint16, bool, or floats "
            "from 0 to 1."
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _of_floats(array: np.ndarray) -> np.ndarray:
    low, high = float(array.min()), float(array.max())
    if not (low >= 0.0 and high <= 1.0):  # So that NaN is refused too.
        said = "hold NaN" if np.isnan(low + high) else f"reach from {low:g} to {high:g}"
        raise _refusal(f"This array's numbers {said}: give floats from 0 to 1.")
    wide = array if array.dtype.itemsize > 2 else array.astype(np.float32)
    levels: np.ndarray = np.round(wide * 65535.0).astype(np.uint16)
    return levels


def _eight_bits(alpha: np.ndarray) -> np.ndarray:
    return rounded(alpha) if alpha.dtype == np.uint16 else np.ascontiguousarray(alpha)


def _refusal(sentence: str) -> BadPhotographError:
    return BadPhotographError("corrupt", sentence)
