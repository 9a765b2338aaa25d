"""The 313 bins, the grid of study 001, soft codes, priors and rebalancing weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import NearestNeighbors

from photochrom.color import bins
from photochrom.color.bins import gamut313, grid256
from photochrom.color.lab import rgb_to_lab

# The published table, pts_in_hull.npy of Zhang et al. 2016: a, least b, greatest b, each 10 apart.
PUBLISHED = (
    (-90, 50, 90), (-80, 20, 90), (-70, 0, 90), (-60, -20, 90), (-50, -30, 100),
    (-40, -40, 100), (-30, -50, 100), (-20, -50, 100), (-10, -60, 100), (0, -70, 100),
    (10, -80, 90), (20, -80, 90), (30, -90, 90), (40, -100, 90), (50, -100, 80),
    (60, -110, 80), (70, -110, 80), (80, -110, 70), (90, -110, 70), (100, -90, 0),
)  # fmt: skip
SETS = pytest.mark.parametrize("where", [gamut313(), grid256()], ids=["gamut313", "grid256"])


@pytest.fixture(scope="module")
def imagenet_prior() -> torch.Tensor:
    """Return the published prior of ImageNet, to four digits."""
    path = Path(__file__).with_name("imagenet_prior.txt")
    return torch.from_numpy(np.loadtxt(path, dtype=np.float64))


def some_colors(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 2, generator=torch.Generator().manual_seed(seed)) * 200 - 100


def ab_of(*axes: torch.Tensor) -> torch.Tensor:
    """Return the ab (n, 2) of all sRGB colors with these levels of red, green and blue."""
    return rgb_to_lab(torch.cartesian_prod(*axes).T[:, :, None])[1:, :, 0].T


def brute_force_code(where: bins.Bins, ab: torch.Tensor, neighbours: int, sigma: float):
    """Return the dense soft codes (n, Q) in double precision, with numpy alone."""
    centers = where.centers.numpy().astype(np.float64)
    squares = ((ab.numpy().astype(np.float64)[:, None] - centers) ** 2).sum(-1)
    chosen = np.argsort(squares, axis=1, kind="stable")[:, :neighbours]
    weights = np.exp(-np.take_along_axis(squares, chosen, 1) / (2 * sigma**2))
    dense = np.zeros(squares.shape)
    np.put_along_axis(dense, chosen, weights / weights.sum(1, keepdims=True), 1)
    return dense


def dense(where: bins.Bins, indices: torch.Tensor, weights: torch.Tensor) -> np.ndarray:
    return torch.zeros(len(indices), len(where)).scatter_(1, indices, weights).numpy()


def test_the_313_bins_are_the_published_table_in_its_order():
    published = [[a, b] for a, least, most in PUBLISHED for b in range(least, most + 1, 10)]
    assert len(published) == 313
    assert gamut313().centers.tolist() == published


def test_bins_come_a_ascending_then_b_ascending():
    for where in (gamut313(), grid256()):
        centers = [tuple(center) for center in where.centers.tolist()]
        assert centers == sorted(set(centers))


def test_52_of_the_313_are_never_the_nearest_of_an_srgb_color():
    """Hence a hard histogram is no prior: it has zeros there.

    All levels along the cube's edges and every tenth inside meet what the whole cube meets.
    """
    inside, edge, ends = torch.linspace(0, 1, 26), torch.linspace(0, 1, 256), torch.tensor([0.0, 1])
    met = {
        index
        for axes in ([inside] * 3, [edge, ends, ends], [ends, edge, ends], [ends, ends, edge])
        for part in ab_of(*axes).split(16384)
        for index in gamut313().nearest(part).tolist()
    }
    assert 313 - len(met) == 52
    hidden = gamut313().centers[sorted(set(range(313)) - met)].tolist()
    assert all(corner in hidden for corner in ([100, 0], [-90, 90], [0, 100], [60, -110]))


def test_the_grid_is_that_of_study_001():
    stored = (grid256().centers + 128).long()
    assert len(grid256()) == 256
    assert stored[:, 0].unique().tolist() == list(range(8, 256, 16))
    assert stored[:16, 1].tolist() == list(range(8, 256, 16))


@given(st.integers(0, 255), st.integers(0, 255))
def test_the_class_on_the_grid_is_that_of_rounding_to_its_levels(a, b):
    """Halfway between two levels (multiples of 16) it is the lower one."""
    expected = 16 * (max(a - 1, 0) // 16) + max(b - 1, 0) // 16
    assert int(grid256().nearest(torch.tensor([a - 128.0, b - 128.0]))) == expected


def test_the_class_on_the_grid_is_the_floor_between_the_ties():
    ab = bins.lattice()
    stored = (ab + 128).long()
    untied = (stored % 16 != 0).all(1)
    floor = 16 * (stored[:, 0] // 16) + stored[:, 1] // 16
    assert torch.equal(grid256().nearest(ab)[untied], floor[untied])


def test_bins_are_found_by_name():
    assert bins.bins("gamut313") is gamut313()
    assert bins.bins("grid256") is grid256()
    with pytest.raises(KeyError):
        bins.bins("octree")


@SETS
def test_every_center_is_nearest_to_itself(where):
    assert torch.equal(where.nearest(where.centers), torch.arange(len(where)))


def test_nearest_is_no_floor_by_tens():
    """(a + 5) // 10 or a plain floor puts negative values and the border into wrong bins."""
    colors = torch.tensor([[-4.0, -4.0], [4.0, 4.0], [6.0, -6.0], [99.0, 99.0], [-120.0, 0.0]])
    centers = gamut313().centers[gamut313().nearest(colors)]
    assert centers.tolist()[:3] == [[0, 0], [0, 0], [10, -10]]
    distances = np.linalg.norm(colors.numpy()[:, None] - gamut313().centers.numpy(), axis=-1)
    found = np.linalg.norm(colors.numpy() - centers.numpy(), axis=-1)
    np.testing.assert_allclose(found, distances.min(1), atol=1e-4)


