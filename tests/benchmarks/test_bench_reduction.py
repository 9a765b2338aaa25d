"""What small photographs are made of: sharpness, and the ways of reducing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import reduction


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """One of many colors, wider than high, and a gray one."""
    noise = np.random.default_rng(0).integers(0, 256, (96, 160, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "colors.jpg", quality=95)
    Image.fromarray(noise[..., 0]).save(tmp_path / "gray.jpg", quality=95)
    return tmp_path


def test_only_the_colorful_are_taken_and_cut_to_squares(photographs: Path) -> None:
    (square,) = reduction.read(sorted(photographs.iterdir()))
    assert square.size == (96, 96)


def test_smoother_reductions_are_less_sharp(photographs: Path) -> None:
    (square,) = reduction.read([photographs / "colors.jpg"])
    found = {}
    for name, reduce in reduction.REDUCTIONS.items():
        image = reduce(square, 24)
        assert image.size == (24, 24)
        found[name] = reduction.sharpness(reduction._lab([image])[:, :1])
    assert found["bilinear"] < found["bicubic"] < found["Lanczos"] < found["every nth pixel"]


def test_an_even_picture_has_no_sharpness() -> None:
    assert reduction.sharpness(torch.full((1, 1, 8, 8), 50.0)) == pytest.approx(0.0, abs=1e-5)
