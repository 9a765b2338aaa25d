import json
import subprocess
import sys
from pathlib import Path

from tracking_project import make_record, write_model

from photochrom.tracking import TrainingRecord, flatten


def test_flatten_joins_names_and_writes_lists_as_text() -> None:
    nested = {"network": {"kind": "vgg", "width": 0.5}, "betas": (0.9, 0.99), "ema": None}
    assert flatten(nested) == {
        "network.kind": "vgg",
        "network.width": 0.5,
        "betas": "[0.9, 0.99]",
        "ema": None,
    }


def test_a_record_survives_json() -> None:
    record = make_record()
    assert TrainingRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_a_record_is_read_from_its_model(tmp_path: Path) -> None:
    record = make_record()
    assert TrainingRecord.from_folder(write_model(tmp_path, record)) == record


def test_a_model_without_a_record_tells_its_config(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"key": "abc"}')
    config = {"model": "m", "study": "ours", "network": {"kind": "vgg"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    record = TrainingRecord.from_folder(tmp_path)
    assert (record.model, record.key, record.tags) == ("m", "abc", {"study": "ours"})
    assert record.params["network.kind"] == "vgg"


def test_importing_the_room_does_not_import_mlflow() -> None:
    code = "import sys, photochrom.tracking; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
