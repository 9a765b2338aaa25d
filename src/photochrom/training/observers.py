"""Who looks on while a model trains: the terminal, a sheet per epoch, MLflow."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from photochrom.color.lab import decode_lab, lab_to_rgb8
from photochrom.colorizer.prediction import Predictor
from photochrom.data.shards import LabSet
from photochrom.files import whole_file
from photochrom.objectives import Task
from photochrom.pictures.drawing import sheet
from photochrom.progress import say
from photochrom.tracking import Mirror
from photochrom.training.history import Observer, Row

SAMPLES = "samples"
PREVIEW_SIDE = 96


class Log:
    """Prints a line per epoch, and what its numbers warn of."""

    def __init__(self, name: str, epochs: int, task: Task) -> None:
        self._name, self._epochs, self._task = name, epochs, task

    def epoch(self, row: Row, network: nn.Module) -> None:
        """Print the losses and the speed."""
        epoch = f"{self._name} epoch {row['epoch']:.0f}"
        say(
            f"{epoch} of {self._epochs}: "
            f"loss {row['train/loss']:.4f}, validation {row['validation/loss']:.4f}, "
            f"{row['images_seen'] / row['seconds']:.0f} photographs per second"
        )
        for remark in self._task.remarks(row):
            say(f"{epoch}: {remark}")


class Previews:
    """Draws the same few validation photographs after each epoch: gray, colored, true."""

    def __init__(
        self, task: Task, photographs: LabSet, count: int, size: int, folder: Path, mirror: Mirror
    ) -> None:
        self._task, self._size = task, size
        self._folder, self._mirror = folder / SAMPLES, mirror
        self._stored = torch.from_numpy(photographs.take(photographs.spread(count)))

    def epoch(self, row: Row, network: nn.Module) -> None:
        """Write samples/epoch-NNN.jpg and show it in MLflow."""
        drawn = sheet(self._rows(network), side=PREVIEW_SIDE)
        with whole_file(self._folder / f"epoch-{int(row['epoch']):03d}.jpg") as path:
            drawn.save(path, "JPEG", quality=90)
        self._mirror.picture(np.asarray(drawn), int(row["images_seen"]))

    def _rows(self, network: nn.Module) -> list[list[np.ndarray]]:
        colorizer = Predictor(
            network=network,
            stride=self._task.network.stride,
            decoding=self._task.decoding,
            bins=self._task.bins,
            size=self._size,
            device=next(network.parameters()).device,
        )
        lab, training = decode_lab(self._stored), network.training
        network.eval()
        colored = torch.cat((lab[:, :1], colorizer.predict_ab(lab[:, :1])), dim=1)
        network.train(training)
        gray = torch.cat((lab[:, :1], torch.zeros_like(lab[:, 1:])), dim=1)
        return [list(lab_to_rgb8(part).movedim(1, -1).numpy()) for part in (gray, colored, lab)]


class Mirrored:
    """Shows the numbers of each epoch in MLflow."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    def epoch(self, row: Row, network: nn.Module) -> None:
        """Show them."""
        self._mirror.epoch(row)


class All:
    """Several observers as one."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def epoch(self, row: Row, network: nn.Module) -> None:
        """Tell each."""
        for observer in self._observers:
            observer.epoch(row, network)
