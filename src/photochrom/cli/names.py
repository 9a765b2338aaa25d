"""What shells complete: known without loading anything heavy."""

from pathlib import Path


def models_completed(incomplete: str) -> list[str]:
    """Return the models trained here and shipped whose names begin so."""
    from photochrom.colorizer.places import names

    return _begun(names(Path()), incomplete)


def forms_completed(incomplete: str) -> list[str]:
    """Return the formats of files that begin so."""
    return _begun(["png", "jpeg", "tiff", "webp"], incomplete)


def upsamplings_completed(incomplete: str) -> list[str]:
    """Return the ways of upsampling that begin so."""
    from typing import get_args

    from photochrom.colorizer.options import Upsampling

    return _begun(get_args(Upsampling), incomplete)


def _begun(names: "list[str] | tuple[str, ...]", incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
