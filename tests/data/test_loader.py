"""From stored squares to batches: the same ones however they are held, and honest augmentation."""

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_photographs import lab_set
from skimage.measure import block_reduce

from photochrom.color.lab import L_STEP, decode_lab
from photochrom.data import loader
from photochrom.data.loader import Squares, augmented, centred, to_batch
from photochrom.params.models import ImageParams

CPU = torch.device("cpu")
SQUARES = np.random.default_rng(0).integers(0, 256, (23, 3, 16, 16), dtype=np.uint8)


def image_params(**changes) -> ImageParams:
    return ImageParams(**{"size": None, "crop": None, "scale": None, "flip": False, **changes})


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def marked(count: int = 64, side: int = 12) -> torch.Tensor:
    """Return squares whose every pixel says where it is: a is the column, b the row, L both."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    square = torch.stack((side * rows + columns, columns, rows)).to(torch.uint8)
    return square.expand(count, 3, side, side).contiguous()


def places(batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return what `marked` put into each pixel: place, column and row."""
    lightness = (batch.lightness[:, 0] + 1) * 50 / L_STEP
    columns, rows = (batch.ab + 128).unbind(1)
    return lightness.round().long(), columns.round().long(), rows.round().long()


@pytest.fixture(params=["resident", "read ahead"])
def squares(request, tmp_path, monkeypatch):
    """Open squares both ways: the share of memory decides."""
    free = 2**30 if request.param == "resident" else 0
    monkeypatch.setattr(loader, "_free_bytes", lambda device: free)
    opened = Squares(lab_set(tmp_path, SQUARES, shards=3), CPU)
    assert (opened._resident is not None) == (request.param == "resident")
    return opened


def test_batches_are_the_squares_asked_for_however_they_are_held(squares):
    orders = list(torch.randperm(23, generator=seeded()).split(5))
    found = list(squares.batches(iter(orders)))
    assert [len(batch) for batch in found] == [5, 5, 5, 5, 3]
    for rows, batch in zip(orders, found, strict=True):
        assert batch.dtype == torch.uint8
        np.testing.assert_array_equal(batch.numpy(), SQUARES[rows.numpy()])
    assert len(squares) == 23


@pytest.mark.parametrize("orders", [[], [torch.tensor([4])]])
def test_no_batch_and_one_batch(squares, orders):
    found = [batch.numpy() for batch in squares.batches(iter(orders))]
    assert len(found) == len(orders)
    for batch in found:
        np.testing.assert_array_equal(batch, SQUARES[[4]])


def test_batches_may_be_left_early(squares):
    threads = threading.active_count()
    batches = squares.batches(iter([torch.tensor([number]) for number in range(20)]))
    np.testing.assert_array_equal(next(iter(batches)).numpy(), SQUARES[[0]])
    if hasattr(batches, "close"):
        batches.close()
    assert threading.active_count() == threads


def test_reading_ahead_keeps_to_its_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(loader, "_free_bytes", lambda device: 0)
    asked = []

    def orders():
        for number in range(9):
            asked.append(number)
            yield torch.tensor([number])

    batches = Squares(lab_set(tmp_path, SQUARES), CPU).batches(orders())
    for number in range(3):
        next(batches)
        assert asked == list(range(number + loader.AHEAD + 1))
    batches.close()


def test_a_split_is_held_where_it_takes_a_quarter_of_the_free_memory(tmp_path, monkeypatch):
    opened = lab_set(tmp_path, SQUARES)
    for free, held in ((4 * SQUARES.nbytes, True), (4 * SQUARES.nbytes - 4, False)):
        monkeypatch.setattr(loader, "_free_bytes", lambda device, free=free: free)
        assert (Squares(opened, CPU)._resident is not None) == held


def test_free_memory_is_known():
    assert 2**20 < loader._free_bytes(CPU) < 2**50


# Batches


def test_a_batch_is_normalised_lightness_and_true_ab():
    batch = to_batch(torch.from_numpy(SQUARES))
    lab = decode_lab(torch.from_numpy(SQUARES))
    assert batch.lightness.shape == (23, 1, 16, 16)
    assert batch.ab.shape == (23, 2, 16, 16)
    assert torch.allclose(batch.lightness, lab[:, :1] / 50 - 1, atol=1e-6)
    assert torch.equal(batch.ab, lab[:, 1:])
    assert batch.lightness.min() >= -1
    assert batch.lightness.max() <= 1


