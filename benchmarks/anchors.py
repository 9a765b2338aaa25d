"""What must come out without any training: gray and the truth on known photographs.

Measures every photograph of data/lab, whatever its split, and prints the means beside the values
that others found on the same photographs. docs/evaluation.md says which photographs and settings
those are; run it after `dvc repro lab`.
"""

from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from photochrom.color.lab import decode_lab
from photochrom.data.shards import LabSet, ShardError
from photochrom.evaluation.metrics import (
    Comparison,
    auc,
    colorfulness,
    colorfulness_absolute,
    psnr,
)
from photochrom.progress import say, track

BATCH = 32
SPLITS = ("train", "validation", "test")
EXPECTED = {
    "AuC of gray, %": "89.08 +- 0.1",
    "PSNR of gray, dB, capped at 60": "23.8 +- 0.1",
    "Colorfulness of the truth": "39.46 +- 0.2",
    "Colorfulness of the truth, absolute variant": "36.39 +- 0.2",
}
"""On imagenet-sample-1000: shorter side 256, central square of 256, nothing filtered."""


def main() -> None:
    """Measure data/lab and print the table."""
    try:
        splits = [LabSet.open(Path("data/lab"), split) for split in SPLITS]
    except ShardError as error:
        raise SystemExit(str(error)) from None
    pieces = [
        measured(split, rows)
        for split in splits
        for rows in track(batches(split), f"Measuring {split.split}")
    ]
    photographs = sum(len(piece) for piece in pieces)
    means = torch.cat(pieces).mean(0).tolist()
    table = Table("measure", "mean", "ImageNet sample")
    for (name, expected), mean in zip(EXPECTED.items(), means, strict=True):
        table.add_row(name, f"{mean:.2f}", expected)
    Console().print(table)
    say(f"{photographs} photographs of {splits[0].size} px.")


def batches(split: LabSet) -> list[np.ndarray]:
    return [np.arange(len(split))[start : start + BATCH] for start in range(0, len(split), BATCH)]


def measured(split: LabSet, rows: np.ndarray) -> torch.Tensor:
    """Return the measures of EXPECTED (n, 4) of some photographs."""
    lab = decode_lab(torch.from_numpy(split.take(rows)))
    lightness, truth = lab[:, :1], lab[:, 1:]
    gray = Comparison(lightness, truth, torch.zeros_like(truth))
    shown = Comparison(lightness, truth, truth)
    columns = (auc(gray), psnr(gray), colorfulness(shown), colorfulness_absolute(shown))
    return torch.stack([column.double() for column in columns], dim=1)


if __name__ == "__main__":
    main()
