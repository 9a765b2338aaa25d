"""The features of all outputs and of all true photographs, gathered piece by piece."""

from pathlib import Path

import numpy as np

from photochrom.evaluation.perception.refusal import PerceptionError
from photochrom.files import whole_file

FILE = "features.npy"


class Gathered:
    """The features of all outputs of a colorizer and of the true photographs.

    Parameters
    ----------
    count : how many photographs there are, N.
    width : how many features each has, d.
    dtype : in which they are kept.
    truth : those of the true photographs (N, d) where they are known already.

    Attributes
    ----------
    outputs, truth : (N, d), in the order of the split; NaN where none were put yet.
    """

    def __init__(
        self, count: int, width: int, dtype: type[np.floating], truth: np.ndarray | None = None
    ) -> None:
        self.outputs = np.full((count, width), np.nan, dtype)
        self.knows_truth = truth is not None
        self.truth = np.full((count, width), np.nan, dtype) if truth is None else truth

    def both(self) -> tuple[np.ndarray, np.ndarray]:
        """Return outputs and truth.

        Raises
        ------
        ValueError
            If those of a photograph are missing.
        """
        if np.isnan(self.outputs).any() or np.isnan(self.truth).any():
            raise ValueError("Sets of photographs compare only when each of them was measured.")
        return self.outputs, self.truth


def read_features(details: Path, count: int, width: int) -> np.ndarray | None:
    """Return what :func:`write_features` kept in a folder, or None where it kept nothing.

    Raises
    ------
    PerceptionError
        If the file cannot be read, or is not of so many photographs and features.
    """
    path = details / FILE
    if not path.is_file():
        return None
    try:
        features: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise PerceptionError(
            f"{path} cannot be read: run `dvc repro --force baselines`."
        ) from None
    if features.shape != (count, width):
        raise PerceptionError(
            f"{path} is of shape {features.shape}, but the test photographs need "
            f"{(count, width)}: run `dvc repro baselines`."
        )
    return features


def write_features(details: Path, features: np.ndarray) -> None:
    """Keep features in a folder."""
    with whole_file(details / FILE) as path, path.open("wb") as stream:
        np.save(stream, features)
