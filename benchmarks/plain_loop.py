"""A training loop of the usual kind: DataLoader workers, rgb2lab per photograph, float32."""

import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from measuring import Row
from photochrom import environment
from photochrom.networks import build_network
from photochrom.params.models import ClassificationParams, ModelParams
from scratch_project import Project

DECODED, FILES = "decoded photographs", "JPEG files"
KINDS = (DECODED, FILES)
GRID = 16


def possible() -> bool:
    """Return whether scikit-image is there."""
    return find_spec("skimage") is not None


class Photographs(Dataset[tuple[Tensor, Tensor]]):
    """Photographs as lightness (1, S, S) and ab (2, S, S), converted one at a time."""

    def __init__(self, read: list[Callable[[], np.ndarray]]) -> None:
        self._read = read

    def __len__(self) -> int:
        return len(self._read)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        from skimage.color import rgb2lab

        lab = rgb2lab(self._read[number]()).astype(np.float32)
        channels = torch.from_numpy(lab).permute(2, 0, 1)
        return channels[:1] / 50.0 - 1.0, channels[1:]


class Apart:
    """A plain loop in a process of its own, where nothing of this project has been set."""

    def __init__(
        self, model: ModelParams, kind: str, project: Project, device: torch.device
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, other_end = context.Pipe()
        arguments = (other_end, model, kind, project, device)
        self._process = context.Process(target=_serve, args=arguments)
        self._process.start()

    def epoch(self) -> float:
        """Train on every photograph once and return the mean loss."""
        self._line.send(True)
        loss: float = self._line.recv()
        return loss

    def close(self) -> None:
        """Stop the process and its workers."""
        self._line.send(False)
        self._process.join()


def _serve(
    line: Connection, model: ModelParams, kind: str, project: Project, device: torch.device
) -> None:
    loop = PlainLoop(model, kind, project, device)
    while line.recv():
        line.send(loop.epoch())
    loop.close()


class PlainLoop:
    """Trains a network of this project as a short script would.

    Float32, the default memory format, an optimizer that is not fused, ``loss.item()`` at each
    step. The workers live on between the epochs, which spares the loop their start.

    Parameters
    ----------
    kind : what is read for each photograph, one of :data:`KINDS`.
    project : the training photographs of its Lab shards are read, from where they came from.

    Attributes
    ----------
    readers : give the photographs (uint8 (S, S, 3)).
    """

    def __init__(
        self, model: ModelParams, kind: str, project: Project, device: torch.device
    ) -> None:
        objective = model.objective
        self._classes = isinstance(objective, ClassificationParams)
        channels = GRID * GRID if self._classes else 2
        self._network, self._device = build_network(model.network, channels).to(device), device
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=model.optimizer.lr)
        self.readers = _readers(project, kind)
        self._loader = DataLoader(
            Photographs(self.readers),
            batch_size=min(model.batch_size, self.photographs),
            shuffle=True,
            drop_last=True,
            num_workers=environment.cores(),
            persistent_workers=True,
            pin_memory=device.type == "cuda",
        )

    @property
    def photographs(self) -> int:
        """How many there are."""
        return len(self.readers)

    def epoch(self) -> float:
        """Train on every photograph once and return the mean loss."""
        losses = []
        for lightness, ab in self._loader:
            loss = self._loss(lightness.to(self._device), ab.to(self._device))
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            losses.append(loss.item())
        return float(np.mean(losses))

    def _loss(self, lightness: Tensor, ab: Tensor) -> Tensor:
        answer = self._network(lightness)
        if ab.shape[-2:] != answer.shape[-2:]:
            ab = F.adaptive_avg_pool2d(ab, answer.shape[-2:])
        if not self._classes:
            return F.mse_loss(answer, ab / 110.0)
        squares = ((ab + 128.0) / GRID).long().clamp(0, GRID - 1)
        return F.cross_entropy(answer, squares[:, 0] * GRID + squares[:, 1])

    def close(self) -> None:
        """Stop the workers."""
        del self._loader


def _readers(project: Project, kind: str) -> list[Callable[[], np.ndarray]]:
    folder, side = Path(project.params.data.path or ""), project.params.lab.size
    files = [_File(folder / name, side) for name in project.split("train").index["id"]]
    return [_Decoded(file()) for file in files] if kind == DECODED else list(files)


class _File:
    """Reads a JPEG and scales it to a square (uint8 (S, S, 3))."""

    def __init__(self, path: Path, side: int) -> None:
        self._path, self._side = path, side

    def __call__(self) -> np.ndarray:
        with Image.open(self._path) as picture:
            square = picture.convert("RGB").resize(
                (self._side, self._side), Image.Resampling.BICUBIC
            )
        return np.asarray(square)


class _Decoded:
    """Holds a square in memory (uint8 (S, S, 3))."""

    def __init__(self, pixels: np.ndarray) -> None:
        self._pixels = pixels

    def __call__(self) -> np.ndarray:
        return self._pixels


def with_speed(row: Row, photographs: int) -> Row:
    """Note how many photographs per second an epoch of so many photographs makes."""
    assert row.milliseconds is not None
    assert row.reference is not None
    ours, theirs = (1000 * photographs / t.median for t in (row.milliseconds, row.reference))
    return replace(row, note=f"{ours:.0f} against {theirs:.0f} photographs/s")
