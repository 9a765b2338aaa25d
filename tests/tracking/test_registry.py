import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from ruamel.yaml import YAML
from tracking_project import (
    CODE,
    EXPERIMENT,
    REGISTERED,
    make_record,
    params_of,
    write_evaluation,
    write_model,
    write_report,
    write_study,
)

from photochrom.tracking import Summary, TrackingError, record_report, sync
from photochrom.tracking.logged import PACKAGES, requirements
from photochrom.tracking.processes import this_process
from photochrom.tracking.store import open_store

Clients = Callable[[Path], Any]
INTERVALS: Any = {"auc": [58.0, 63.0]}


def project(root: Path, **values: float) -> None:
    """Write trained and evaluated models with these AuC."""
    for name, value in values.items():
        write_model(root, make_record(name))
        write_evaluation(root, name, auc=value, interval=INTERVALS)
    write_evaluation(root, "gray", auc=55.0)


def champion_of(client: Any) -> str:
    return str(client.get_model_version_by_alias(REGISTERED, "champion").tags["photochrom.model"])


def versions_of(client: Any) -> list[Any]:
    return sorted(
        client.search_model_versions(f"name = '{REGISTERED}'"), key=lambda found: int(found.version)
    )


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_each_model_is_a_version_and_the_best_is_champion(root: Path, client_of: Clients) -> None:
    project(root, first=60.0, second=61.0)
    done = sync(root, params_of("first", "second"), CODE)
    client = client_of(root)
    assert (done.models, done.versions) == (2, 2)
    assert done.changes == ("The alias champion of colorizers is on second, version 2, now.",)
    assert [found.tags["photochrom.model"] for found in versions_of(client)] == ["first", "second"]
    assert champion_of(client) == "second"
    assert "60.0\u00a0% (95\u00a0% interval 58.0 to 63.0)" in versions_of(client)[0].description
    assert "highest" in client.get_registered_model(REGISTERED).description
    assert str(sync(root, params_of("first", "second"), CODE)) == "MLflow lacked nothing."
    assert len(versions_of(client)) == 2


def test_a_logged_model_holds_code_and_weights_and_no_pickle(
    root: Path, client_of: Clients
) -> None:
    project(root, first=60.0)
    sync(root, params_of("first"), CODE)
    client = client_of(root)
    (model,) = client.search_logged_models([versions_run(client).info.experiment_id])
    assert (model.name, str(model.status)) == ("first", "READY")
    folder = Path(model.artifact_location)
    files = files_of(folder)
    assert files >= {
        "MLmodel",
        "served.py",
        "code/photochrom/colorizer/colorizer.py",
        "requirements.txt",
    }
    assert {name for name in files if name.startswith("artifacts/")} == {
        "artifacts/config.json",
        "artifacts/weights.safetensors",
    }
    assert not [name for name in files if name.endswith((".pkl", ".pyc"))]
    told = YAML(typ="safe").load(folder / "MLmodel")
    assert told["model_id"] == model.model_id
    assert json.loads(told["signature"]["inputs"])[0]["type"] == "binary"
    assert {metric.key: metric.value for metric in model.metrics}["test/auc"] == 60.0
    assert model.model_id in {out.model_id for out in versions_run(client).outputs.model_outputs}
    assert len(client.get_metric_history(versions_run(client).info.run_id, "test/auc")) == 1


def versions_run(client: Any) -> Any:
    return client.get_run(versions_of(client)[0].run_id)


def test_a_new_decoding_is_a_new_version(root: Path, client_of: Clients) -> None:
    project(root, first=60.0)
    sync(root, params_of("first"), CODE)
    decoding = {"models.first.decoding": {"kind": "annealed_mean", "temperature": 0.38}}
    stage = {"params": {"params.yaml": decoding}}
    YAML().dump({"schema": "2.0", "stages": {"evaluate@first": stage}}, root / "dvc.lock")
    done = sync(root, params_of("first"), CODE)
    assert (done.models, done.versions) == (1, 1)
    newest = versions_of(client_of(root))[-1]
    assert newest.tags["photochrom.decoding"] == "annealed_mean 0.38"
    config = json.loads(Path(newest.source, "artifacts/config.json").read_text())
    assert config["decoding"] == {"kind": "annealed_mean", "temperature": 0.38}
    assert sync(root, params_of("first"), CODE) == Summary()


def test_the_alias_follows_the_results(root: Path, client_of: Clients) -> None:
    project(root, first=60.0, second=61.0)
    params = params_of("first", "second")
    sync(root, params, CODE)
    write_evaluation(root, "first", auc=62.0)
    assert "first, version 1" in str(sync(root, params, CODE))
    assert champion_of(client_of(root)) == "first"
    write_evaluation(root, "second", auc=50.0, ciede2000=9.0)
    rule = params_of("first", "second", measure="ciede2000", direction="lower")
    assert "second, version 2" in str(sync(root, rule, CODE))


