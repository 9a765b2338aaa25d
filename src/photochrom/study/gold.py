"""Fakes that anyone should see through: the true colors, strongly and wrongly turned.

They stand in for colorizations in practice and gold trials, so that these need no model, and no
photograph that a model is judged on.
"""

import numpy as np

from photochrom.color.lab import AB_OFFSET

CHROMA = 2.0
"""By how much the colors of a fake are stronger than the true ones."""


def constructed_fake(stored: np.ndarray, turn: int) -> np.ndarray:
    """Turn every hue of a photograph and double its chroma; its lightness is kept.

    Parameters
    ----------
    stored : uint8 array (3, S, S) of eight-bit Lab, as the Lab shards hold it.
    turn : degrees in the ab plane; 180 gives every color its opposite.

    Returns
    -------
    uint8 array of the same kind; what eight bits cannot hold is clipped.
    """
    angle = np.deg2rad(turn)
    a, b = stored[1:].astype(np.float64) - AB_OFFSET
    turned_a = CHROMA * (np.cos(angle) * a - np.sin(angle) * b)
    turned_b = CHROMA * (np.sin(angle) * a + np.cos(angle) * b)
    ab = np.stack((turned_a, turned_b)).round() + AB_OFFSET
    return np.concatenate((stored[:1], ab.clip(0, 255).astype(np.uint8)))
