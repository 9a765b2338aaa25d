"""How often each color occurs: counts, the distribution, and the file they are in."""

import zipfile

import numpy as np
import pytest
import torch
from made_photographs import lab_set

from photochrom.color import bins
from photochrom.data import counting
from photochrom.data.counting import count_colors
from photochrom.data.prior import Prior
from photochrom.data.prior_figure import draw_prior
from photochrom.data.shards import ShardError
from photochrom.params.data import PriorParams
from photochrom.params.models import ClassificationParams

PLAIN = {"neighbours": 10, "sigma": 5, "smoothing": 0, "pseudo_photographs": 0, "mix": 0.5}


def params(**changes) -> PriorParams:
    return PriorParams(**{**PLAIN, **changes})


def muted(count: int = 9, seed: int = 0) -> np.ndarray:
    """Return squares of muted colors, as photographs have them."""
    drawn = np.random.default_rng(seed).normal(128, 20, (count, 3, 8, 8))
    return drawn.clip(0, 255).astype(np.uint8)


def histogram(squares: np.ndarray) -> np.ndarray:
    counts = np.zeros((256, 256), dtype=np.int64)
    np.add.at(counts, (squares[:, 1], squares[:, 2]), 1)
    return counts


@pytest.fixture
def prior() -> Prior:
    return Prior.from_histogram(histogram(muted()), 9, params())


@pytest.mark.parametrize("pixels", [1, 200, 10**6])
def test_counts_are_those_of_every_pixel_however_they_are_cut(tmp_path, monkeypatch, pixels):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")
    monkeypatch.setattr(counting, "PIXELS", pixels)
    found = count_colors(lab_set(tmp_path, muted(), shards=2))
    np.testing.assert_array_equal(found, histogram(muted()))
    assert found.dtype == np.int64


def test_counts_of_several_processes_are_those_of_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "2")
    squares = muted(70)
    found = count_colors(lab_set(tmp_path, squares, shards=5))
    np.testing.assert_array_equal(found, histogram(squares))


def test_a_shard_that_has_gone_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")
    opened = lab_set(tmp_path, muted(), shards=2)
    opened.shards[1].unlink()
    with pytest.raises(ShardError, match="run `dvc repro --force lab`"):
        count_colors(opened)


def test_counts_of_two_sets_add_up(tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "1")
    one, two = muted(seed=1), muted(seed=2)
    together = count_colors(lab_set(tmp_path / "both", np.concatenate((one, two))))
    apart = [
        count_colors(lab_set(tmp_path / name, squares))
        for name, squares in (("one", one), ("two", two))
    ]
    np.testing.assert_array_equal(together, sum(apart))


def test_the_prior_is_the_mean_soft_code_of_the_pixels(prior):
    """And so, unlike a hard histogram, shared among neighbours."""
    ab = muted()[:, 1:].transpose(0, 2, 3, 1).reshape(-1, 2).astype(np.float64) - 128
    centers = prior.centers.astype(np.float64)
    squares = ((ab[:, None] - centers) ** 2).sum(-1)
    near = np.argsort(squares, axis=1, kind="stable")[:, :10]
    shares = np.exp(-np.take_along_axis(squares, near, 1) / 50)
    expected = np.zeros(313)
    np.add.at(expected, near, shares / shares.sum(1, keepdims=True))
    np.testing.assert_allclose(prior.prior, expected / len(ab), atol=1e-7)
    assert prior.prior.sum() == pytest.approx(1, abs=1e-12)


def test_the_arrays_are_as_promised(prior):
    found = {name: (value.shape, value.dtype.name) for name, value in vars(prior).items()}
    assert found == {
        "centers": ((313, 2), "float32"),
        "prior": ((313,), "float64"),
        "weights": ((313,), "float64"),
        "grid_counts": ((256,), "int64"),
        "histogram": ((256, 256), "int64"),
    }
    assert (prior.prior * prior.weights).sum() == pytest.approx(1)
    assert np.isfinite(prior.weights).all()


def test_the_grid_counts_every_pixel_in_the_class_that_it_is_trained_for(prior):
    """Gray, 128, is halfway between the levels 120 and 136: both must break the tie alike."""
    expected = np.zeros(256, dtype=np.int64)
    rows = muted()[:, 1].astype(int) * 256 + muted()[:, 2]
    classes = bins.grid256().lookup(5, 5.0)[0][:, 0].numpy()
    np.add.at(expected, classes[rows.ravel()], 1)
    np.testing.assert_array_equal(prior.grid_counts, expected)
    assert prior.grid_counts.sum() == prior.histogram.sum() == 9 * 64