@pytest.mark.parametrize("make", [to_batch, lambda stored: centred(stored, image_params(crop=12))])
def test_no_color_leaks_into_the_gray_input(make):
    stored = torch.from_numpy(SQUARES)
    other = stored.clone()
    other[:, 1:] = 255 - other[:, 1:]
    assert torch.equal(make(stored).lightness, make(other).lightness)
    gray = stored.clone()
    gray[:, 0] = 0
    assert torch.equal(make(stored).ab, make(gray).ab)


@pytest.mark.parametrize("changes", [{}, {"size": 8}, {"scale": 0.5}, {"crop": 8}])
def test_lightness_lies_as_networks_compute_it(changes):
    """Of a single channel the strides alone tell the format; another one costs networks time."""
    batch = augmented(torch.from_numpy(SQUARES), image_params(flip=True, **changes), seeded())
    side = batch.lightness.shape[-1]
    assert batch.lightness.stride()[1:] == (1, side, 1)
    assert (batch.lightness.dtype, batch.ab.dtype) == (torch.float32, torch.float32)


def test_no_color_leaks_into_the_augmented_input():
    stored = torch.from_numpy(SQUARES)
    other = stored.clone()
    other[:, 1:] = 255 - other[:, 1:]
    image = image_params(size=8, crop=8, flip=True)
    found = [augmented(squares, image, seeded(3)).lightness for squares in (stored, other)]
    assert torch.equal(*found)


@pytest.mark.parametrize("size", [8, 4, 1])
def test_resizing_averages_areas(size):
    """A strided pick would cost 4.5 dB."""
    batch = to_batch(torch.from_numpy(SQUARES), size)
    factor = 16 // size
    ab = block_reduce(SQUARES[:, 1:] - 128.0, (1, 1, factor, factor), np.mean)
    lightness = block_reduce(SQUARES[:, :1] / 127.5 - 1, (1, 1, factor, factor), np.mean)
    np.testing.assert_allclose(batch.ab.numpy(), ab, atol=1e-4)
    np.testing.assert_allclose(batch.lightness.numpy(), lightness, atol=1e-5)


def test_resizing_to_the_same_side_changes_nothing():
    stored = torch.from_numpy(SQUARES)
    assert torch.equal(to_batch(stored, 16).ab, to_batch(stored).ab)


def test_the_batch_to_validate_on_is_the_centre():
    place, columns, rows = places(centred(marked(2), image_params(crop=8)))
    assert columns[0, 0].tolist() == list(range(2, 10))
    assert rows[1, :, 0].tolist() == list(range(2, 10))
    assert torch.equal(place, 12 * rows + columns)
    whole = centred(torch.from_numpy(SQUARES), image_params())
    assert torch.equal(whole.ab, to_batch(torch.from_numpy(SQUARES)).ab)


# Augmentation


def test_without_augmentation_a_training_batch_is_the_batch():
    stored = torch.from_numpy(SQUARES)
    found, expected = augmented(stored, image_params(), seeded()), to_batch(stored)
    assert torch.equal(found.lightness, expected.lightness)
    assert torch.equal(found.ab, expected.ab)


def test_mirroring_turns_lightness_and_color_together():
    place, columns, rows = places(augmented(marked(200), image_params(flip=True), seeded()))
    assert torch.equal(place, 12 * rows + columns)
    mirrored = columns[:, 0, 0] == 11
    assert torch.equal(columns[mirrored, 0], torch.arange(11, -1, -1).expand(mirrored.sum(), 12))
    assert torch.equal(columns[~mirrored, 0], torch.arange(12).expand((~mirrored).sum(), 12))
    assert torch.equal(rows[:, :, 0], torch.arange(12).expand(200, 12))
    assert 70 < mirrored.sum() < 130


