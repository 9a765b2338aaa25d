"""The pictures of the study: equally large, free of metadata, and of exactly the right colors."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from study_kit import MODELS, SIDE, write_lab, write_project

from photochrom.color.lab import decode_lab, lab_to_rgb8
from photochrom.colorizer.prediction import Predictor
from photochrom.colorizer.stored import ColorizerError
from photochrom.data.shards import LabSet
from photochrom.params import load_params
from photochrom.study.gold import constructed_fake
from photochrom.study.photographs import draw_colorful, draw_photographs
from photochrom.study.pictures import colorize, draw, png, to_rgb
from photochrom.study.trials import Picture

SQUARES = arrays(np.uint8, (SIDE, SIDE, 3))


def decoded(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        image.load()
        assert (image.mode, image.info) == ("RGB", {})
        return np.array(image)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("pictures"))


@given(SQUARES)
def test_a_png_holds_exactly_the_pixels(pixels: np.ndarray) -> None:
    assert np.array_equal(decoded(png(pixels)), pixels)


@given(SQUARES)
def test_a_png_is_as_long_as_any_other_of_its_size(pixels: np.ndarray) -> None:
    assert len(png(pixels)) == len(png(np.zeros_like(pixels)))


@pytest.mark.parametrize("side", [8, 64, 147, 256, 300])
def test_large_noise_is_as_long_as_a_plain_square(side: int) -> None:
    noise = np.random.default_rng(side).integers(0, 256, (side, side, 3)).astype(np.uint8)
    assert len(png(noise)) == len(png(np.zeros_like(noise)))
    assert np.array_equal(decoded(png(noise)), noise)


def test_a_png_has_no_chunk_but_the_three_that_it_needs() -> None:
    data = png(np.zeros((SIDE, SIDE, 3), np.uint8))
    kinds, place = [], 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kinds.append(data[place + 4 : place + 8])
        place += length + 12
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def test_a_fake_of_half_a_turn_has_the_opposite_and_doubled_colors() -> None:
    stored = np.array([[[50]], [[128 + 10]], [[128 - 20]]], np.uint8)
    assert constructed_fake(stored, 180).ravel().tolist() == [50, 128 - 20, 128 + 40]
    assert constructed_fake(stored, 90).ravel().tolist() == [50, 128 + 40, 128 + 20]


@given(arrays(np.uint8, (3, 4, 4)), st.integers(90, 270))
def test_a_fake_keeps_lightness_and_doubles_chroma_as_far_as_eight_bits_go(
    stored: np.ndarray, turn: int
) -> None:
    fake = constructed_fake(stored, turn)
    assert fake.dtype == np.uint8
    assert np.array_equal(fake[0], stored[0])
    before, after = (np.hypot(*(lab[1:].astype(float) - 128)) for lab in (stored, fake))
    inside = ((fake[1:] > 0) & (fake[1:] < 255)).all(0)
    assert np.allclose(after[inside], 2 * before[inside], atol=1.0)


def test_gray_stays_gray() -> None:
    gray = np.full((3, 2, 2), 128, np.uint8)
    assert np.array_equal(constructed_fake(gray, 180), gray)


def test_outputs_keep_the_very_lightness_of_the_photograph(project: Path) -> None:
    stored = LabSet.open(project / "data/lab", "test").take(np.arange(6))
    colorizer = Predictor.load(project / "models" / MODELS[0])
    output = colorize(stored, colorizer)
    assert output.dtype == np.uint8
    assert np.array_equal(output[:, 0], stored[:, 0])
    assert not np.array_equal(output[:, 1:], stored[:, 1:])
    lightness = decode_lab(torch.from_numpy(stored))[:, :1]
    ab = (colorizer.predict_ab(lightness) + 128).round().clamp(0, 255)
    assert np.array_equal(output[:, 1:], ab.numpy().astype(np.uint8))


def test_every_picture_is_drawn_once_with_the_colors_of_its_name(project: Path) -> None:
    models = load_params(project / "params.yaml").models
    drawn_from = draw_photographs(LabSet.open(project / "data/lab", "test"), 3, 0)
    stored = {photograph.id: photograph.stored for photograph in drawn_from}
    first, second, third = stored
    asked = [
        Picture(first, "truth"),
        Picture(second, "gold", 120),
        Picture(second, MODELS[0]),
        Picture(third, MODELS[0]),
        Picture(third, MODELS[1]),
        Picture(first, "truth"),
    ]
    drawn = list(draw(asked, stored, models, project / "models"))
    assert sorted(picture for picture, _ in drawn) == sorted(set(asked))
    assert len({len(data) for _, data in drawn}) == 1
    for picture, data in drawn:
        expected = stored[picture.photograph]
        if picture.name == "gold":
            expected = constructed_fake(expected, 120)
        elif picture.name in MODELS:
            colorizer = Predictor.load(project / "models" / picture.name)
            expected = colorize(expected[None], colorizer)[0]
        rgb = lab_to_rgb8(decode_lab(torch.from_numpy(expected))).movedim(0, -1).numpy()
        assert np.abs(decoded(data).astype(int) - rgb.astype(int)).max() <= 3 * (
            picture.name in MODELS
        )


def test_a_name_that_is_nobodys_is_refused(project: Path) -> None:
    stored = {"a": np.zeros((3, SIDE, SIDE), np.uint8)}
    with pytest.raises(ValueError, match="nobody is neither"):
        list(draw([Picture("a", "nobody")], stored, {}, project / "models"))


def test_a_model_that_is_not_there_is_refused(project: Path, tmp_path: Path) -> None:
    models = load_params(project / "params.yaml").models
    stored = {"a": np.zeros((3, SIDE, SIDE), np.uint8)}
    with pytest.raises(ColorizerError, match="holds no trained model"):
        list(draw([Picture("a", MODELS[0])], stored, models, tmp_path))


def test_the_same_pictures_have_the_same_bytes(project: Path) -> None:
    models = load_params(project / "params.yaml").models
    drawn_from = draw_photographs(LabSet.open(project / "data/lab", "test"), 3, 0)
    stored = {photograph.id: photograph.stored for photograph in drawn_from}
    asked = [Picture(name, colors) for name in stored for colors in ("truth", *MODELS)]
    once, again = (list(draw(asked, stored, models, project / "models")) for _ in range(2))
    assert once == again


def test_a_photograph_is_shown_by_its_largest_tile_and_scenes_differ_first(project: Path) -> None:
    test = LabSet.open(project / "data/lab", "test")
    drawn = draw_photographs(test, 9, 3)
    assert len({photograph.id for photograph in drawn}) == 9
    for photograph in drawn:
        rows = test.index[test.index["id"] == photograph.id]
        largest = test.take(np.array([rows["right"].idxmax()]))[0]
        assert np.array_equal(photograph.stored, largest)
    scenes = [photograph.group for photograph in drawn]
    assert len(set(scenes[:5])) == len(set(scenes)) == 5
    assert [p.id for p in draw_photographs(test, 4, 3)] == [p.id for p in drawn[:4]]
    assert len(draw_photographs(test, 50, 3)) == 9


def test_colorful_photographs_come_from_validation_first(project: Path) -> None:
    drawn = [photograph.id for photograph in draw_colorful(project / "data/lab", 5, 0)]
    assert [name.split("/")[0] for name in drawn] == ["validation"] * 3 + ["train"] * 2


def test_where_few_are_colorful_they_come_first_and_the_most_colorful_others_next(
    tmp_path: Path,
) -> None:
    lab = write_lab(tmp_path / "lab", chroma=1)
    # Photographs 1 and 2 of the training set get color: the strong one is colorful.
    squares = np.load(lab / "train-00000.npy")
    squares[3, 1], squares[5, 1] = 128 + 70, 128 + 6
    np.save(lab / "train-00000.npy", squares)
    drawn = draw_colorful(lab, 4, 0)
    assert [photograph.id for photograph in drawn[:2]] == ["train/1.png", "train/2.png"]
    assert len(drawn) == 4
    assert len(draw_colorful(lab, 99, 0)) == 11


def test_rgb_is_that_of_eight_bit_lab() -> None:
    white = np.array([[[255]], [[128]], [[128]]], np.uint8)
    assert to_rgb(white).tolist() == [[[255, 255, 255]]]
