import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tracking_project import (
    CODE,
    EXPERIMENT,
    make_record,
    params_of,
    write_details,
    write_evaluation,
    write_model,
    write_report,
    write_study,
)

from photochrom.tracking import (
    Provenance,
    Summary,
    record_evaluation,
    record_report,
    record_study,
    sync,
)
from photochrom.tracking.replay import study_numbers

Clients = Callable[[Path], Any]


def run_named(client: Any, name: str) -> Any:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    found = client.search_runs([experiment.experiment_id], f"attributes.run_name LIKE '{name}%'")
    (run,) = found
    return run


def artifact(client: Any, run: Any, name: str) -> Any:
    return json.loads(Path(client.download_artifacts(run.info.run_id, name)).read_text())


def evaluated(root: Path) -> None:
    write_model(root, make_record())
    write_evaluation(root, "unet6_gan")
    write_details(root, "unet6_gan")


def test_failures_are_shown_under_stable_names(root: Path, client_of: Clients) -> None:
    evaluated(root)
    record_evaluation(root, EXPERIMENT, "unet6_gan")
    client = client_of(root)
    run = run_named(client, "unet6_gan")
    names = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "images")}
    for key in ("auc worst", "auc best", "gray_collapse worst"):
        assert (
            sum(name.startswith(f"worst and best~{key}+step+0+") for name in names) == 2
        )  # and a thumbnail


def test_the_evaluations_files_are_kept_once(root: Path, client_of: Clients) -> None:
    evaluated(root)
    record_evaluation(root, EXPERIMENT, "unet6_gan")
    client = client_of(root)
    run_id = run_named(client, "unet6_gan").info.run_id
    names = {file.path for file in client.list_artifacts(run_id, "evaluation")}
    assert names == {
        "evaluation/metrics.json",
        "evaluation/per_image.parquet",
        "evaluation/calibration.csv",
    }
    sync(root, params_of("unet6_gan"), CODE)
    assert sync(root, params_of("unet6_gan"), CODE) == Summary()
    write_evaluation(root, "unet6_gan", auc=61.25)
    record_evaluation(root, EXPERIMENT, "unet6_gan")
    kept = artifact(client, run_named(client, "unet6_gan"), "evaluation/metrics.json")
    assert kept["auc"] == 61.25


def test_a_run_says_what_came_out(root: Path, client_of: Clients) -> None:
    evaluated(root)
    write_evaluation(root, "gray")
    for name in ("unet6_gan", "gray"):
        record_evaluation(root, EXPERIMENT, name)
    client = client_of(root)
    note = run_named(client, "unet6_gan").data.tags["mlflow.note.content"]
    assert note.startswith("A U-Net against a discriminator. Trained on samples 64 px.")
    assert "On 2 test photographs: AuC 60.5\u00a0%; CIEDE2000 9.25" in note
    gray = run_named(client, "gray").data.tags["mlflow.note.content"]
    assert gray.startswith("Leaves the photographs gray")


def test_votes_stand_on_the_models_runs(root: Path, client_of: Clients) -> None:
    evaluated(root)
    write_evaluation(root, "truth")
    for name in ("unet6_gan", "truth"):
        record_evaluation(root, EXPERIMENT, name)
    write_study(root)
    record_study(root, EXPERIMENT)
    client = client_of(root)
    numbers = {
        key: value
        for key, value in run_named(client, "unet6_gan").data.metrics.items()
        if key.startswith("study")
    }
    assert numbers == {
        "study/fool_rate": 31.5,
        "study/naturalness": 50.0,
        "study/naturalness_score": 3.25,
        "study/strength": 0.25,
        "study interval/fool_rate low": 18.5,
        "study interval/fool_rate high": 46.5,
        "study interval/naturalness low": 25.0,
        "study interval/naturalness high": 75.0,
        "study interval/naturalness_score low": 2.5,
        "study interval/naturalness_score high": 4.0,
        "study interval/strength low": -0.5,
        "study interval/strength high": 1.0,
    }
    truth = run_named(client, "truth").data.metrics
    assert (truth["study/naturalness"], truth["study/naturalness_score"]) == (90.0, 4.5)