def test_crops_cut_lightness_and_color_together_and_reach_every_corner():
    batch = augmented(marked(1000), image_params(crop=8), seeded())
    place, columns, rows = places(batch)
    assert batch.ab.shape == (1000, 2, 8, 8)
    assert torch.equal(place, 12 * rows + columns)
    assert (columns.diff(dim=2) == 1).all()
    assert (rows.diff(dim=1) == 1).all()
    corners = set(zip(columns[:, 0, 0].tolist(), rows[:, 0, 0].tolist(), strict=True))
    assert corners == {(x, y) for x in range(5) for y in range(5)}


def test_each_photograph_is_cropped_for_itself_and_in_its_place():
    stored = marked(30)
    stored[:, 0] = torch.arange(30, dtype=torch.uint8)[:, None, None]
    batch = augmented(stored, image_params(crop=8, flip=True), seeded())
    number = ((batch.lightness + 1) * 50 / L_STEP).round()
    assert torch.equal(number[:, 0], torch.arange(30.0)[:, None, None].expand(30, 8, 8))


def test_resizing_comes_before_cropping():
    stored = torch.from_numpy(SQUARES)
    same = augmented(stored, image_params(size=12, crop=12), seeded())
    assert torch.equal(same.ab, to_batch(stored, 12).ab)
    crops = augmented(stored, image_params(size=12, crop=9), seeded()).ab
    windows = to_batch(stored, 12).ab.unfold(2, 9, 1).unfold(3, 9, 1)
    found = (windows == crops[:, :, None, None]).all(-1).all(-1).all(1)
    assert (found.sum(dim=(1, 2)) == 1).all()


def test_what_is_enlarged_is_a_part_of_at_least_that_share():
    """On ramps, which bilinear interpolation keeps, a part of share s has the slope s."""
    axis = torch.arange(64, dtype=torch.uint8)
    stored = torch.stack((axis.expand(64, 64), axis.expand(64, 64), axis[:, None].expand(64, 64)))
    batch = augmented(stored.expand(400, 3, 64, 64), image_params(scale=0.5), seeded())
    inner = batch.ab[..., 2:-2, 2:-2] + 128
    share = inner[:, 0].diff(dim=2)
    assert torch.allclose(share, share[:, :1, :1].expand_as(share), atol=1e-3)
    assert torch.allclose(inner[:, 1].diff(dim=1), share.mT, atol=1e-3)
    assert 0.5 <= share.min() < 0.52
    assert 0.98 < share.max() <= 1.0
    lefts, tops = inner[:, 0, 0, 0], inner[:, 1, 0, 0]
    for first in (lefts, tops):
        assert first.min() >= 0
        assert first.max() > 25
    assert abs(torch.corrcoef(torch.stack((lefts, tops)))[0, 1]) < 0.7
    lightness = (batch.lightness[:, 0] + 1) * 50 / L_STEP
    assert torch.allclose(lightness, batch.ab[:, 0] + 128, atol=1e-3)


@settings(max_examples=20)
@given(st.lists(st.integers(0, 22), unique=True, min_size=1))
def test_a_photograph_is_cut_alike_whichever_share_it_is_in(positions):
    stored, image = torch.from_numpy(SQUARES), image_params(scale=0.5, crop=8, flip=True)
    own = torch.tensor(positions)
    whole = augmented(stored, image, seeded(5))
    share = augmented(stored[own], image, seeded(5), len(stored), own)
    assert torch.allclose(share.ab, whole.ab[own], atol=1e-4)
    assert torch.allclose(share.lightness, whole.lightness[own], atol=1e-5)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_batch_and_leaves_the_global_one_alone(seed):
    image = image_params(crop=12, flip=True)
    before = torch.get_rng_state()
    stored = torch.from_numpy(SQUARES)
    one, two = (augmented(stored, image, seeded(seed)) for _ in range(2))
    assert torch.equal(one.ab, two.ab)
    assert torch.equal(one.lightness, two.lightness)
    assert torch.equal(torch.get_rng_state(), before)


def test_another_seed_gives_another_batch():
    stored, image = torch.from_numpy(SQUARES), image_params(crop=12, flip=True)
    one, two = (augmented(stored, image, seeded(seed)) for seed in (0, 1))
    assert not torch.equal(one.ab, two.ab)


def test_stored_squares_are_left_as_they_are():
    stored = torch.from_numpy(SQUARES.copy())
    augmented(stored, image_params(crop=12, flip=True), seeded())
    np.testing.assert_array_equal(stored.numpy(), SQUARES)
