"""Published weights: where they come from, where they lie, and whether they are whole.

The digests begin with the eight digits that end the names of the files, by which ``torch.hub``
checks them.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch

from photochrom.evaluation.perception.refusal import PerceptionError
from photochrom.progress import say

EXTRA = "perceptual"
"""The extra of the project that brings the networks."""


@dataclass(frozen=True)
class Weights:
    """The published weights of a network.

    Attributes
    ----------
    name : what commands call them.
    url : where their publisher keeps them; the file keeps its name.
    sha256 : of the file, in hexadecimal.
    size : of the file in MiB.
    network : what they are weights of.
    measures : what is measured with them.
    module : the package that holds the network, which the extra ``perceptual`` installs.
    """

    name: str
    url: str
    sha256: str
    size: int
    network: str
    measures: str
    module: str

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def command(self) -> str:
        """The command that fetches them."""
        return f"photochrom weights fetch {self.name}"

    def usable(self) -> bool:
        """Return whether the package that holds the network is installed."""
        return find_spec(self.module) is not None

    def ready(self, folder: Path) -> Path | None:
        """Return the file where all that its measures need is there; say what alone is missing.

        Raises
        ------
        PerceptionError
            If the file is damaged.
        """
        path = self.find(folder)
        if path is None or self.usable():
            return path
        say(
            f"{self.measures} {'are' if ' and ' in self.measures else 'is'} left out: {path} is "
            f"here, but not its network; `pip install 'photochrom[{EXTRA}]'` brings it."
        )
        return None

    def is_whole(self, path: Path) -> bool:
        """Return whether the file at ``path`` is the published one."""
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256

    def find(self, folder: Path) -> Path | None:
        """Return the file in ``folder``, or None where there is none.

        Raises
        ------
        PerceptionError
            If there is a file of that name that is not the published one.
        """
        path = folder / self.file
        if not path.exists():
            return None
        if not path.is_file() or not self.is_whole(path):
            raise PerceptionError(self.damage(path, "its sha256 is not the published one"))
        return path

    def damage(self, path: Path, reason: str) -> str:
        """Return what to say of a file that cannot be used."""
        return f"{path} is damaged ({reason}): delete it and run `{self.command}`."

    def load(self, path: Path) -> dict[str, Any]:
        """Return the tensors of the file; code that it might hold is refused, never run.

        Raises
        ------
        PerceptionError
            If the file cannot be read.
        """
        try:
            tensors: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise PerceptionError(self.damage(path, shorten(str(error), 120))) from None
        return tensors


ALEXNET = Weights(
    "alexnet",
    "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    233,
    "AlexNet, trained on ImageNet (torchvision)",
    "LPIPS",
    "torchmetrics",
)
INCEPTION = Weights(
    "inception",
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
    "weights-inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    91,
    "Inception-v3 of 2015, trained on ImageNet (torch-fidelity)",
    "KID and FID",
    "torch_fidelity",
)
PUBLISHED: dict[str, Weights] = {weights.name: weights for weights in (ALEXNET, INCEPTION)}