@SETS
def test_nearest_keeps_the_shape(where):
    ab = some_colors(24).reshape(2, 3, 4, 2)
    assert where.nearest(ab).shape == (2, 3, 4)
    assert torch.equal(where.nearest(ab).flatten(), where.nearest(ab.reshape(-1, 2)))


@SETS
@pytest.mark.parametrize(("neighbours", "sigma"), [(1, 5.0), (5, 5.0), (10, 5.0), (32, 40.0)])
def test_soft_codes_are_those_of_the_formula(where, neighbours, sigma):
    ab = some_colors(500)
    indices, weights = where.soft_encode(ab, neighbours, sigma)
    expected = brute_force_code(where, ab, neighbours, sigma)
    np.testing.assert_allclose(dense(where, indices, weights), expected, atol=1e-4)


def test_soft_codes_are_those_of_the_published_code():
    """Zhang et al. take the neighbours from scikit-learn."""
    ab = some_colors(300, seed=2)
    near = NearestNeighbors(n_neighbors=10, algorithm="ball_tree").fit(gamut313().centers.numpy())
    distances, expected = near.kneighbors(ab.numpy())
    shares = np.exp(-(distances**2) / (2 * 5.0**2))
    shares /= shares.sum(axis=1, keepdims=True)
    indices, weights = gamut313().soft_encode(ab, 10, 5.0)
    assert (indices.numpy() == expected).mean() > 0.999
    np.testing.assert_allclose(weights.numpy(), shares, atol=1e-4)


@SETS
@given(
    st.lists(st.tuples(st.floats(-128, 127), st.floats(-128, 127)), min_size=1, max_size=8),
    st.integers(1, 32),
    st.floats(0.01, 100),
)
def test_soft_codes_sum_to_one_with_the_nearest_first(where, colors, neighbours, sigma):
    """Also where every exp(-d^2 / (2 sigma^2)) underflows to 0."""
    indices, weights = where.soft_encode(torch.tensor(colors), neighbours, sigma)
    assert indices.shape == weights.shape == (len(colors), neighbours)
    assert torch.allclose(weights.sum(-1), torch.ones(len(colors)), atol=1e-5)
    assert (weights.diff(dim=-1) <= 1e-7).all()
    assert all(len(set(row)) == neighbours for row in indices.tolist())


