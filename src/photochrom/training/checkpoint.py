"""Checkpoints: the whole state of a training, whole or absent on the disk."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from photochrom.files import whole_file, write_text


@dataclass(frozen=True)
class Checkpoints:
    """The place of one training's state.

    Attributes
    ----------
    folder : scratch that neither git nor DVC looks at.
    fingerprint : of parameters, data and code; a state of another fingerprint is thrown away.
    """

    folder: Path
    fingerprint: str

    def prepare(self) -> None:
        """Keep what belongs to this fingerprint, set another's aside, drop what is half-written.

        The state of another fingerprint goes to ``NAME.previous``, which holds one: whoever lowers
        a learning rate after a loss that was not finite can still look at it.
        """
        note = self.folder / "fingerprint"
        if not note.is_file() or note.read_text(encoding="utf-8") != self.fingerprint:
            self._set_aside()
            write_text(note, self.fingerprint)
        for leftover in self.folder.rglob(".*.part"):
            leftover.unlink()

    def _set_aside(self) -> None:
        previous = self.folder.with_name(f"{self.folder.name}.previous")
        if self._path.is_file():
            shutil.rmtree(previous, ignore_errors=True)
            self.folder.rename(previous)
        shutil.rmtree(self.folder, ignore_errors=True)

    def load(self) -> dict[str, Any] | None:
        """Return the last saved state, on the CPU, or None at the beginning."""
        if not self._path.is_file():
            return None
        state: dict[str, Any] = torch.load(self._path, map_location="cpu", weights_only=True)
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the saved state; the former one stays until the new one is on the disk.

        Raises
        ------
        OSError
            If it cannot be written, for one because the disk is full.
        """
        with whole_file(self._path) as path, path.open("wb") as handle:
            try:
                torch.save(state, handle)
            except RuntimeError as error:
                # After a failed write torch.save also fails to end the file, and reports that.
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise

    def clear(self) -> None:
        """Forget the training."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _path(self) -> Path:
        return self.folder / "state.pt"
