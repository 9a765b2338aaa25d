"""The protocol: every photograph measured once, in its row, and the set summed up."""

import json
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import pytest
import torch
from evaluation_kit import SIDE, stored_squares, write_lab_set
from PIL import Image
from torch import Tensor, nn

from photochrom.color.bins import gamut313
from photochrom.color.lab import decode_lab, lab_to_rgb8
from photochrom.colorizer.prediction import Predictor
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
from photochrom.evaluation.metrics import Comparison
from photochrom.evaluation.recorder import Recorder, Summary
from photochrom.files import write_json
from photochrom.measures import MEASURES
from photochrom.params import BASELINES
from photochrom.params.models import DirectParams, MeanParams
from photochrom.params.pipeline import EvaluateParams
from photochrom.uncertainty import WEIGHTS

PARAMS = EvaluateParams(accuracy_threshold=0.05, pictures=5, failures=3, resamples=200, seed=0)
OF_MODELS = {"milliseconds", "parameters"}
PER_PHOTOGRAPH = {
    measure.key for measure in MEASURES if measure.group in ("color", "pixels", "failures")
} - {"color_overlap"}
OF_ALL = PER_PHOTOGRAPH | {"color_overlap"}
OF_TINTED = {"wrong_hue", "bleeding"}
"""What a gray answer has nothing to show for."""


def lab_of(photographs: LabSet) -> Tensor:
    return decode_lab(torch.from_numpy(photographs.take(np.arange(len(photographs)))))


def sample_of(photographs: LabSet) -> Sample:
    lab = lab_of(photographs)
    return Sample(np.arange(len(lab)), lab[:, :1], lab[:, 1:])


def warm(sample: Sample) -> Tensor:
    """Color more than gray does, and here and there as wrongly."""
    return sample.truth * 0.2 + 0.7 * (sample.lightness - 30.0)


class Warm(nn.Module):
    """Gives warmer colors where it is lighter."""

    def __init__(self) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.tensor([0.1, 0.2]))

    def forward(self, lightness: Tensor) -> Tensor:
        return (lightness + 1) * self.strength[None, :, None, None]


@pytest.fixture
def colorizer() -> Predictor:
    direct = DirectParams(kind="direct")
    return Predictor(Warm().eval(), 8, direct, None, SIDE, torch.device("cpu"))


def test_every_measure_is_summed_up(test_set: LabSet, prior: Prior, tmp_path: Path) -> None:
    numbers = evaluate(warm, test_set, prior, PARAMS, tmp_path)
    assert numbers.keys() == {"photographs", "interval"} | OF_ALL
    assert numbers["photographs"] == 70
    assert all(np.isfinite(numbers[key]) for key in OF_ALL)


def test_measures_stand_in_the_order_of_the_comparison(
    test_set: LabSet, prior: Prior, tmp_path: Path
) -> None:
    numbers = evaluate(warm, test_set, prior, PARAMS, tmp_path)
    assert list(numbers)[1:-1] == [m.key for m in MEASURES if m.key in numbers]


def test_what_no_photograph_could_show_is_absent(
    test_set: LabSet, prior: Prior, tmp_path: Path
) -> None:
    """An answer without any color has no hue that is wrong and none that bleeds."""
    numbers = evaluate(gray, test_set, prior, PARAMS, tmp_path)
    columns = set(pd.read_parquet(tmp_path / "per_image.parquet").columns)
    assert not OF_TINTED & (numbers.keys() | numbers["interval"].keys() | columns)
    assert not {WEIGHTS[key] for key in OF_TINTED} & columns
    assert numbers["gray_collapse"] == 100.0
    assert numbers["stray_color"] == 0.0


def test_every_mean_lies_in_its_interval(test_set: LabSet, prior: Prior, tmp_path: Path) -> None:
    numbers = evaluate(warm, test_set, prior, PARAMS, tmp_path / "one")
    assert numbers["interval"].keys() == OF_ALL
    for key, (low, high) in numbers["interval"].items():
        assert low < numbers[key] < high, key


