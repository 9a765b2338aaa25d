"""A training from its entry in params.yaml to the files of models/."""

import csv
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from training_kit import (
    GAN,
    PRETRAINED,
    REGRESSION,
    SIDE,
    assert_equal_states,
    model_of,
    write_lab_set,
)

from photochrom.colorizer.prediction import Predictor
from photochrom.data.loader import Squares
from photochrom.data.prior import Prior
from photochrom.data.shards import ShardError
from photochrom.networks import WeightsError
from photochrom.networks.base import count_parameters
from photochrom.params import Params, load_params
from photochrom.training import train
from photochrom.training.checkpoint import Checkpoints
from photochrom.training.errors import TrainingError
from photochrom.training.train import Job, train_model

PARAMS = load_params(Path(__file__).resolve().parents[2] / "params.yaml")
CLASSIFIER: dict[str, Any] = {
    **REGRESSION,
    "network": {"kind": "vgg", "width": 0.05},
    "objective": {
        "kind": "classification",
        "bins": "gamut313",
        "neighbours": 5,
        "sigma": 5.0,
        "rebalance": {"kind": "prior"},
        "decoder": None,
    },
    "decoding": {"kind": "annealed_mean", "temperature": 0.38},
}
ENTRIES = {"regression": REGRESSION, "gan": GAN, "classifier": CLASSIFIER}


def params_with(seed: int = 0, **changes: Any) -> Params:
    wanted = {"epochs": 2, **changes}
    entries = {name: model_of(values, **wanted) for name, values in ENTRIES.items()}
    shared = PARAMS.train.model_copy(update={"seed": seed, "preview": 3})
    lab = PARAMS.lab.model_copy(update={"size": SIDE})
    return PARAMS.model_copy(update={"models": entries, "train": shared, "lab": lab})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as the stages before training leave it."""
    write_lab_set(tmp_path / "data/lab")
    histogram = np.zeros((256, 256), dtype=np.int64)
    histogram[100:150, 100:150] = 7
    Prior.from_histogram(histogram, 9, PARAMS.prior).save(tmp_path / "data/prior")
    return tmp_path


def job(project: Path, name: str, **changes: Any) -> Job:
    return Job.of(name, params_with(**changes), project)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture).astype(int)


@pytest.mark.parametrize("name", ENTRIES)
def test_all_files_are_written(project: Path, name: str) -> None:
    train_model(job(project, name))
    out = project / "models" / name
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == {
        "weights.safetensors",
        "config.json",
        "history.csv",
        "run.json",
        "samples/epoch-001.jpg",
        "samples/epoch-002.jpg",
    }
    assert not (project / ".checkpoints" / name).exists()
    weights = load_file(out / "weights.safetensors")
    assert all(tensor.isfinite().all() for tensor in weights.values())
    assert pixels(out / "samples/epoch-002.jpg").shape == (304, 304, 3)


@pytest.mark.parametrize("name", ENTRIES)
def test_the_config_tells_how_to_color(project: Path, name: str) -> None:
    wanted = job(project, name)
    train_model(wanted)
    config = read(project / "models" / name / "config.json")
    assert list(config) == [
        "format", "model", "study", "network", "objective", "decoding", "image_size", "parameters",
    ]  # fmt: skip
    assert (config["format"], config["model"], config["study"]) == (2, name, "test")
    assert config["network"] == wanted.model.network.model_dump()
    assert config["image_size"] == SIDE
    colorizer = Predictor.load(project / "models" / name)
    assert config["parameters"] == count_parameters(colorizer.network)
    assert colorizer.predict_ab(torch.full((1, 1, 20, 30), 50.0)).shape == (1, 2, 20, 30)


def test_the_history_has_a_row_an_epoch(project: Path) -> None:
    train_model(job(project, "classifier"))
    history = pd.read_csv(project / "models/classifier/history.csv")
    assert list(history.columns) == [
        "epoch", "step", "images_seen", "seconds", "lr",
        "train/loss", "validation/loss", "validation/l1", "validation/bin_accuracy",
    ]  # fmt: skip
    assert history["epoch"].tolist() == [1, 2]
    assert history["step"].tolist() == [4, 8]
    assert history.notna().all(axis=None)


def test_a_gan_tells_both_sides(project: Path) -> None:
    train_model(job(project, "gan"))
    with (project / "models/gan/history.csv").open(encoding="utf-8") as handle:
        columns = next(csv.reader(handle))
    assert {
        "train/loss",
        "train/pixel_loss",
        "train/adversarial_loss",
        "train/discriminator_loss",
        "train/discriminator_accuracy_real",
        "train/discriminator_accuracy_fake",
        "validation/loss",
        "validation/l1",
    } <= set(columns)


def pretrained(project: Path, epochs: int = 2) -> Job:
    return Job("gan", model_of(PRETRAINED, epochs=epochs), params_with(), project)


def test_the_history_of_pretraining_has_empty_cells_for_the_discriminator(project: Path) -> None:
    train_model(pretrained(project))
    with (project / "models/gan/history.csv").open(encoding="utf-8") as handle:
        first, second = csv.DictReader(handle)
    empty = {name for name, cell in first.items() if cell == ""}
    assert empty == {
        "train/discriminator_loss",
        "train/discriminator_accuracy_real",
        "train/discriminator_accuracy_fake",
        "train/adversarial_loss",
        "train/pixel_loss",
    }
    assert all(second.values())
    assert read(project / "models/gan/run.json")["kept_epoch"] == 2


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [("WON", -1.0, "the discriminator wins"), ("LOST", 1.0, "tells nothing apart")],
)
def test_what_an_epochs_numbers_warn_of_is_printed_and_written(
    limit: str,
    value: float,
    words: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The limit is set so that any discriminator passes it."""
    monkeypatch.setattr("photochrom.objectives.adversarial.task.WON", 2.0)
    monkeypatch.setattr(f"photochrom.objectives.adversarial.task.{limit}", value)
    train_model(pretrained(project, epochs=3))
    lines = [line for line in capsys.readouterr().err.splitlines() if words in line]
    assert [line.partition(": ")[0] for line in lines] == ["gan epoch 2", "gan epoch 3"]
    remarks = read(project / "models/gan/run.json")["remarks"]
    assert lines == [f"gan {remark}" for remark in remarks]