def test_what_params_yaml_does_not_name_does_not_compete(root: Path, client_of: Clients) -> None:
    project(root, first=60.0, second=61.0)
    sync(root, params_of("first"), CODE)
    assert champion_of(client_of(root)) == "first"
    assert len(versions_of(client_of(root))) == 2


def test_without_the_measure_the_alias_stays(root: Path, client_of: Clients) -> None:
    project(root, first=60.0)
    sync(root, params_of("first"), CODE)
    done = sync(root, params_of("first", measure="lpips", direction="lower"), CODE)
    assert "The alias champion of colorizers stays where it is: no model has lpips" in str(done)
    assert champion_of(client_of(root)) == "first"


def note_of_all(root: Path, client: Any) -> str:
    """Return the note of the run that names the champion."""
    run = open_store(root, EXPERIMENT).find({"photochrom.champion": champion_of(client)})
    return str(client.get_run(run).data.tags["mlflow.note.content"])


def test_a_better_model_whose_files_are_elsewhere_keeps_the_alias(
    root: Path, client_of: Clients
) -> None:
    project(root, first=60.0, second=61.0)
    params = params_of("first", "second")
    sync(root, params, CODE)
    shutil.rmtree(root / "models/second")
    done = sync(root, params, CODE)
    assert done.changes == ()
    assert "stays where it is: second is not registered" in str(done)
    assert champion_of(client_of(root)) == "second"
    assert "the highest of 2 trained models, before `first`" in note_of_all(root, client_of(root))


def test_a_model_that_is_not_here_counts_in_the_verdict(root: Path, client_of: Clients) -> None:
    project(root, first=60.0, second=61.0, third=50.0)
    for name in ("first", "third"):
        shutil.rmtree(root / "models" / name)
    sync(root, params_of("first", "second", "third"), CODE)
    assert champion_of(client_of(root)) == "second"
    assert "the highest of 3 trained models, before `first`" in note_of_all(root, client_of(root))


def test_a_model_trained_anew_keeps_the_alias_until_it_is_evaluated(
    root: Path, client_of: Clients
) -> None:
    project(root, first=60.0, second=61.0)
    params = params_of("first", "second")
    sync(root, params, CODE)
    shutil.rmtree(root / "models/second")
    write_model(root, make_record("second"))
    stages = {
        "train@second": {"outs": [{"path": "models/second", "md5": "new"}]},
        "evaluate@second": {
            "deps": [{"path": "models/second", "md5": "old"}],
            "outs": [{"path": "results/evaluate/second/metrics.json", "md5": "x"}],
        },
    }
    YAML().dump({"schema": "2.0", "stages": stages}, root / "dvc.lock")
    done = sync(root, params, CODE)
    assert done.changes == ()
    assert "stays where it is: run `dvc repro evaluate@second`, of which" in str(done)
    client = client_of(root)
    assert len(versions_of(client)) == 3
    assert client.get_model_version_by_alias(REGISTERED, "champion").version == 2


def test_without_all_results_no_model_is_champion(root: Path, client_of: Clients) -> None:
    project(root, first=60.0)
    done = sync(root, params_of("first", "second", "third"), CODE)
    assert "run `dvc repro evaluate@second evaluate@third`, of which" in str(done)
    with pytest.raises(MlflowException):
        client_of(root).get_model_version_by_alias(REGISTERED, "champion")