def test_votes_stand_whole_beside_the_leaderboard(root: Path, client_of: Clients) -> None:
    write_report(root)
    record_report(root, params_of(), CODE)
    path = write_study(root)
    record_study(root, EXPERIMENT)
    client = client_of(root)
    parent = run_named(client, "photographs")
    assert artifact(client, parent, "study.json") == json.loads(path.read_text())
    table = artifact(client, parent, "human_study.json")
    assert table["columns"][:4] == ["protocol", "model", "votes", "number"]
    assert ["real_or_fake", "unet6_gan", 40, "fool_rate", 31.5, 18.5, 46.5] in table["data"]
    tables = json.loads(parent.data.tags["mlflow.loggedArtifacts"])
    assert [entry["path"] for entry in tables] == ["leaderboard.json", "human_study.json"]
    assert sync(root, params_of(), CODE) == Summary()


def test_without_votes_nothing_is_shown(root: Path) -> None:
    write_study(root, votes=False)
    record_study(root, EXPERIMENT)
    assert sync(root, params_of(), CODE) == Summary()


def withdrawn(client: Any) -> str | None:
    tag = run_named(client, "unet6_gan").data.tags.get("photochrom.outdated")
    return None if tag is None else str(tag)


def test_numbers_without_votes_are_named_outdated(root: Path, client_of: Clients) -> None:
    write_model(root, make_record(provenance=Provenance()))
    path = write_study(root)
    record_study(root, EXPERIMENT)
    client = client_of(root)
    assert withdrawn(client) is None
    told = json.loads(path.read_text())
    del told["protocols"]["preference"]
    path.write_text(json.dumps(told))
    record_study(root, EXPERIMENT)
    assert withdrawn(client) == "study/strength: no votes stand behind them any more"
    write_study(root, votes=False)
    record_study(root, EXPERIMENT)
    assert str(withdrawn(client)).startswith(
        "study/fool_rate, study/naturalness, study/naturalness_score, study/strength: no votes"
    )
    parent = run_named(client, "samples")
    assert artifact(client, parent, "human_study.json")["data"] == []
    assert artifact(client, parent, "study.json") == json.loads(path.read_text())
    assert sync(root, params_of(), CODE).changes == ()
    write_study(root)
    record_study(root, EXPERIMENT)
    assert withdrawn(client) is None


def test_a_damaged_model_does_not_keep_votes_from_the_others(
    root: Path, client_of: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated(root)
    write_evaluation(root, "truth")
    (root / "models/unet6_gan/history.csv").unlink()
    write_study(root)
    record_study(root, EXPERIMENT)
    told = capsys.readouterr().err
    assert "study.json for unet6_gan was left out (FileNotFoundError: " in told
    client = client_of(root)
    assert run_named(client, "truth").data.metrics["study/naturalness"] == 90.0
    assert artifact(client, run_named(client, "photographs"), "human_study.json")["data"]


def test_a_number_that_cannot_be_told_is_left_out() -> None:
    models = {"a": {"votes": 3, "strength": None, "strength_interval": None}}
    assert study_numbers({"protocols": {"preference": {"models": models}}}) == {}


def test_an_empty_store_gets_votes_failures_and_champion(root: Path, client_of: Clients) -> None:
    evaluated(root)
    write_report(root)
    write_study(root)
    done = sync(root, params_of("unet6_gan"), CODE)
    assert (done.runs, done.models, done.versions) == (3, 1, 1)
    assert done.skipped == ()
    run = run_named(client_of(root), "unet6_gan")
    assert run.data.metrics["study/fool_rate"] == 31.5
    assert sync(root, params_of("unet6_gan"), CODE) == Summary()