def test_the_same_evaluation_writes_the_same_bytes(
    test_set: LabSet, prior: Prior, tmp_path: Path
) -> None:
    one, other = (evaluate(warm, test_set, prior, PARAMS, tmp_path / str(n)) for n in range(2))
    assert one == other
    files = [path.relative_to(tmp_path / "0") for path in (tmp_path / "0").rglob("*.*")]
    assert {str(path) for path in files} >= {
        "per_image.parquet", "details/distribution.npz", "details/hues.parquet",
    }  # fmt: skip
    for path in files:
        assert (tmp_path / "0" / path).read_bytes() == (tmp_path / "1" / path).read_bytes()


def test_the_table_has_a_row_a_photograph(test_set: LabSet, prior: Prior, tmp_path: Path) -> None:
    numbers = evaluate(warm, test_set, prior, PARAMS, tmp_path)
    table = pd.read_parquet(tmp_path / "per_image.parquet")
    assert table["id"].tolist() == test_set.index["id"].tolist()
    assert table["group"].tolist() == test_set.index["group"].tolist()
    assert set(table["label"]) == {"cat"}
    about = {"id", "group", "label", "picture"}
    assert set(table.columns) == about | PER_PHOTOGRAPH | set(WEIGHTS.values())
    assert (table.dtypes[[*PER_PHOTOGRAPH, *WEIGHTS.values()]] == np.float64).all()
    for key in PER_PHOTOGRAPH - WEIGHTS.keys():
        assert numbers[key] == pytest.approx(table[key].mean(), abs=1e-5)
    for key, weight in WEIGHTS.items():
        expected = np.average(table[key], weights=table[weight])
        assert numbers[key] == pytest.approx(expected, abs=1e-5)


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
    measured = {"auc": [80.0, 90.0], "auc_rebalanced": [50.0, 80.0]}
    weights = {"auc_rebalanced_weight": [1.0, 2.0]}
    table = pd.DataFrame({"id": ["1", "2"], "group": ["a", "b"], **measured, **weights})
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
    assert (perfect["auc_weighted"], perfect["palette_overlap"]) == (100.0, 100.0)
    assert perfect["color_overlap"] == 100.0
    assert all(perfect[key] == 0.0 for key in ("gray_collapse", "stray_color", *OF_TINTED))
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
    test_set: LabSet, prior: Prior, tmp_path: Path, colorizer: Predictor
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
    test_set: LabSet, prior: Prior, tmp_path: Path, colorizer: Predictor
) -> None:
    numbers = evaluate_model(colorizer, test_set, prior, PARAMS, tmp_path)
    assert numbers.keys() == {"photographs", "interval"} | OF_ALL | OF_MODELS
    assert numbers["interval"].keys() == OF_ALL
    assert numbers["parameters"] == 2
    assert numbers["milliseconds"] > 0
    assert json.loads((tmp_path / "metrics.json").read_text()) == numbers


def test_a_model_is_drawn_where_it_fares_worst(
    test_set: LabSet, prior: Prior, tmp_path: Path, colorizer: Predictor
) -> None:
    evaluate_model(colorizer, test_set, prior, PARAMS, tmp_path)
    table = pd.read_parquet(tmp_path / "per_image.parquet")
    [worst] = [
        entry
        for entry in json.loads((tmp_path / "details/failures.json").read_text())
        if (entry["measure"], entry["end"]) == ("auc", "worst")
    ]
    assert worst["photographs"][0]["row"] == table["auc"].idxmin()
    assert (tmp_path / "details" / worst["sheet"]).is_file()


class Unsure(nn.Module):
    """Finds every bin as likely as its place in the list is late, at half the resolution."""

    def forward(self, lightness: Tensor) -> Tensor:
        half = nn.functional.avg_pool2d(lightness, 2)
        return torch.linspace(0, 1, 313)[None, :, None, None] + 0 * half


