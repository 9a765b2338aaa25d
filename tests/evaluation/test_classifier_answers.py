"""What classifiers know: ranks and confidence of made logits, calibration by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from photochrom.color.bins import Bins, gamut313, grid256
from photochrom.data.shards import LabSet
from photochrom.evaluation import classifiers
from photochrom.evaluation.classifiers import (
    INTERVALS,
    Answers,
    Classifier,
    answers,
    bin_top1,
    bin_top5,
    calibration_error,
    confidence_sums,
)
from photochrom.evaluation.metrics import Comparison


def truth_of(where: Bins, places: Tensor) -> Tensor:
    """Return ab (n, 2, H, W) that lies on the centers of bins (n, H, W)."""
    return where.colors(places)


def random_logits(count: int = 4, bins: int = 313, side: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(count, bins, side, side, generator=generator)
    # Close to the first bins in the order of their logits, so that ranks of all kinds occur.
    order = logits.argsort(dim=1, descending=True)
    rank = torch.randint(0, 9, (count, 1, side, side), generator=generator)
    return logits, order.gather(1, rank)[:, 0]


@pytest.mark.parametrize("where", [gamut313(), grid256()], ids=lambda bins: bins.name)
def test_accuracies_are_those_of_sorted_logits(where: Bins) -> None:
    logits, true = random_logits(bins=len(where))
    found = answers(logits, truth_of(where, true), where)
    ranked = logits.topk(5, dim=1).indices
    first = (ranked[:, 0] == true).float().mean((1, 2))
    five = (ranked == true[:, None]).any(1).float().mean((1, 2))
    torch.testing.assert_close(bin_top1(found), 100 * first)
    torch.testing.assert_close(bin_top5(found), 100 * five)
    assert 0 < first.mean() < five.mean() < 1
    torch.testing.assert_close(found.confidence, logits.softmax(1).amax(1))


def test_the_truth_is_averaged_down_to_the_network() -> None:
    where, truth = gamut313(), torch.zeros(1, 2, 4, 4)
    # The mean of 0 and 40 is 20, a bin that no pixel is in.
    truth[..., ::2] = 40.0
    logits = torch.zeros(1, 313, 2, 2)
    logits[:, where.centers.tolist().index([20.0, 20.0])] = 5.0
    assert bin_top1(answers(logits, truth, where)).item() == 100.0
    assert bin_top1(answers(torch.zeros(1, 313, 4, 4) + logits[..., :1, :1], truth, where)) == 0.0


def test_a_network_that_finds_all_bins_alike_knows_none() -> None:
    found = answers(torch.zeros(1, 313, 2, 2), torch.zeros(1, 2, 2, 2), gamut313())
    assert bin_top1(found).item() == bin_top5(found).item() == 0.0
    torch.testing.assert_close(found.confidence, torch.full((1, 2, 2), 1 / 313))


def test_huge_logits_are_certain() -> None:
    logits = torch.full((1, 313, 2, 2), -1e4)
    logits[:, 7] = 1e4
    found = answers(logits, torch.zeros(1, 2, 2, 2), gamut313())
    assert (found.confidence == 1).all()
    assert confidence_sums(found)[0, 0].tolist() == [0.0] * 14 + [4.0]


def test_pieces_give_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, true = random_logits()
    whole = answers(logits, truth_of(gamut313(), true), gamut313())
    monkeypatch.setattr(classifiers, "PIECE", 1)
    parts = answers(logits, truth_of(gamut313(), true), gamut313())
    for name in ("confidence", "first", "among_five"):
        assert torch.equal(getattr(parts, name), getattr(whole, name))


def known(confidence: list[float], right: list[bool]) -> Answers:
    first = torch.tensor(right)[None, None]
    return Answers(torch.tensor(confidence, dtype=torch.float64)[None, None], first, first)


def test_the_calibration_error_by_hand() -> None:
    # Two pixels in (0.6, 0.667], one right; two in (0.933, 1], both right.
    found = known([0.62, 0.64, 0.95, 0.97], [True, False, True, True])
    sums = confidence_sums(found)
    assert sums.shape == (1, 3, INTERVALS)
    expected = (2 * abs(0.5 - 0.63) + 2 * abs(1 - 0.96)) / 4
    assert calibration_error(sums.reshape(1, -1))[0] == pytest.approx(100 * expected)


def test_a_confidence_on_the_edge_belongs_below() -> None:
    """Guo et al. 2017: the intervals are ((m - 1) / M, m / M]."""
    pixels = confidence_sums(known([0.2, 0.2000001, 1.0], [True] * 3))[0, 0]
    assert np.flatnonzero(pixels).tolist() == [2, 3, 14]


def test_calibration_sums_over_photographs_before_it_compares() -> None:
    one = confidence_sums(known([0.5, 0.5], [True, True]))
    other = confidence_sums(known([0.5, 0.5], [False, False]))
    both = (one + other).reshape(1, -1)
    assert calibration_error(both)[0] == pytest.approx(0.0)
    assert calibration_error(one.reshape(1, -1))[0] == pytest.approx(50.0)


@pytest.fixture
def watched(test_set: LabSet) -> tuple[Classifier, dict[str, Tensor], Answers]:
    """A classifier that looked at all photographs in pieces of 3, logits of random ranks."""
    logits, true = random_logits(len(test_set), side=4)
    truth = truth_of(gamut313(), true)
    classifier, parts = Classifier(test_set, gamut313()), []
    for rows in np.split(np.arange(len(test_set)), [20, 41]):
        observe = classifier.observer(truth[rows])
        for piece in logits[rows].split(3):
            observe(piece)
        pair = Comparison(torch.zeros(len(rows), 1, 4, 4), truth[rows], truth[rows])
        parts.append(classifier.measure(pair, rows))
    columns = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    return classifier, columns, answers(logits, truth, gamut313())


def test_what_was_watched_stands_in_the_rows_of_its_photographs(
    watched: tuple[Classifier, dict[str, Tensor], Answers],
) -> None:
    _, columns, expected = watched
    torch.testing.assert_close(columns["bin_top1"], bin_top1(expected))
    torch.testing.assert_close(columns["bin_top5"], bin_top5(expected))


def test_the_calibration_error_has_an_interval(
    watched: tuple[Classifier, dict[str, Tensor], Answers],
) -> None:
    classifier, _, expected = watched
    values, intervals = classifier.summarise(400, 0)
    whole = confidence_sums(expected).sum(0).reshape(1, -1)
    assert values["calibration_error"] == pytest.approx(calibration_error(whole)[0])
    low, high = intervals["calibration_error"]
    assert 0 < low < high < 100


def test_calibration_is_told_interval_by_interval(
    watched: tuple[Classifier, dict[str, Tensor], Answers], tmp_path: Path
) -> None:
    classifier, _, expected = watched
    classifier.save(tmp_path)
    table = pd.read_csv(tmp_path / "calibration.csv")
    assert table.columns.tolist() == ["low", "high", "pixels", "confidence", "accuracy"]
    assert len(table) == INTERVALS
    assert table["pixels"].sum() == expected.first.numel()
    confidence, right = expected.confidence.numpy(), expected.first.numpy()
    for interval in table.itertuples():
        mine = (confidence > interval.low) & (confidence <= interval.high)
        assert interval.pixels == mine.sum()
        if mine.any():
            assert interval.confidence == pytest.approx(100 * confidence[mine].mean(), abs=1e-4)
            assert interval.accuracy == pytest.approx(100 * right[mine].mean(), abs=1e-4)
        else:
            assert np.isnan([interval.confidence, interval.accuracy]).all()
