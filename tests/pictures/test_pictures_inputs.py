"""Every kind of input is read, and can be written again, or is refused in a sentence."""

import io

import numpy as np
import pytest
from PIL import Image

from files_kit import Input
from inputs_kit import INPUTS
from photochrom.pictures.opening import BadPhotographError, open_photograph
from photochrom.pictures.photograph import Photograph
from photochrom.pictures.reading import read_photograph
from photochrom.pictures.writing import UnwritableError, encoded

LIMIT = 50.0
GOOD = [entry for entry in INPUTS if entry.expected == "colored"]
REFUSED_BY_THE_STAGES = {"tiff-rgb16-planes"}
BAD = [entry for entry in INPUTS if entry.expected != "colored"]


def named(inputs: list[Input]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("given", inputs, ids=lambda entry: entry.name)


def test_the_zoo_is_large_and_each_kind_in_it_is_another():
    assert len(GOOD) >= 60
    assert len(BAD) >= 40
    assert len({entry.name for entry in INPUTS}) == len(INPUTS)
    assert len({(entry.suffix, entry.data) for entry in INPUTS}) == len(INPUTS)


@named(INPUTS)
def test_the_zoo_is_always_the_same(given):
    assert given.make() == given.data


@named(GOOD)
def test_what_is_a_photograph_is_read(given):
    photograph = read_photograph(given.data, LIMIT)
    width, height = photograph.size
    pixels, alpha = photograph.pixels, photograph.alpha
    assert pixels.dtype in (np.uint8, np.uint16)
    assert pixels.shape in ((height, width), (height, width, 3))
    assert pixels.flags.c_contiguous
    if alpha is not None:
        assert (alpha.shape, alpha.dtype) == ((height, width), np.uint8)
        assert alpha.min() < 255
    for note in photograph.notes:
        assert note.endswith(".")
        assert "\n" not in note


@named([entry for entry in GOOD if entry.name not in REFUSED_BY_THE_STAGES])
def test_it_looks_as_the_stages_of_data_see_it(given):
    """Both ways of reading meet: laid on white, in eight bits, but for rounding twice."""
    photograph = read_photograph(given.data, LIMIT)
    paper = Image.new("RGB", photograph.size, "white")
    image = photograph.image()
    if photograph.alpha is None:
        paper.paste(image)
    else:
        paper.paste(image.convert("RGB"), mask=image.getchannel("A"))
    seen = np.asarray(open_photograph(given.data, LIMIT)).astype(int)
    # The data stages do not know transparency by one of 65,536 grays.
    known = slice(None) if given.name != "png-l16-transparent-gray" else slice(1, None)
    assert np.abs(np.asarray(paper).astype(int) - seen)[known].max() <= 2


@named(GOOD)
def test_it_is_written_in_every_format(given):
    photograph = read_photograph(given.data, LIMIT)
    for form in ("PNG", "JPEG", "TIFF", "WEBP"):
        if form == "WEBP" and max(photograph.size) > 16_383:
            with pytest.raises(UnwritableError):
                encoded(photograph, form)
        else:
            again = read_photograph(encoded(photograph, form))
            assert again.format == form
            assert again.size == photograph.size
            assert (again.alpha is None) == (photograph.alpha is None or form == "JPEG")


@named([entry for entry in GOOD if "png" in entry.name or "tiff" in entry.name])
def test_formats_without_loss_give_the_same_photograph_again(given):
    photograph = read_photograph(given.data, LIMIT)
    again = read_photograph(encoded(photograph, "TIFF"))
    same(again, photograph)
    same(read_photograph(encoded(photograph, "PNG")), photograph, bits=8)


def same(found: Photograph, expected: Photograph, bits: int = 16) -> None:
    wanted = expected.pixels if bits == 16 else expected.eight_bits()
    if bits == 16 and wanted.dtype == np.uint16 and expected.alpha is not None:
        wanted = np.broadcast_to(np.atleast_3d(wanted), (*wanted.shape[:2], 3))
    np.testing.assert_array_equal(np.broadcast_to(found.pixels, wanted.shape), wanted)
    assert (found.alpha is None) == (expected.alpha is None)
    if expected.alpha is not None:
        np.testing.assert_array_equal(found.alpha, expected.alpha)


@named(BAD)
def test_what_is_none_is_refused_in_a_sentence(given):
    for opened in (read_photograph, open_photograph):
        with pytest.raises(BadPhotographError) as caught:
            opened(given.data, LIMIT)
        assert caught.value.fault == given.expected
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)


@named([entry for entry in INPUTS if entry.expected == "too large"])
def test_what_is_too_large_is_too_large_by_default(given):
    with pytest.raises(BadPhotographError, match="over the limit of 200 MP"):
        read_photograph(given.data)


@named(GOOD[::7])
def test_a_file_gives_what_its_bytes_give(given, tmp_path):
    path = tmp_path / f"{given.name}{given.suffix}"
    path.write_bytes(given.data)
    same(read_photograph(path), read_photograph(given.data))
    same(read_photograph(str(path)), read_photograph(given.data))


@named([entry for entry in GOOD if "16" not in entry.name][::5])
def test_an_image_of_pillow_gives_what_its_file_gives(given):
    with Image.open(io.BytesIO(given.data)) as image:
        same(read_photograph(image), read_photograph(given.data))
        before = image.tobytes()
        read_photograph(image)
        assert image.tobytes() == before