def test_soft_code_of_a_center_is_worked_out_by_hand():
    """A center of the grid: itself, four neighbours at 10 and four at 14.1."""
    indices, weights = gamut313().soft_encode(torch.tensor([10.0, 10.0]), 9, 5.0)
    around = gamut313().centers[indices] - torch.tensor([10.0, 10.0])
    assert around[0].tolist() == [0, 0]
    shares = np.exp(-np.array([0] + [100] * 4 + [200] * 4) / 50)
    np.testing.assert_allclose(weights.numpy(), shares / shares.sum(), atol=1e-6)


def test_soft_code_of_zhang_depends_on_how_many_neighbours_share():
    five, ten = (gamut313().soft_encode(torch.tensor([3.0, 4.0]), k, 5.0)[1] for k in (5, 10))
    assert torch.allclose(ten[:5] / ten[:5].sum(), five, atol=1e-6)
    assert ten[0] < five[0]


@SETS
def test_the_lookup_holds_the_direct_code_of_every_stored_color(where):
    indices, weights = where.lookup(10, 5.0)
    rows = torch.randperm(65536, generator=torch.Generator().manual_seed(3))[:5000]
    direct = where.soft_encode(bins.lattice()[rows], 10, 5.0)
    assert torch.equal(indices[rows], direct[0])
    assert torch.equal(weights[rows], direct[1])
    assert where.lookup(10, 5.0)[0] is indices


@SETS
def test_equally_near_bins_are_taken_by_index_whatever_their_number(where):
    """Else a gray pixel's class would depend on k and on the machine."""
    nearest = where.nearest(bins.lattice())
    first = where.lookup(1, 5.0)[0]
    assert torch.equal(first[:, 0], nearest)
    assert torch.equal(where.lookup(10, 5.0)[0][:, 0], nearest)
    assert torch.equal(where.lookup(5, 5.0)[0], where.lookup(10, 5.0)[0][:, :5])


def test_rows_of_the_lookup_are_those_of_the_lattice():
    rows = torch.tensor([0, 255, 256, 65535, 128 * 256 + 128])
    ab = bins.lattice()[rows]
    assert ab.tolist() == [[-128, -128], [-128, 127], [-127, -128], [127, 127], [0, 0]]
    picture = ab.T[None, :, :, None]
    assert bins.lattice_rows(picture).flatten().tolist() == rows.tolist()


def test_rows_of_the_lookup_round_and_clamp():
    ab = torch.tensor([[-0.4, -1.4, 500.0, -500.0], [0.4, -0.6, -500.0, 500.0]])[None, :, :, None]
    expected = [128 * 256 + 128, 127 * 256 + 127, 255 * 256, 255]
    assert bins.lattice_rows(ab).flatten().tolist() == expected


@SETS
def test_expectation_of_certainty_is_the_center(where):
    indices = torch.arange(len(where))
    certain = torch.eye(len(where))[:, :, None, None]
    assert torch.equal(where.expectation(certain)[:, :, 0, 0], where.centers)
    assert torch.equal(where.colors(indices[:, None, None])[:, :, 0, 0], where.centers)


def test_expectation_is_the_mean_of_the_centers():
    probabilities = torch.zeros(1, 313, 2, 3)
    probabilities[:, 10], probabilities[:, 200] = 0.25, 0.75
    centers = gamut313().centers
    expected = 0.25 * centers[10] + 0.75 * centers[200]
    assert torch.allclose(
        gamut313().expectation(probabilities), expected[None, :, None, None].expand(1, 2, 2, 3)
    )


def test_colors_keep_their_pixels():
    indices = torch.tensor([[[0, 1, 2], [3, 4, 312]]])
    colors = gamut313().colors(indices)
    assert colors.shape == (1, 2, 2, 3)
    assert colors[0, :, 1, 2].tolist() == gamut313().centers[312].tolist()


