"""A trained model made small and safe to give away: float16 weights, their SHA-256, a card."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from photochrom.color.lab import decode_lab
from photochrom.colorizer.agreement import Agreement, agreement, photograph_like
from photochrom.colorizer.card import CARD, Packed, card, project_of
from photochrom.colorizer.catalog import Entry
from photochrom.colorizer.prediction import Predictor
from photochrom.colorizer.stored import CONFIG, WEIGHTS, ColorizerError, Config, read_config
from photochrom.data.shards import LabSet
from photochrom.files import file_digest, read_json, write_json, write_text

MOST_BYTES = 20_000_000
"""Of all files of a package."""
SAMPLE = 64
LAB = "data/lab"
CPU = torch.device("cpu")


class PackingError(Exception):
    """A model cannot be packed; the message is a sentence that says why."""


@dataclass(frozen=True)
class Package:
    """What was packed.

    Attributes
    ----------
    folder : holds config.json, weights.safetensors and MODEL_CARD.md.
    size : of the three together, in bytes.
    rounding : how far its colors lie from those of the model that was trained.
    """

    folder: Path
    size: int
    rounding: Agreement


def pack(entry: Entry, folder: Path, config: Config, terms: str, notes: str = "") -> Package:
    """Pack a model.

    Parameters
    ----------
    entry : the model, with the decoding that it was measured with.
    folder : for the package; what it holds of an older one is replaced.
    config : what the package is to say of itself: the entry's own, or with another ``image_size``
        or ``decoding``.
    terms : the license of the weights, a line.
    notes : Markdown for the card: intended use, biases, limits.

    Raises
    ------
    PackingError
        If a weight does not fit float16, or the package is above :data:`MOST_BYTES`.
    ColorizerError
        If the model cannot be loaded.
    OSError
        If the folder cannot be written. What it held stays as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        draft = Path(scratch)
        _write_weights(entry.folder / WEIGHTS, draft / WEIGHTS)
        _write_config(entry, config, terms, draft)
        rounding, sample = _rounding(entry, config, draft)
        sizes = {name: (draft / name).stat().st_size for name in (WEIGHTS, CONFIG)}
        told = Packed(read_config(draft), sizes, rounding, sample, terms, notes)
        write_text(draft / CARD, card(entry, told))
        size = _checked_size(draft)
        folder.mkdir(exist_ok=True)
        # config.json last: until it is there, weights that do not fit it are refused.
        for name in (CARD, WEIGHTS, CONFIG):
            (draft / name).replace(folder / name)
    return Package(folder, size, rounding)


def halved(name: str, tensor: Tensor) -> Tensor:
    """Round a float32 tensor to float16; what counts in whole numbers stays.

    Raises
    ------
    PackingError
        If a number is too large for float16, which ends at 65504.
    """
    if not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    if not bool(torch.isfinite(half).all()):
        raise PackingError(f"{name} holds numbers that float16 cannot: the model cannot be packed.")
    return half


def license_of(folder: Path) -> str | None:
    """Return the terms that a packed model's config.json states; None where it states none."""
    found = read_json(folder / CONFIG).get("license")
    return str(found) if found else None


def _write_weights(source: Path, target: Path) -> None:
    try:
        tensors = load_file(source)
    except Exception as error:
        raise ColorizerError(f"{source} cannot be loaded: {' '.join(str(error).split())}") from None
    save_file({name: halved(name, tensor) for name, tensor in tensors.items()}, target)
    # safetensors makes files that only their owner may read; an installed package is for all.
    target.chmod(0o644)


def _write_config(entry: Entry, config: Config, terms: str, draft: Path) -> None:
    digest = file_digest(draft / WEIGHTS)
    values = {
        **read_json(entry.folder / CONFIG),
        "decoding": config.decoding.model_dump(),
        "image_size": config.image_size,
        "license": terms,
        "sha256": digest,
    }
    write_json(draft / CONFIG, values)


def _rounding(entry: Entry, config: Config, draft: Path) -> tuple[Agreement, str]:
    lightness, sample = _photographs(entry, config)
    before = replace(Predictor.load(entry.folder, config.decoding, CPU), size=config.image_size)
    after = Predictor.load(draft, None, CPU)
    return agreement(before.predict_ab(lightness), after.predict_ab(lightness)), sample


def _photographs(entry: Entry, config: Config) -> tuple[Tensor, str]:
    """Return L (N, 1, H, W) to compare on, and what it is of, in words."""
    root = project_of(entry)
    if root is None or not (root / LAB / "lab.json").is_file():
        side = config.image_size
        return photograph_like(4, side, side), "4 squares of noise with the spectrum of photographs"
    test = LabSet.open(root / LAB, "test")
    stored = torch.from_numpy(test.take(test.spread(SAMPLE)))
    return decode_lab(stored)[:, :1], f"{len(stored)} of the photographs to measure on"


def _checked_size(draft: Path) -> int:
    size = sum(path.stat().st_size for path in draft.iterdir())
    if size > MOST_BYTES:
        raise PackingError(
            f"The package would have {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:g}: take a "
            "smaller network."
        )
    return size
