"""(c) Soft encoding against scikit-learn, and the classification loss against the dense one."""

import multiprocessing
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from measuring import Better, Found, Row, Setting, Spread, Work, forget_peak, peak
from photochrom import hardware
from photochrom.color.bins import gamut313, lattice_rows
from photochrom.objectives.classification.cross_entropy import SoftCrossEntropy

NEIGHBORS, SIGMA, BINS = 5, 5.0, 313
ENCODING_GOAL = 30.0
SHAPES = {False: (16, 64), True: (8, 32)}
"""Photographs and their side; quick ones second."""
MEBIBYTE = 2**20


def rows(setting: Setting) -> Found:
    """Measure a batch of colors drawn at random, as encoding asks every pixel the same."""
    count, side = SHAPES[setting.quick]
    ab = _colors(count, side)
    indices, shares = gamut313().lookup(NEIGHBORS, SIGMA)
    encode = partial(_encode, ab, indices, shares)
    try:
        from sklearn.neighbors import NearestNeighbors
    except ImportError:
        yield "scikit-learn's neighbors were left out: install scikit-learn."
    else:
        found = NearestNeighbors(n_neighbors=NEIGHBORS, algorithm="ball_tree")
        found.fit(gamut313().centers.numpy())
        for title, rival in (("codes", _neighbors), ("codes and dense target", _dense_target)):
            yield setting.rival(
                f"soft encoding of {count} x {side} px, against scikit-learn's {title}",
                encode, partial(rival, found, ab), goal=ENCODING_GOAL, rounds=setting.few,
            )  # fmt: skip
    yield from _losses(setting, count, side)


def _colors(count: int, side: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 25 * torch.randn(count, 2, side, side, generator=generator)


def _encode(ab: Tensor, indices: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    rows_of_table = lattice_rows(ab)
    return indices[rows_of_table], shares[rows_of_table]


def _neighbors(found: object, ab: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Search the nearest bins of each pixel, as Zhang et al.'s code does (2016, nnenc)."""
    pixels = ab.movedim(1, -1).reshape(-1, 2).numpy()
    distances, indices = found.kneighbors(pixels)  # type: ignore[attr-defined]
    shares = np.exp(-(distances**2) / (2 * SIGMA**2))
    return indices, shares / shares.sum(axis=1, keepdims=True)


def _dense_target(found: object, ab: Tensor) -> np.ndarray:
    """Write the shares into a target with a value for each bin, as that code does."""
    indices, shares = _neighbors(found, ab)
    target = np.zeros((len(indices), BINS))
    target[np.arange(len(indices))[:, None], indices] = shares
    return target


def _losses(setting: Setting, count: int, side: int) -> Found:
    device = setting.device
    own = _backward(_own, count, side, device)
    for name, other in (("a dense target", _dense), ("log-softmax and gather", _gathered)):
        title = f"classification loss of {count} x {side} px, against {name}"
        yield setting.rival(title, own, _backward(other, count, side, device))
    say_name = f"memory of the classification loss of {count} x {side} px"
    least = memory(_own, count, side, device)
    for name, other in (("a dense target", _dense), ("log-softmax and gather", _gathered)):
        most = memory(other, count, side, device)
        yield _memory_row(f"{say_name}, against {name}", least, most)


def _memory_row(name: str, ours: float, theirs: float) -> Row:
    ratio = max(theirs, 1.0) / max(ours, 1.0)
    note = f"{ours:.0f} against {theirs:.0f} MiB"
    better: Better = "higher"
    return Row("", name, Spread(ratio, ratio, ratio), "x less", better, note=note)


Loss = Callable[[SoftCrossEntropy, Tensor, Tensor], Tensor]


def _backward(loss: Loss, count: int, side: int, device: torch.device) -> Work:
    """Return the loss and its gradient, of logits in the precision of networks here."""
    criterion = SoftCrossEntropy(gamut313(), NEIGHBORS, SIGMA, torch.ones(BINS)).to(device)
    precision = hardware.precision(device)
    logits = torch.zeros(count, BINS, side, side, dtype=precision, device=device)
    logits = logits.contiguous(memory_format=torch.channels_last).requires_grad_()
    ab = _colors(count, side).to(device)

    def work() -> None:
        logits.grad = None
        loss(criterion, logits, ab).backward()

    return work


def _own(criterion: SoftCrossEntropy, logits: Tensor, ab: Tensor) -> Tensor:
    loss: Tensor = criterion(logits, ab)
    return loss


def _dense(criterion: SoftCrossEntropy, logits: Tensor, ab: Tensor) -> Tensor:
    """Zhang et al. 2016, equation 2, with a target of all bins at each pixel."""
    colors = lattice_rows(ab)
    indices, shares = (t[colors].movedim(-1, 1) for t in (criterion.indices, criterion.shares))
    target = torch.zeros(logits.shape, device=logits.device).scatter_(1, indices, shares)
    entropy = -(target * logits.float().log_softmax(1)).sum(1)
    return (entropy * criterion.pixel_weights[colors]).mean()


def _gathered(criterion: SoftCrossEntropy, logits: Tensor, ab: Tensor) -> Tensor:
    colors = lattice_rows(ab)
    indices, shares = (t[colors].movedim(-1, 1) for t in (criterion.indices, criterion.shares))
    entropy = -(logits.float().log_softmax(1).gather(1, indices) * shares).sum(1)
    return (entropy * criterion.pixel_weights[colors]).mean()


def memory(loss: Loss, count: int, side: int, device: torch.device) -> float:
    """Return the memory in MiB that a loss and its gradient take beyond the logits."""
    if device.type != "cuda":
        with multiprocessing.get_context("spawn").Pool(1) as process:
            return process.apply(_resident, (loss, count, side))
    work = _backward(loss, count, side, device)
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    work()
    return (torch.cuda.max_memory_allocated() - before) / MEBIBYTE


def _resident(loss: Loss, count: int, side: int) -> float:
    """Measure in this process, which has done nothing else before."""
    device = torch.device("cpu")
    _backward(loss, 1, 8, device)()
    work = _backward(loss, count, side, device)
    forget_peak()
    before = peak()
    work()
    return peak() - before
