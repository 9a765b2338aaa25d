"""The soft cross-entropy: its value against NumPy, its gradient against autograd."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from photochrom.color.bins import Bins, gamut313, grid256
from photochrom.objectives.classification import cross_entropy
from photochrom.objectives.classification.cross_entropy import SoftCrossEntropy


def untied_colors(count: int, neighbours: int) -> np.ndarray:
    """Whole ab values whose nearest bins are no two equally far, so that all agree on them."""
    centers = gamut313().centers.numpy().astype(np.float64)
    draws = np.random.default_rng(0).integers(-80, 80, (40 * count, 2)).astype(np.float64)
    squares = np.sort(((draws[:, None] - centers) ** 2).sum(-1), axis=1)[:, : neighbours + 1]
    return draws[(np.diff(squares, axis=1) > 0).all(axis=1)][:count]


def dense_loss(
    logits: np.ndarray, ab: np.ndarray, neighbours: int, sigma: float, weights: np.ndarray
) -> float:
    """Zhang et al. 2016, equation 2, with one number per bin and pixel."""
    centers = gamut313().centers.numpy().astype(np.float64)
    total = 0.0
    for scores, color in zip(logits, ab, strict=True):
        squares = ((centers - color) ** 2).sum(-1)
        chosen = np.argsort(squares)[:neighbours]
        target = np.zeros(len(centers))
        target[chosen] = np.exp(-squares[chosen] / (2 * sigma**2))
        target /= target.sum()
        log_probabilities = scores - scores.max()
        log_probabilities -= np.log(np.exp(log_probabilities).sum())
        total += -weights[chosen[0]] * (target * log_probabilities).sum()
    return total / len(ab)


def as_pixels(values: np.ndarray, height: int) -> Tensor:
    """Turn (N, C) into a picture (1, C, height, N / height)."""
    return torch.from_numpy(values.T.reshape(1, values.shape[1], height, -1).copy()).float()


@pytest.mark.parametrize("neighbours", [1, 5, 10])
def test_loss_equals_the_dense_one(neighbours: int) -> None:
    ab = untied_colors(48, neighbours)
    rng = np.random.default_rng(1)
    logits, weights = rng.normal(0, 3, (48, 313)), rng.uniform(0.1, 6, 313)
    criterion = SoftCrossEntropy(gamut313(), neighbours, 5.0, torch.from_numpy(weights))
    found = criterion(as_pixels(logits, 6), as_pixels(ab, 6)).item()
    assert found == pytest.approx(dense_loss(logits, ab, neighbours, 5.0, weights), rel=1e-5)


def test_colors_count_at_the_nearest_one_that_is_stored() -> None:
    ab = untied_colors(48, 5)
    logits = np.random.default_rng(1).normal(0, 3, (48, 313))
    criterion = SoftCrossEntropy(gamut313(), 5, 5.0, None)
    moved = ab + np.random.default_rng(2).uniform(-0.49, 0.49, ab.shape)
    exact = criterion(as_pixels(logits, 6), as_pixels(ab, 6))
    assert torch.equal(criterion(as_pixels(logits, 6), as_pixels(moved, 6)), exact)


def test_knowing_nothing_costs_log_313_times_the_mean_weight() -> None:
    ab = untied_colors(48, 5)
    weights = torch.rand(313, generator=torch.Generator().manual_seed(0)) * 5
    picture = as_pixels(ab, 6)
    nearest = gamut313().nearest(picture.movedim(1, -1))
    found = SoftCrossEntropy(gamut313(), 5, 5.0, weights)(torch.full((1, 313, 6, 8), 7.0), picture)
    expected = math.log(313) * weights[nearest].mean().item()
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_one_neighbour_is_the_hard_cross_entropy() -> None:
    picture = as_pixels(untied_colors(48, 1), 6)
    logits = torch.randn(1, 313, 6, 8, generator=torch.Generator().manual_seed(0))
    hard = torch.nn.functional.cross_entropy(logits, gamut313().nearest(picture.movedim(1, -1)))
    found = SoftCrossEntropy(gamut313(), 1, 5.0, None)(logits, picture)
    torch.testing.assert_close(found, hard)


def test_huge_logits_stay_finite() -> None:
    picture = as_pixels(untied_colors(48, 5), 6)
    logits = torch.randn(1, 313, 6, 8) * 1e6
    logits.requires_grad_()
    loss = SoftCrossEntropy(gamut313(), 5, 5.0, None)(logits, picture)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def plain_loss(logits: Tensor, picture: Tensor, neighbours: int, weights: Tensor) -> Tensor:
    """Return the same with a dense target, log-softmax and all that autograd keeps of them."""
    indices, shares = gamut313().soft_encode(picture.movedim(1, -1), neighbours, 5.0)
    target = torch.zeros(*indices.shape[:-1], 313).scatter(-1, indices, shares)
    log_probabilities = logits.float().movedim(1, -1).log_softmax(-1)
    loss: Tensor = -(weights[indices[..., 0]] * (target * log_probabilities).sum(-1)).mean()
    return loss


def example(neighbours: int, scale: float = 3.0) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits (2, 313, 3, 8), colors and the bins' weights."""
    generator = torch.Generator().manual_seed(3)
    picture = as_pixels(untied_colors(48, neighbours), 6).reshape(2, 2, 6, 4).contiguous()
    logits = torch.randn(2, 313, 6, 4, generator=generator) * scale
    return logits, picture, torch.rand(313, generator=generator) * 6 + 0.1


def slope(loss: Tensor, logits: Tensor) -> Tensor:
    [found] = torch.autograd.grad(loss, logits)
    return found