def test_the_grid_counts_are_those_of_the_floor_between_the_ties():
    squares = muted()
    squares[squares % 16 == 0] += 1
    stored = squares.astype(int)
    floor = np.bincount((16 * (stored[:, 1] // 16) + stored[:, 2] // 16).ravel(), minlength=256)
    found = Prior.from_histogram(histogram(squares), 9, params())
    np.testing.assert_array_equal(found.grid_counts, floor)


def test_parameters_do_what_they_say():
    counts = histogram(muted())
    plain, smooth, pseudo, even, hard = (
        Prior.from_histogram(counts, 9, params(**changes))
        for changes in (
            {},
            {"smoothing": 10},
            {"pseudo_photographs": 3},
            {"mix": 1.0},
            {"neighbours": 1},
        )
    )
    assert smooth.prior.max() < plain.prior.max()
    assert (smooth.prior > 0).sum() > (plain.prior > 0).sum()
    np.testing.assert_allclose(pseudo.prior, (9 * plain.prior + 3 / 313) / 12)
    assert (pseudo.prior > 0).all()
    np.testing.assert_allclose(even.weights, 1)
    assert (hard.prior == 0).sum() > (plain.prior == 0).sum()
    assert all(found.prior.sum() == pytest.approx(1) for found in (plain, smooth, pseudo, hard))


def test_photographs_without_color_give_finite_weights():
    gray = np.full((2, 3, 8, 8), 128, dtype=np.uint8)
    found = Prior.from_histogram(histogram(gray), 2, params(mix=0))
    assert np.isfinite(found.weights).all()
    assert found.prior.argmax() == int(bins.gamut313().nearest(torch.zeros(2)))
    assert found.mean_color.tolist() == [0, 0]


def test_the_mean_color_is_that_of_the_pixels(prior):
    expected = muted()[:, 1:].astype(np.float64).mean(axis=(0, 2, 3)) - 128
    assert prior.mean_color.tolist() == pytest.approx(expected.tolist(), abs=1e-4)
    assert prior.mean_color.dtype == torch.float32


def objective(which: str, rebalance: dict[str, object] | None) -> ClassificationParams:
    values = {
        "kind": "classification",
        "neighbours": 5,
        "sigma": 5,
        "rebalance": rebalance,
        "decoder": None,
    }
    return ClassificationParams.model_validate({**values, "bins": which})


def test_an_objective_that_rebalances_nothing_gets_no_weights(prior):
    assert prior.rebalancing_weights(objective("gamut313", None)) is None


def test_by_the_prior_the_weights_are_those_of_the_file(prior):
    found = prior.rebalancing_weights(objective("gamut313", {"kind": "prior"}))
    np.testing.assert_array_equal(found.numpy(), prior.weights)


@pytest.mark.parametrize("which", ["gamut313", "grid256"])
def test_by_counts_each_class_counts_the_pixels_nearest_to_it(prior, which):
    rebalance = {"kind": "counts", "power": 0.5, "offset": 4.0}
    found = prior.rebalancing_weights(objective(which, rebalance)).numpy()
    where = bins.bins(which)
    stored = muted()[:, 1:].transpose(0, 2, 3, 1).reshape(-1, 2).astype(np.float32) - 128
    classes = where.nearest(torch.from_numpy(stored)).numpy()
    counts = np.bincount(classes, minlength=len(where))
    expected = (counts + 4.0) ** -0.5
    np.testing.assert_allclose(found, expected / (counts / counts.sum() * expected).sum())
    assert found.dtype == np.float64
    assert counts.max() > 20, "the common classes should differ from the rare ones"


def test_by_counts_the_grid_takes_the_counts_of_the_file(prior):
    rebalance = {"kind": "counts", "power": 1.0, "offset": 1.0}
    found = prior.rebalancing_weights(objective("grid256", rebalance)).numpy()
    np.testing.assert_allclose(found * (prior.grid_counts + 1), found.max())


def test_a_saved_prior_is_loaded_again(prior, tmp_path):
    prior.save(tmp_path)
    loaded = Prior.load(tmp_path)
    for name, value in vars(prior).items():
        np.testing.assert_array_equal(getattr(loaded, name), value)
    assert [path.name for path in tmp_path.iterdir()] == ["prior.npz"]


def test_a_prior_is_saved_in_the_same_bytes_whenever(prior, tmp_path):
    """No time of day is in the file: an equal prior must not rerun the trainings."""
    for name in ("one", "two"):
        prior.save(tmp_path / name)
    one, two = (tmp_path / name / "prior.npz" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_prior_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ShardError, match="run `dvc repro prior` first"):
        Prior.load(tmp_path)


def test_the_prior_is_drawn_the_same_each_time(prior, tmp_path):
    for name in ("one.png", "two.png"):
        draw_prior(prior, tmp_path / name)
    first, second = ((tmp_path / name).read_bytes() for name in ("one.png", "two.png"))
    assert first == second
    assert first.startswith(b"\x89PNG")
