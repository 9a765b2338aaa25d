"""What tests of coloring in the browser share: small models, photographs, and a service."""

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from web_kit import running

from photochrom.color.bins import bins
from photochrom.color.decoding import AB_SCALE
from photochrom.networks.unet import UNetColorizer
from photochrom.params.models import UNetParams
from photochrom.web.app import create_app
from photochrom.web.coloring import Coloring
from photochrom.web.limits import Limits

NETWORK = UNetParams(kind="unet", levels=3, width=4, dropout=0.0, output="linear", init="default")
REGRESSION = {"kind": "regression", "loss": "l2"}
CLASSIFICATION = {
    "kind": "classification",
    "bins": "gamut313",
    "neighbours": 5,
    "sigma": 5.0,
    "rebalance": None,
    "decoder": None,
}
TEMPERATURE = 0.5
ORANGE, GREEN = torch.tensor([20.0, 60.0]), torch.tensor([-40.0, 45.0])
"""The colors, as ab, that the models give; ``likely`` finds the second plausible too."""
SIZE = 32
NAMES = ("likely", "plain")


def write_models(root: Path) -> Path:
    """Write the models ``likely``, of distributions, and ``plain``, of colors, into a project."""
    _write(root, "plain", ORANGE / AB_SCALE, REGRESSION, {"kind": "direct"})
    near, far = (-(bins("gamut313").centers - ab).square().sum(1) / 200 for ab in (ORANGE, GREEN))
    annealed = {"kind": "annealed_mean", "temperature": TEMPERATURE}
    _write(root, "likely", torch.logaddexp(near, far - 0.7), CLASSIFICATION, annealed)
    return root


def _write(
    root: Path, name: str, bias: Tensor, objective: dict[str, Any], decoding: dict[str, Any]
) -> None:
    """Write a model that was not trained, whose last layer adds the same everywhere."""
    torch.manual_seed(0)
    network = UNetColorizer(NETWORK, len(bias))
    *_, last = (part for part in network.up[0].modules() if isinstance(part, nn.ConvTranspose2d))
    assert last.bias is not None
    with torch.no_grad():
        last.weight.mul_(0.1)
        last.bias.copy_(bias)
    folder = root / "models" / name
    folder.mkdir(parents=True)
    save_file(dict(network.state_dict()), folder / "weights.safetensors")
    config = {
        "format": 2,
        "model": name,
        "study": f"{name} study",
        "network": NETWORK.model_dump(),
        "objective": objective,
        "decoding": decoding,
        "image_size": SIZE,
        "parameters": sum(values.numel() for values in network.parameters()),
    }
    (folder / "config.json").write_text(json.dumps(config))


def photograph(width: int = 60, height: int = 45, seed: int = 0) -> Image.Image:
    """Return a smooth gray photograph."""
    small = np.random.default_rng(seed).integers(60, 190, (3, 4), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR)


def file_of(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


SCAN = file_of(photograph())


@dataclass(frozen=True)
class Service:
    """A service that colors.

    Attributes
    ----------
    address : where it is.
    coloring : what colors.
    client : asks it.
    temporary : its folder for temporary files.
    """

    address: str
    coloring: Coloring
    client: httpx.Client
    temporary: Path

    def post(
        self,
        path: str = "/colorize",
        data: bytes = SCAN,
        name: str = "scan.png",
        headers: dict[str, str] | None = None,
        **fields: str,
    ) -> httpx.Response:
        """Send a photograph."""
        files = {"photograph": (name, data)}
        return self.client.post(path, files=files, data=fields, headers=headers)

    def left_behind(self) -> list[str]:
        """Return the temporary files that are there or still open, also those without a name."""
        named = [str(path) for path in self.temporary.rglob("*") if path.is_file()]
        return named + [target for target in _open() if target.startswith(str(self.temporary))]


def _open() -> Iterator[str]:
    """Yield what this process has open, by its path or what was its path."""
    for link in list(Path("/proc/self/fd").iterdir()):
        with suppress(FileNotFoundError):  # What listed the folder is closed by now.
            yield str(link.readlink())


@contextmanager
def coloring_service(
    root: Path, temporary: Path, limits: Limits | None = None, study: Path | None = None
) -> Iterator[Service]:
    """Serve the models of a project from a thread of this process, and a study."""
    coloring = Coloring(NAMES, root, limits)
    with (
        running(create_app(study, coloring)) as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        yield Service(address, coloring, client, temporary)


def worker() -> int:
    """Return the process id of the worker of the only service that runs."""
    (process,) = active_children()
    assert process.pid is not None
    return process.pid


def detail(response: httpx.Response) -> str:
    """Return the sentence of a refusal."""
    found = response.json()
    assert set(found) == {"detail"}
    sentence: str = found["detail"]
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    return sentence


def pixels(response: httpx.Response) -> np.ndarray:
    """Return the picture that was answered, RGB as (H, W, 3) uint8."""
    assert response.status_code == 200, response.text
    return np.asarray(Image.open(io.BytesIO(response.content)).convert("RGB"))


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds, or fail."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