def test_a_training_without_warnings_has_no_remarks(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_model(job(project, "regression"))
    assert read(project / "models/regression/run.json")["remarks"] == []
    said = capsys.readouterr().err
    assert "regression epoch 2 of 2: loss " in said
    assert "regression epoch 2: " not in said


def test_the_run_tells_what_it_was(project: Path) -> None:
    train_model(job(project, "regression"))
    run = read(project / "models/regression/run.json")
    assert {
        "key", "run_id", "device", "precision", "torch", "seconds", "images_per_second",
        "epochs", "kept_epoch", "started", "remarks",
    } <= run.keys()  # fmt: skip
    assert len(run["key"]) == 32
    assert run["run_id"] is None
    assert run["device"].startswith("CPU")
    assert run["precision"] == "float32"
    assert run["torch"] == torch.__version__
    assert run["epochs"] == 2
    assert run["kept_epoch"] in (1, 2)
    assert run["seconds"] >= 0
    assert run["images_per_second"] > 0


def test_the_weights_of_the_best_epoch_are_written(project: Path) -> None:
    train_model(job(project, "regression", epochs=4))
    history = pd.read_csv(project / "models/regression/history.csv")
    run = read(project / "models/regression/run.json")
    assert run["kept_epoch"] == history.loc[history["validation/loss"].idxmin(), "epoch"]


def test_another_decoding_or_label_is_no_other_training(project: Path) -> None:
    one = job(project, "classifier")
    relabelled = model_of(CLASSIFIER, epochs=2, decoding={"kind": "argmax"}, study="other")
    assert replace(one, model=relabelled).knobs() == one.knobs()
    assert job(project, "classifier", batch_size=3).knobs() != one.knobs()
    assert job(project, "classifier", seed=1).knobs() != one.knobs()


def stop_at(step: int) -> Callable[..., Any]:
    """Return a Squares whose batches ask the process to stop at a step."""

    class Stopping(Squares):
        def batches(self, orders: Any) -> Any:
            for number, batch in enumerate(super().batches(orders)):
                if number == step and len(self) > 10:
                    os.kill(os.getpid(), signal.SIGTERM)
                yield batch

    return Stopping


@pytest.mark.parametrize("name", ENTRIES)
def test_an_interrupted_training_ends_as_a_whole_one(
    project: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_model(job(project, name))
    out = project / "models" / name
    expected = load_file(out / "weights.safetensors")
    rows = pd.read_csv(out / "history.csv").drop(columns="seconds")
    with monkeypatch.context() as patch:
        patch.setattr(train, "Squares", stop_at(2))
        with pytest.raises(TrainingError, match="Stopped by SIGTERM after step 3"):
            train_model(job(project, name))
    identity = read(project / ".checkpoints" / name / "identity.json")
    train_model(job(project, name))
    assert_equal_states(load_file(out / "weights.safetensors"), expected)
    pd.testing.assert_frame_equal(
        pd.read_csv(out / "history.csv").drop(columns="seconds"), rows, check_exact=True
    )
    run = read(out / "run.json")
    assert (run["key"], run["started"]) == (identity["key"], identity["started"])


@pytest.mark.parametrize("lost", ["_write", "write_json"])
def test_a_training_killed_while_it_writes_writes_all_of_it_next_time(
    project: Path, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_model(job(project, "gan"))
    out = project / "models/gan"
    expected = load_file(out / "weights.safetensors")

    def killed(*arguments: Any) -> None:
        if lost == "_write" or arguments[0].name == "run.json":
            raise KeyboardInterrupt
        original(*arguments)

    original = getattr(train, lost)
    with monkeypatch.context() as patch:
        patch.setattr(train, lost, killed)
        with pytest.raises(KeyboardInterrupt):
            train_model(job(project, "gan"))
    for path in out.rglob("*.*"):
        if path.is_file():
            path.unlink()
    train_model(job(project, "gan"))
    assert_equal_states(load_file(out / "weights.safetensors"), expected)
    assert len(pd.read_csv(out / "history.csv")) == 2
    assert [path.name for path in sorted((out / "samples").iterdir())] == [
        "epoch-001.jpg",
        "epoch-002.jpg",
    ]
    assert (out / "run.json").is_file()


def test_fewer_epochs_leave_no_samples_of_more(project: Path) -> None:
    train_model(job(project, "gan", epochs=3))
    train_model(job(project, "gan", epochs=1))
    samples = project / "models/gan/samples"
    assert [path.name for path in samples.iterdir()] == ["epoch-001.jpg"]


def test_a_changed_knob_starts_afresh(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(train, "Squares", stop_at(2))
        with pytest.raises(TrainingError):
            train_model(job(project, "gan", batch_size=3))
    before = read(project / ".checkpoints/gan/identity.json")["key"]
    train_model(job(project, "gan"))
    assert read(project / "models/gan/run.json")["key"] != before
    assert pd.read_csv(project / "models/gan/history.csv")["step"].tolist() == [4, 8]


def test_other_photographs_start_afresh(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    original = Checkpoints.prepare

    def noted(self: Checkpoints) -> None:
        seen.append(self.fingerprint)
        original(self)

    monkeypatch.setattr(Checkpoints, "prepare", noted)
    train_model(job(project, "gan", epochs=1))
    about = read(project / "data/lab/lab.json")
    (project / "data/lab/lab.json").write_text(json.dumps({**about, "sha256": "1" * 64}))
    train_model(job(project, "gan", epochs=1))
    assert seen[0] != seen[1]


def test_another_prior_starts_afresh_what_reads_it(project: Path) -> None:
    def fingerprint(name: str) -> str:
        return train._fingerprint(job(project, name))

    before = {name: fingerprint(name) for name in ENTRIES}
    histogram = np.ones((256, 256), dtype=np.int64)
    Prior.from_histogram(histogram, 9, PARAMS.prior).save(project / "data/prior")
    changed = {name for name in ENTRIES if fingerprint(name) != before[name]}
    assert changed == {"classifier"}


def test_counts_weigh_either_set_of_bins(project: Path) -> None:
    rebalance = {"kind": "counts", "power": 0.5, "offset": 100.0}
    for which, count in (("gamut313", 313), ("grid256", 256)):
        objective = {**CLASSIFIER["objective"], "bins": which, "rebalance": rebalance}
        model = model_of(CLASSIFIER, objective=objective)
        weights = Job("classifier", model, params_with(), project).weights()
        assert weights is not None
        assert weights.shape == (count,)
        assert weights.std() > 0


def test_the_prior_reaches_the_loss(project: Path) -> None:
    weights = job(project, "classifier").weights()
    assert weights is not None
    assert weights.shape == (313,)
    assert job(project, "regression").weights() is None


def test_a_model_that_params_lack_is_refused_by_name(project: Path) -> None:
    with pytest.raises(TrainingError, match="has no model vgg; it has regression, gan, classifier"):
        Job.of("vgg", params_with(), project)


def test_missing_shards_and_prior_are_refused(project: Path) -> None:
    (project / "data/prior/prior.npz").unlink()
    with pytest.raises(ShardError, match="dvc repro prior"):
        train_model(job(project, "classifier"))
    (project / "data/lab/lab.json").unlink()
    with pytest.raises(ShardError, match="dvc repro lab"):
        train_model(job(project, "gan"))


def test_missing_pretrained_weights_leave_nothing_behind(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise WeightsError("not here")

    monkeypatch.setattr("photochrom.networks.resnet._pretrained", refuse)
    network = {**REGRESSION["network"], "pretrained": True}
    params = params_with()
    changed = model_of(REGRESSION, network=network)
    wanted = Job("regression", changed, params, project)
    with pytest.raises(WeightsError):
        train_model(wanted)
    assert not (project / "models").exists()


def test_samples_show_gray_given_and_true_colors(project: Path) -> None:
    train_model(job(project, "regression"))
    sheet = pixels(project / "models/regression/samples/epoch-002.jpg")
    rows = [sheet[4 + 100 * n + 10 : 4 + 100 * n + 86, 14:90] for n in range(3)]
    spread = [np.abs(row - row.mean(-1, keepdims=True)).mean() for row in rows]
    assert spread[0] < 3
    assert spread[2] > 10