@SETS
def test_distribution_of_one_color_is_its_soft_code(where):
    counts = torch.zeros(256, 256, dtype=torch.int64)
    counts[128 + 20, 128 - 30] = 7
    found = bins.distribution(counts, where, 10, 5.0)
    expected = brute_force_code(where, torch.tensor([[20.0, -30.0]]), 10, 5.0)[0]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_distribution_is_the_mean_soft_code_of_the_pixels():
    generator = torch.Generator().manual_seed(4)
    stored = torch.randint(60, 200, (400, 2), generator=generator)
    counts = torch.zeros(256, 256, dtype=torch.int64)
    counts.index_put_(tuple(stored.T), torch.ones(400, dtype=torch.int64), accumulate=True)
    found = bins.distribution(counts, gamut313(), 10, 5.0)
    expected = brute_force_code(gamut313(), stored.float() - 128, 10, 5.0).mean(0)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
    assert found.dtype == torch.float64
    assert float(found.sum()) == pytest.approx(1, abs=1e-12)


def test_soft_prior_has_mass_where_no_color_is_nearest():
    """Of all sRGB colors alike, a hard histogram leaves some 52 bins without any."""
    ab = ab_of(*[torch.linspace(0, 1, 33)] * 3)
    rows = bins.lattice_rows(ab.T[None, :, :, None]).flatten()
    counts = torch.bincount(rows, minlength=65536)
    hard = bins.distribution(counts, gamut313(), 1, 5.0)
    soft = bins.distribution(counts, gamut313(), 10, 5.0)
    assert (hard == 0).sum() >= 52
    assert (soft == 0).sum() == 0


@settings(max_examples=30)
@given(arrays(np.float64, 313, elements=st.floats(0, 1)), st.just(0.0) | st.floats(0.01, 50))
def test_smoothing_keeps_the_sum(mass, sigma):
    prior = torch.from_numpy((mass + 1e-9) / (mass + 1e-9).sum())
    smoothed = bins.smooth(prior, gamut313(), sigma)
    assert float(smoothed.sum()) == pytest.approx(1, abs=1e-6)
    assert (smoothed >= 0).all()


def test_smoothing_spreads_a_peak_evenly_and_0_leaves_it():
    peak = torch.zeros(313, dtype=torch.float64)
    middle = int(gamut313().nearest(torch.zeros(2)))
    peak[middle] = 1
    assert bins.smooth(peak, gamut313(), 0) is peak
    smoothed = bins.smooth(peak, gamut313(), 5.0)
    sides = gamut313().nearest(torch.tensor([[10.0, 0], [-10, 0], [0, 10], [0, -10]]))
    assert smoothed.argmax() == middle
    np.testing.assert_allclose(
        (smoothed[sides] / smoothed[middle]).numpy(), np.full(4, np.exp(-2)), rtol=1e-5
    )


@given(st.floats(0, 1e6), st.floats(1e-3, 1e6))
def test_pseudo_counts_are_samples_of_even_colors(samples, pseudo):
    prior = torch.zeros(313, dtype=torch.float64)
    prior[5] = 1
    mixed = bins.with_pseudo_counts(prior, samples, pseudo)
    assert float(mixed.sum()) == pytest.approx(1, abs=1e-9)
    assert float(mixed[0]) == pytest.approx(pseudo / 313 / (samples + pseudo))
    assert float(mixed[5]) == pytest.approx((samples + pseudo / 313) / (samples + pseudo))


def test_no_pseudo_counts_change_nothing(imagenet_prior):
    assert torch.allclose(bins.with_pseudo_counts(imagenet_prior, 100, 0), imagenet_prior)