@pytest.mark.parametrize("neighbours", [1, 5, 10])
@pytest.mark.parametrize("factor", [1.0, 3.0, -0.125])
@pytest.mark.parametrize("pixels", [None, 7, 1], ids=["one piece", "pieces", "pixel by pixel"])
def test_gradient_equals_that_of_autograd(
    neighbours: int, factor: float, pixels: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pixels is not None:
        monkeypatch.setattr(cross_entropy, "PIECE", 313 * pixels)
    logits, picture, weights = example(neighbours)
    logits.requires_grad_()
    found = SoftCrossEntropy(gamut313(), neighbours, 5.0, weights)(logits, picture)
    expected = plain_loss(logits, picture, neighbours, weights)
    torch.testing.assert_close(found, expected)
    ours, plain = slope(found * factor, logits), slope(expected * factor, logits)
    assert plain.abs().max() > 1e-3
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-7)


def test_gradient_in_low_precision_is_the_exact_one_rounded() -> None:
    logits, picture, weights = example(5)
    low = logits.bfloat16().requires_grad_()
    same = low.detach().float().requires_grad_()
    found = SoftCrossEntropy(gamut313(), 5, 5.0, weights)(low, picture)
    expected = plain_loss(same, picture, 5, weights)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)
    rounded, exact = slope(3 * found, low), slope(3 * expected, same)
    assert rounded.dtype == torch.bfloat16
    # bfloat16 has 8 significant bits; rounded once in the gradient, once with the factor.
    torch.testing.assert_close(rounded.float(), exact, rtol=2**-7, atol=1e-7)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_layout_in_memory_changes_nothing(layout: torch.memory_format) -> None:
    logits, picture, weights = example(5)
    placed = logits.to(memory_format=layout).requires_grad_()
    loss = SoftCrossEntropy(gamut313(), 5, 5.0, weights)(placed, picture)
    plain = logits.clone().requires_grad_()
    expected = slope(plain_loss(plain, picture, 5, weights), plain)
    torch.testing.assert_close(slope(loss, placed), expected, rtol=1e-4, atol=1e-7)


def test_the_number_of_pieces_changes_the_loss_by_rounding_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logits, picture, weights = example(5)
    criterion = SoftCrossEntropy(gamut313(), 5, 5.0, weights)
    whole = criterion(logits, picture).item()
    for piece in (1, 313 * 5, 313 * 48, 10**9):
        monkeypatch.setattr(cross_entropy, "PIECE", piece)
        assert criterion(logits, picture).item() == pytest.approx(whole, rel=1e-6)


def test_without_a_wish_for_gradients_the_loss_is_the_same() -> None:
    logits, picture, weights = example(5)
    criterion = SoftCrossEntropy(gamut313(), 5, 5.0, weights)
    wanted = criterion(logits.clone().requires_grad_(), picture)
    with torch.inference_mode():
        inferred = criterion(logits.clone(), picture)
    assert not inferred.requires_grad
    assert torch.equal(inferred, wanted.detach())
    assert not criterion(logits, picture).requires_grad


def test_a_gradient_flows_on_to_what_made_the_logits() -> None:
    logits, picture, weights = example(5)
    scale = torch.tensor(1.5, requires_grad=True)
    loss = SoftCrossEntropy(gamut313(), 5, 5.0, weights)(logits * scale, picture)
    expected = slope(plain_loss(logits * scale, picture, 5, weights), scale)
    torch.testing.assert_close(slope(loss, scale), expected, rtol=1e-4, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 5)
)
def test_logits_that_stand_for_several_pixels_lose_what_their_copies_would(
    repeats: int, count: int, height: int, width: int, neighbours: int
) -> None:
    generator = torch.Generator().manual_seed(repeats + 7 * width)
    logits = torch.randn(count, 313, height, width, generator=generator).requires_grad_()
    ab = torch.randn(count, 2, repeats * height, repeats * width, generator=generator) * 40
    criterion = SoftCrossEntropy(gamut313(), neighbours, 5.0, torch.rand(313, generator=generator))
    copies = logits.repeat_interleave(repeats, 2).repeat_interleave(repeats, 3)
    found, expected = criterion(logits, ab, repeats), criterion(copies, ab)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(slope(found, logits), slope(expected, logits), rtol=1e-4, atol=1e-7)


def test_huge_logits_give_the_gradient_of_a_certain_choice() -> None:
    """Softmax is one-hot there: the weight goes to the chosen bin, and the target is taken off."""
    logits, picture, weights = example(5, scale=1e6)
    logits.requires_grad_()
    found = slope(SoftCrossEntropy(gamut313(), 5, 5.0, weights)(logits, picture), logits)
    indices, shares = gamut313().soft_encode(picture.movedim(1, -1), 5, 5.0)
    target = torch.zeros(2, 6, 4, 313).scatter(-1, indices, shares)
    chosen = torch.nn.functional.one_hot(logits.argmax(1), 313)
    expected = weights[indices[..., :1]] * (chosen - target) / 48
    torch.testing.assert_close(found.movedim(1, -1), expected, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("where", [gamut313(), grid256()], ids=lambda where: where.name)
def test_each_pixel_weighs_as_its_nearest_bin(where: Bins) -> None:
    weights = torch.zeros(len(where))
    color = torch.tensor([33.0, -21.0])
    weights[where.nearest(color)] = 2.5
    picture = color[None, :, None, None].repeat(1, 1, 1, 4)
    picture[..., 2:] = -60.0
    loss = SoftCrossEntropy(where, 5, 5.0, weights)(torch.zeros(1, len(where), 1, 4), picture)
    assert loss.item() == pytest.approx(math.log(len(where)) * 2.5 / 2, rel=1e-5)
