"""The protocol: every photograph measured once, in its row, and the set summed up."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from evaluation_kit import SIDE, stored_squares, write_lab_set
from PIL import Image
from torch import Tensor, nn

from photochrom.color.bins import gamut313
from photochrom.color.lab import decode_lab, lab_to_rgb8
from photochrom.colorizer import Colorizer
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet
from photochrom.evaluation.baselines import (
    evaluate_baselines,
    gray,
    mean_color,
    random_photograph,
    truth,
)
from photochrom.evaluation.evaluate import Sample, evaluate, evaluate_model, summarise
from photochrom.measures import MEASURES
from photochrom.params import BASELINES
from photochrom.params.models import DirectParams
from photochrom.params.pipeline import EvaluateParams

PARAMS = EvaluateParams(accuracy_threshold=0.05, pictures=5, resamples=200, seed=0)
OF_MODELS = {"milliseconds", "parameters"}


def lab_of(photographs: LabSet) -> Tensor:
    return decode_lab(torch.from_numpy(photographs.take(np.arange(len(photographs)))))


def sample_of(photographs: LabSet) -> Sample:
    lab = lab_of(photographs)
    return Sample(np.arange(len(lab)), lab[:, :1], lab[:, 1:])


class Warm(nn.Module):
    """Gives warmer colors where it is lighter."""

    def __init__(self) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.tensor([0.1, 0.2]))

    def forward(self, lightness: Tensor) -> Tensor:
        return (lightness + 1) * self.strength[None, :, None, None]


@pytest.fixture
def colorizer() -> Colorizer:
    direct = DirectParams(kind="direct")
    return Colorizer(Warm().eval(), 8, direct, None, SIDE, torch.device("cpu"))


def test_every_measure_is_summed_up(test_set: LabSet, prior: Prior, tmp_path: Path) -> None:
    numbers = evaluate(gray, test_set, prior, PARAMS, tmp_path)
    measured = {m.key for m in MEASURES} - OF_MODELS
    assert numbers.keys() == {"photographs", "interval"} | measured
    assert numbers["photographs"] == 70
    assert all(np.isfinite(numbers[key]) for key in measured)


def test_every_mean_lies_in_its_interval(test_set: LabSet, prior: Prior, tmp_path: Path) -> None:
    numbers = evaluate(mean_color(prior.mean_color), test_set, prior, PARAMS, tmp_path)
    assert numbers["interval"].keys() == {m.key for m in MEASURES} - OF_MODELS
    for key, (low, high) in numbers["interval"].items():
        assert low < numbers[key] < high
    again = evaluate(mean_color(prior.mean_color), test_set, prior, PARAMS, tmp_path)
    assert again == numbers


def test_the_table_has_a_row_a_photograph(test_set: LabSet, prior: Prior, tmp_path: Path) -> None:
    numbers = evaluate(gray, test_set, prior, PARAMS, tmp_path)
    table = pd.read_parquet(tmp_path / "per_image.parquet")
    assert table["id"].tolist() == test_set.index["id"].tolist()
    assert table["group"].tolist() == test_set.index["group"].tolist()
    assert set(table["label"]) == {"cat"}
    measured = {m.key for m in MEASURES} - OF_MODELS
    assert set(table.columns) == {"id", "group", "label", "picture", "auc_weight"} | measured
    for key in measured - {"auc_rebalanced"}:
        assert numbers[key] == pytest.approx(table[key].mean(), abs=1e-5)


def test_each_row_is_of_its_own_photograph(test_set: LabSet, prior: Prior, tmp_path: Path) -> None:
    """More photographs than are measured at once must not be mixed up."""
    evaluate(gray, test_set, prior, PARAMS, tmp_path)
    table = pd.read_parquet(tmp_path / "per_image.parquet")
    expected = lab_of(test_set)[:, 1:].double().square().mean((1, 2, 3))
    np.testing.assert_allclose(table["ab_mse"], expected, rtol=1e-5)


def test_rebalanced_auc_is_the_mean_over_all_pixels_of_the_set(
    test_set: LabSet, prior: Prior, tmp_path: Path
) -> None:
    numbers = evaluate(gray, test_set, prior, PARAMS, tmp_path)
    ab = lab_of(test_set)[:, 1:]
    nearest = gamut313().lookup(1, 5.0)[0][:, 0]
    rows = (ab[:, 0] + 128) * 256 + ab[:, 1] + 128
    weights = 1.0 / prior.prior[nearest[rows.long()].numpy()]
    distance = ab.square().sum(1).sqrt().numpy()
    within = [(weights * (distance <= t)).sum() / weights.sum() for t in range(151)]
    assert numbers["auc_rebalanced"] == pytest.approx(100 * np.mean(within), abs=1e-3)
    table = pd.read_parquet(tmp_path / "per_image.parquet")
    assert numbers["auc_rebalanced"] != pytest.approx(table["auc_rebalanced"].mean(), abs=1e-3)


def test_summing_up_weighs_only_what_has_weights() -> None:
    measured = {"auc": [80.0, 90.0], "auc_rebalanced": [50.0, 80.0], "auc_weight": [1.0, 2.0]}
    table = pd.DataFrame({"id": ["1", "2"], "group": ["a", "b"], **measured})
    numbers = summarise(table, PARAMS)
    assert numbers == {
        "photographs": 2,
        "auc_rebalanced": 70.0,
        "auc": 85.0,
        "interval": {"auc_rebalanced": [50.0, 80.0], "auc": [80.0, 90.0]},
    }
    assert summarise(table.assign(group="a"), PARAMS)["interval"] == {}


def test_the_truth_is_perfect_and_gray_is_gray(
    test_set: LabSet, prior: Prior, tmp_path: Path
) -> None:
    perfect = evaluate(truth, test_set, prior, PARAMS, tmp_path / "truth")
    assert (perfect["psnr"], perfect["ssim"], perfect["auc"]) == (60.0, 1.0, 100.0)
    assert (perfect["accuracy"], perfect["auc_rebalanced"]) == (100.0, 100.0)
    assert perfect["interval"]["auc_rebalanced"] == [100.0, 100.0]
    assert perfect["ciede2000"] == perfect["ab_mae"] == perfect["colorfulness_delta"] == 0.0
    plain = evaluate(gray, test_set, prior, PARAMS, tmp_path / "gray")
    assert plain["colorfulness"] == pytest.approx(0.0, abs=0.7)
    assert plain["colorfulness_delta"] == pytest.approx(-perfect["colorfulness"], abs=0.7)


def test_pictures_are_drawn_as_they_are_measured(
    test_set: LabSet, prior: Prior, tmp_path: Path
) -> None:
    evaluate(truth, test_set, prior, PARAMS, tmp_path)
    table = pd.read_parquet(tmp_path / "per_image.parquet")
    shown = table[table["picture"].notna()]
    stems = ["000", "001", "002", "003", "004"]
    assert shown["picture"].tolist() == stems
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [
        f"{stem}.png" for stem in stems
    ]
    assert shown["group"].nunique() == 5
    drawn = lab_to_rgb8(lab_of(test_set)).movedim(1, -1).numpy()
    for row, stem in shown["picture"].items():
        with Image.open(tmp_path / f"pictures/{stem}.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), drawn[row])


def test_every_colorizer_draws_the_same_photographs(
    test_set: LabSet, prior: Prior, tmp_path: Path, colorizer: Colorizer
) -> None:
    evaluate(gray, test_set, prior, PARAMS, tmp_path / "gray")
    evaluate_model(colorizer, test_set, prior, PARAMS, tmp_path / "model")
    tables = [pd.read_parquet(tmp_path / name / "per_image.parquet") for name in ("gray", "model")]
    pd.testing.assert_series_equal(tables[0]["picture"], tables[1]["picture"])


def test_fewer_photographs_than_pictures(prior: Prior, tmp_path: Path) -> None:
    few = LabSet.open(write_lab_set(tmp_path / "lab", stored_squares(2, 9)), "test")
    numbers = evaluate(gray, few, prior, PARAMS, tmp_path / "out")
    assert numbers["photographs"] == 2
    assert len(list((tmp_path / "out/pictures").iterdir())) == 2


def test_a_model_has_a_speed_and_a_size(
    test_set: LabSet, prior: Prior, tmp_path: Path, colorizer: Colorizer
) -> None:
    numbers = evaluate_model(colorizer, test_set, prior, PARAMS, tmp_path)
    assert numbers.keys() == {"photographs", "interval"} | {m.key for m in MEASURES}
    assert numbers["interval"].keys() == {m.key for m in MEASURES} - OF_MODELS
    assert numbers["parameters"] == 2
    assert numbers["milliseconds"] > 0
    assert json.loads((tmp_path / "metrics.json").read_text()) == numbers


def test_a_model_is_measured_by_the_colors_it_gives(
    test_set: LabSet, prior: Prior, tmp_path: Path, colorizer: Colorizer
) -> None:
    numbers = evaluate_model(colorizer, test_set, prior, PARAMS, tmp_path)
    lab = lab_of(test_set).double()
    given = lab[:, :1] / 50.0 * 110.0 * torch.tensor([0.1, 0.2])[None, :, None, None]
    expected = (given - lab[:, 1:]).abs().mean().item()
    assert numbers["ab_mae"] == pytest.approx(expected, rel=1e-4)


def test_a_model_never_sees_the_truth(
    test_set: LabSet, prior: Prior, tmp_path: Path, colorizer: Colorizer
) -> None:
    """Other true colors under the same lightness change its scores, never its answers."""
    squares = test_set.take(np.arange(len(test_set)))
    others = squares.copy()
    others[:, 1:] = 255 - others[:, 1:]
    other = LabSet.open(write_lab_set(tmp_path / "lab", others), "test")
    numbers = [
        evaluate_model(colorizer, photographs, prior, PARAMS, tmp_path / str(n))
        for n, photographs in enumerate((test_set, other))
    ]
    assert numbers[0]["ab_mae"] != numbers[1]["ab_mae"]
    assert numbers[0]["colorfulness"] == numbers[1]["colorfulness"]
    for path in sorted((tmp_path / "0/pictures").iterdir()):
        assert path.read_bytes() == (tmp_path / "1/pictures" / path.name).read_bytes()


def test_the_mean_color_is_that_of_the_training_photographs(
    lab: Path, test_set: LabSet, prior: Prior
) -> None:
    expected = lab_of(LabSet.open(lab, "train"))[:, 1:].double().mean((0, 2, 3))
    torch.testing.assert_close(prior.mean_color.double(), expected, rtol=1e-5, atol=1e-4)
    sample = sample_of(test_set)
    given = mean_color(prior.mean_color)(sample)
    assert given.shape == sample.truth.shape
    assert torch.equal(given[7, :, 3, 5], prior.mean_color)


def test_a_random_photograph_lends_its_colors(lab: Path, test_set: LabSet) -> None:
    train, sample = LabSet.open(lab, "train"), sample_of(test_set)
    given = random_photograph(train, len(test_set), 0)(sample)
    lenders = lab_of(train)[:, 1:]
    same = (given[:, None] == lenders[None]).flatten(2).all(2)
    assert (same.sum(1) == 1).all()
    assert len(set(same.float().argmax(1).tolist())) > 3
    again = random_photograph(train, len(test_set), 0)
    part = Sample(sample.rows[10:20], sample.lightness[10:20], sample.truth[10:20])
    assert torch.equal(again(part), given[10:20])
    assert not torch.equal(random_photograph(train, len(test_set), 1)(sample), given)


def test_all_baselines_are_written(lab: Path, prior: Prior, tmp_path: Path) -> None:
    evaluate_baselines(lab, prior, PARAMS, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(BASELINES)
    numbers = {
        name: json.loads((tmp_path / name / "metrics.json").read_text()) for name in BASELINES
    }
    for name in BASELINES:
        assert numbers[name]["photographs"] == 70
        assert not numbers[name].keys() & OF_MODELS
        assert (tmp_path / name / "per_image.parquet").is_file()
        assert len(list((tmp_path / name / "pictures").iterdir())) == 5
    assert numbers["truth"]["auc"] == 100.0
    # The mean minimises the squared error of the photographs it is the mean of.
    assert numbers["mean_color"]["ab_mse"] < numbers["random_photograph"]["ab_mse"]