def test_rebalancing_weights_of_imagenet_are_the_published_ones(imagenet_prior):
    assert int(imagenet_prior.argmax()) == int(gamut313().nearest(torch.zeros(2)))
    assert float(imagenet_prior.max()) == pytest.approx(0.2012, abs=1e-4)
    weights = bins.rebalancing_weights(imagenet_prior, 0.5)
    found = [weights.min(), weights.max(), weights.mean(), weights.median()]
    assert [float(value) for value in found] == pytest.approx(
        [0.0965, 6.1749, 5.1749, 5.9987], abs=1e-4
    )


@given(
    arrays(np.float64, 50, elements=st.one_of(st.just(0.0), st.floats(1e-12, 1))),
    st.just(0.0) | st.floats(1e-6, 1),
)
def test_rebalancing_weights_are_finite_and_of_mean_one(mass, mix):
    """Bins of probability 0 must not give infinite weights, which would give a loss of NaN."""
    mass[0] += 1e-3
    prior = torch.from_numpy(mass / mass.sum())
    weights = bins.rebalancing_weights(prior, mix)
    assert torch.isfinite(weights).all()
    assert (weights > 0).all()
    assert float((prior * weights).sum()) == pytest.approx(1, rel=1e-9)
    assert float(weights[prior.argmin()]) == pytest.approx(float(weights.max()))


def test_rebalancing_is_none_at_mix_1_and_the_inverse_at_mix_0():
    prior = torch.tensor([0.7, 0.2, 0.1, 0.0], dtype=torch.float64)
    assert torch.allclose(bins.rebalancing_weights(prior, 1.0), torch.ones(4).double())
    inverse = bins.rebalancing_weights(prior, 0.0)
    assert torch.allclose(inverse[:3] * prior[:3], torch.full((3,), 1 / 3).double())
    assert inverse[3] == inverse[2]


def test_rebalancing_follows_the_formula():
    prior = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    inverse = 1 / (0.25 * prior + 0.75 / 3)
    assert torch.allclose(bins.rebalancing_weights(prior, 0.75), inverse / (prior * inverse).sum())


@given(
    arrays(np.int64, 40, elements=st.integers(0, 10**7)),
    st.floats(0, 4),
    st.floats(1, 1e6),
)
def test_count_weights_are_finite_ordered_and_of_mean_one(counts, power, offset):
    counts[0] += 1
    weights = bins.count_weights(torch.from_numpy(counts), power, offset).numpy()
    assert np.isfinite(weights).all()
    assert (counts / counts.sum() * weights).sum() == pytest.approx(1, rel=1e-9)
    order = np.argsort(counts)
    assert (np.diff(weights[order]) <= 1e-12 * weights.max()).all()


def test_count_weights_are_those_of_study_001():
    """Its equation 1: w = 1 / sqrt(n + 1e5); only the ratios matter, the mean is 1."""
    counts = np.array([3_400_000, 250_000, 1, 0])
    found = bins.count_weights(torch.from_numpy(counts), 0.5, 1e5).numpy()
    published = 1 / np.sqrt(counts + 1e5)
    np.testing.assert_allclose(found / found[0], published / published[0], rtol=1e-12)
    assert found[3] / found[0] == pytest.approx(np.sqrt(35))
    assert (counts / counts.sum() * found).sum() == pytest.approx(1)


def test_count_weights_of_power_0_are_ones_and_of_power_1_the_inverse():
    counts = torch.tensor([5, 80, 0, 15])
    assert torch.allclose(bins.count_weights(counts, 0, 10.0), torch.ones(4).double())
    inverse = bins.count_weights(counts, 1, 10.0)
    assert torch.allclose(inverse * (counts + 10), (inverse[0] * 15).expand(4))


@given(arrays(np.uint8, (2, 3, 4, 4), elements=st.integers(0, 255)))
def test_lattice_histogram_counts_every_pixel_once(stored):
    counts = bins.lattice_histogram(stored)
    assert counts.sum() == 2 * 16
    expected = np.zeros((256, 256), dtype=np.int64)
    for a, b in zip(stored[:, 1].ravel(), stored[:, 2].ravel(), strict=True):
        expected[a, b] += 1
    np.testing.assert_array_equal(counts, expected)
