"""The prior on the ab plane, every bin in its own color."""

from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from photochrom.color.lab import lab_to_rgb
from photochrom.data.prior import Prior
from photochrom.pictures.drawing import save_figure

LIGHTNESS = 60.0
"""The L at which the ab plane is drawn."""


def draw_prior(prior: Prior, path: Path) -> None:
    """Draw the bins on the ab plane in their own colors: how frequent, and how they weigh."""
    figure = Figure((10.0, 4.6), layout="constrained")
    frequency = np.log10(prior.prior / prior.prior.max() + 1e-12).clip(-5, 0) / 5 + 1
    titles = ("How frequent (area, logarithmic)", "How much a pixel weighs (area)")
    sizes = (frequency, prior.weights / prior.weights.max())
    for axes, title, size in zip(figure.subplots(1, 2), titles, sizes, strict=True):
        axes.scatter(
            prior.centers[:, 0], prior.centers[:, 1], s=4 + 130 * size, c=_own_colors(prior.centers)
        )
        axes.set(title=title, xlabel="a", ylabel="b", aspect="equal", facecolor="#f4f4f4")
    save_figure(figure, path)


def _own_colors(centers: np.ndarray) -> np.ndarray:
    ab = torch.from_numpy(centers.T.copy())[:, :, None]
    lab = torch.cat((torch.full_like(ab[:1], LIGHTNESS), ab))
    colors: np.ndarray = lab_to_rgb(lab)[:, :, 0].T.numpy()
    return colors