def test_a_classifier_is_asked_what_it_knows(
    test_set: LabSet, prior: Prior, tmp_path: Path
) -> None:
    mean = MeanParams(kind="mean")
    colorizer = Predictor(Unsure(), 8, mean, gamut313(), SIDE, torch.device("cpu"))
    numbers = evaluate_model(colorizer, test_set, prior, PARAMS, tmp_path)
    # The last bins are colors that none of these photographs has.
    assert (numbers["bin_top1"], numbers["bin_top5"]) == (0.0, 0.0)
    confidence = 100 * torch.linspace(0, 1, 313).softmax(0).max().item()
    assert numbers["calibration_error"] == pytest.approx(confidence, abs=1e-4)
    assert {"bin_top1", "bin_top5", "calibration_error"} <= numbers["interval"].keys()
    table = pd.read_parquet(tmp_path / "per_image.parquet")
    assert {"bin_top1", "bin_top5"} <= set(table.columns)
    assert "calibration_error" not in table
    intervals = pd.read_csv(tmp_path / "details/calibration.csv")
    assert intervals["pixels"].tolist() == [70 * (SIDE // 2) ** 2] + [0] * 14


class Impressed(Recorder):
    """Remembers the rows that it saw, as a network's features would be kept."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def measure(self, pair: Comparison, rows: np.ndarray) -> dict[str, Tensor]:
        self.rows += rows.tolist()
        return {"feature_distance": torch.from_numpy(rows / 100)}

    def summarise(self, resamples: int, seed: int) -> Summary:
        return {"kid_lite0": float(resamples)}, {"kid_lite0": (0.0, 1.0 + seed)}

    def save(self, details: Path) -> None:
        write_json(details / "rows.json", self.rows)


def test_whatever_looks_on_adds_its_measures(
    test_set: LabSet, prior: Prior, tmp_path: Path
) -> None:
    numbers = evaluate(gray, test_set, prior, PARAMS, tmp_path, (Impressed(),))
    assert numbers["kid_lite0"] == 200.0
    assert numbers["interval"]["kid_lite0"] == [0.0, 1.0]
    assert numbers["feature_distance"] == pytest.approx(np.arange(70).mean() / 100)
    table = pd.read_parquet(tmp_path / "per_image.parquet")
    np.testing.assert_allclose(table["feature_distance"], np.arange(70) / 100)
    assert json.loads((tmp_path / "details/rows.json").read_text()) == list(range(70))


def test_a_model_is_measured_by_the_colors_it_gives(
    test_set: LabSet, prior: Prior, tmp_path: Path, colorizer: Predictor
) -> None:
    numbers = evaluate_model(colorizer, test_set, prior, PARAMS, tmp_path)
    lab = lab_of(test_set).double()
    given = lab[:, :1] / 50.0 * 110.0 * torch.tensor([0.1, 0.2])[None, :, None, None]
    expected = (given - lab[:, 1:]).abs().mean().item()
    assert numbers["ab_mae"] == pytest.approx(expected, rel=1e-4)


def test_a_model_never_sees_the_truth(
    test_set: LabSet, prior: Prior, tmp_path: Path, colorizer: Predictor
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
        assert {path.name for path in (tmp_path / name / "details").iterdir()} == {
            "distribution.npz",
            "hues.parquet",
        }
    assert numbers["truth"]["auc"] == 100.0
    # The mean minimises the squared error of the photographs it is the mean of.
    assert numbers["mean_color"]["ab_mse"] < numbers["random_photograph"]["ab_mse"]


class Networks(Impressed):
    """Stands for what networks make of the colors, and for the floor of it."""

    opened: ClassVar[list[Path | None]] = []

    @classmethod
    def open(cls, test: LabSet, weights: Path, truth: Path | None = None) -> Self:
        assert truth is None or (truth / "rows.json").is_file()
        cls.opened.append(truth)
        return cls()

    def summarise(self, resamples: int, seed: int, floor: bool = False) -> Summary:
        return {"kid_lite0": float(floor)}, {}


def test_networks_see_the_truth_first_and_compare_it_by_halves(
    lab: Path, prior: Prior, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photochrom.evaluation.baselines.Perception", Networks)
    evaluate_baselines(lab, prior, PARAMS, tmp_path, tmp_path / "weights")
    assert Networks.opened == [None] + [tmp_path / "truth/details"] * 3
    for name in BASELINES:
        numbers = json.loads((tmp_path / name / "metrics.json").read_text())
        assert numbers["kid_lite0"] == float(name == "truth")
        assert numbers["feature_distance"] == pytest.approx(0.345)
        assert (tmp_path / name / "details/rows.json").is_file()