def test_the_report_registers_and_says_the_verdict(
    root: Path, client_of: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    project(root, first=60.0, second=61.0, third=50.0)
    report = write_report(root)
    rows = ["auc,second,first,1.0,-1.0,2.0,no", "auc,second,third,11.0,9.0,12.0,yes"]
    head = "measure,a,b,difference,low,high,distinguishable"
    (report / "differences.csv").write_text("\n".join([head, *rows]) + "\n")
    record_report(root, params_of("first", "second", "third"), CODE)
    client = client_of(root)
    assert champion_of(client) == "second"
    assert "is on second" in capsys.readouterr().err
    store = open_store(root, EXPERIMENT)
    parent = client.get_run(store.find({"photochrom.champion": "second"}))
    note = parent.data.tags["mlflow.note.content"]
    assert note.startswith("`second` leads by AuC: 61.0\u00a0% (95\u00a0% interval 58.0 to 63.0)")
    assert "Not distinguishable from it: `first`." in note
    assert "gray gives 55.0\u00a0%" in note
    names = [Path(file.path).name for file in client.list_artifacts(parent.info.run_id, "images")]
    assert any(name.startswith("sheet+step+0+") for name in names)


def test_what_a_person_wrote_stays(root: Path, client_of: Clients) -> None:
    project(root, first=60.0)
    sync(root, params_of("first"), CODE)
    client = client_of(root)
    run_id = versions_run(client).info.run_id
    assert "AuC 60.0" in client.get_run(run_id).data.tags["mlflow.note.content"]
    client.set_tag(run_id, "mlflow.note.content", "Mine.")
    write_evaluation(root, "first", auc=61.0)
    sync(root, params_of("first"), CODE)
    assert client.get_run(run_id).data.tags["mlflow.note.content"] == "Mine."


def test_a_model_without_weights_is_left_out_and_leaves_nothing(
    root: Path, client_of: Clients
) -> None:
    project(root, first=60.0, second=61.0)
    weights = root / "models/second/weights.safetensors"
    kept = weights.read_bytes()
    weights.unlink()
    done = sync(root, params_of("first", "second"), CODE)
    assert "models/second was left out" in str(done)
    assert "second is not registered" in str(done)
    client = client_of(root)
    assert [found.tags["photochrom.model"] for found in versions_of(client)] == ["first"]
    (model,) = client.search_logged_models([versions_run(client).info.experiment_id])
    assert model.name == "first"
    with pytest.raises(MlflowException):
        client.get_model_version_by_alias(REGISTERED, "champion")
    weights.write_bytes(kept)
    sync(root, params_of("first", "second"), CODE)
    assert champion_of(client) == "second"


def test_a_model_that_could_not_be_stored_leaves_nothing(
    root: Path, client_of: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(root, first=60.0)
    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.log_model_artifacts", full_disk)
        assert "No space left" in str(sync(root, params_of("first"), CODE))
    assert client_of(root).search_logged_models(["1"]) == []
    assert sync(root, params_of("first"), CODE).models == 1


@pytest.mark.skipif(this_process() is None, reason="needs /proc")
def test_what_a_killed_process_left_half_is_made_anew(root: Path, client_of: Clients) -> None:
    project(root, first=60.0)
    client, words = client_of(root), str(this_process()).split(" ")
    store = open_store(root, EXPERIMENT)
    key = json.loads((root / "models/first/run.json").read_text())["key"]
    half = {}
    for name, start in (("gone", "0"), ("live", words[-1])):
        tags = {
            "photochrom.key": key,
            "photochrom.decoding": "direct",
            "photochrom.process": " ".join([*words[:-1], start]),
        }
        half[name] = client.create_logged_model(store.experiment_id, name=name, tags=tags)
    assert sync(root, params_of("first"), CODE).models == 1
    left = {model.name for model in client.search_logged_models([store.experiment_id])}
    assert left == {"first", "live"}


class OtherError(Exception):
    """One that nobody here knows."""


@pytest.mark.parametrize("kind", [MlflowException, OtherError])
def test_a_model_that_mlflow_refuses_does_not_stop_the_others(
    root: Path, client_of: Clients, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    from mlflow import MlflowClient

    def create(client: Any, *words: Any, **told: Any) -> Any:
        if told["tags"]["photochrom.model"] == "first":
            raise kind("No such thing.\nAnd much more.")
        return made(client, *words, **told)

    project(root, first=60.0, second=61.0)
    write_report(root)
    write_study(root)
    made = MlflowClient.create_model_version
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "create_model_version", create)
        done = sync(root, params_of("first", "second"), CODE)
    assert done.skipped == (
        f"models/first was left out ({kind.__name__}: No such thing): `photochrom runs sync` "
        "tries again.",
    )
    assert champion_of(client_of(root)) == "second"
    assert open_store(root, EXPERIMENT).find({"photochrom.champion": "second"})
    again = sync(root, params_of("first", "second"), CODE)
    assert (again.runs, again.files, again.models, again.versions) == (0, 0, 0, 1)


def test_without_a_registry_the_rest_is_shown(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project(root, first=60.0)
    write_report(root)
    write_study(root)
    monkeypatch.setattr("mlflow.MlflowClient.search_registered_models", refused)
    done = sync(root, params_of("first"), CODE)
    assert done.skipped == (
        "The registered model colorizers was left out (MlflowException: Not here): `photochrom "
        "runs sync` tries again.",
    )
    store = open_store(root, EXPERIMENT)
    (parent,) = store.client.search_runs([store.experiment_id], "tags.`photochrom.votes` != ''")
    assert "photochrom.report" in parent.data.tags
    record_report(root, params_of("first"), CODE)
    assert "The registered model colorizers was left out" in capsys.readouterr().err


def test_a_store_that_dies_ends_all(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any, **__: Any) -> Any:
        (root / "mlflow.db").write_bytes(b"not a database at all" * 500)
        raise MlflowException("Gone.")

    project(root, first=60.0)
    monkeypatch.setattr("mlflow.MlflowClient.create_logged_model", die)
    with pytest.raises(TrackingError, match=r"mlflow\.db is damaged"):
        sync(root, params_of("first"), CODE)


def refused(*_: Any) -> Any:
    raise MlflowException("Not here.")


def full_disk(*_: Any) -> None:
    raise OSError("No space left on device")


def test_requirements_are_installed_versions_of_an_index() -> None:
    told = requirements()
    assert [line.split("==")[0] for line in told] == list(PACKAGES)
    assert not [line for line in told if "+" in line]
    assert f"numpy=={np.__version__}" in told
