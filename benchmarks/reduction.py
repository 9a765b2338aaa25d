"""Shows how the way in which photographs were made small changes what a trained model achieves.

    python benchmarks/reduction.py models/photochrom path/to/photographs

The central squares of the photographs (colorfulness of at least 15) are reduced to the model's own
size in several ways, and each set is colored and measured against itself. docs/flagship.md says
what came out.
"""

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from photochrom.color.colorfulness import colorfulness
from photochrom.color.lab import rgb_to_lab
from photochrom.colorizer.prediction import Predictor
from photochrom.evaluation.metrics import Comparison, auc, ciede2000, colorfulness_delta
from photochrom.progress import track

LEAST, TOGETHER = 15.0, 64
Reduction = Callable[[Image.Image, int], Image.Image]


def as_jpeg(image: Image.Image) -> Image.Image:
    """Store a photograph as Tiny-ImageNet's are, and read it again."""
    stored = io.BytesIO()
    image.save(stored, "JPEG", quality=75)
    return Image.open(stored).convert("RGB")


def _by(filter_: Image.Resampling) -> Reduction:
    return lambda image, side: image.resize((side, side), filter_)


def _stored(image: Image.Image, side: int) -> Image.Image:
    return as_jpeg(_by(Image.Resampling.BICUBIC)(image, side))


REDUCTIONS: dict[str, Reduction] = {
    "box": _by(Image.Resampling.BOX),
    "bilinear": _by(Image.Resampling.BILINEAR),
    "bicubic": _by(Image.Resampling.BICUBIC),
    "Lanczos": _by(Image.Resampling.LANCZOS),
    "every nth pixel": _by(Image.Resampling.NEAREST),
    "bicubic, stored as JPEG": _stored,
}


def main() -> None:
    """Measure every reduction."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("model", type=Path, help="Folder of a trained model.")
    parser.add_argument("photographs", type=Path, help="Folder of JPEGs, 256 px and larger.")
    parser.add_argument("--every", type=int, default=3, help="Take every so manieth.")
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    squares = read(sorted(options.photographs.rglob("*.[jJ]*"))[:: options.every])
    print("reduction", "sharpness", "AuC", "AuC gray", "dCF", "CIEDE2000", "gray", sep="\t")
    for name, reduce in REDUCTIONS.items():
        lab = _lab([reduce(square, predictor.size) for square in squares])
        print(name, *(f"{v:.2f}" for v in measured(predictor, lab)), sep="\t", flush=True)


_Raw = argparse.RawDescriptionHelpFormatter


def read(paths: list[Path]) -> list[Image.Image]:
    """Return the central squares of those that are colorful enough."""
    squares = [_central_square(path) for path in track(paths, "Photographs", len(paths))]
    return [square for square in squares if float(colorfulness(_rgb(square) * 255)) >= LEAST]


def _central_square(path: Path) -> Image.Image:
    image = Image.open(path).convert("RGB")
    side = min(image.size)
    left, top = ((whole - side) // 2 for whole in image.size)
    return image.crop((left, top, left + side, top + side))


def _rgb(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).movedim(-1, 0)[None].float() / 255


def _lab(images: list[Image.Image]) -> Tensor:
    return rgb_to_lab(torch.cat([_rgb(image) for image in images]))


def measured(predictor: Predictor, lab: Tensor) -> list[float]:
    """Return sharpness, AuC, gray's, difference in colorfulness, CIEDE2000 and gray's.

    Parameters
    ----------
    lab : float32 (N, 3, S, S), S the model's own size.
    """
    lightness, truth = lab[:, :1], lab[:, 1:]
    ab = torch.cat([predictor.predict_ab(part) for part in lightness.split(TOGETHER)])
    found, gray = (Comparison(lightness, truth, shown) for shown in (ab, torch.zeros_like(ab)))
    numbers = (auc(found), auc(gray), colorfulness_delta(found), ciede2000(found), ciede2000(gray))
    return [sharpness(lightness), *(float(one.mean()) for one in numbers)]


def sharpness(lightness: Tensor) -> float:
    """Return the mean distance of L from its mean over 3 x 3 pixels."""
    smooth = F.avg_pool2d(lightness, 3, 1, 1, count_include_pad=False)
    return float((lightness - smooth).abs().mean())


if __name__ == "__main__":
    main()
