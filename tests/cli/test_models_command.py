"""``photochrom models``, ``photochrom info``, and what shells complete."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_kit import Run, write_model

from photochrom import __version__
from photochrom.colorizer import catalog


@pytest.fixture
def measured(here: Path, models: Path) -> Path:
    folder = here / "results" / "evaluate" / "guesser"
    folder.mkdir(parents=True)
    told = {"photographs": 12, "auc_rebalanced": 61.25, "interval": {"auc_rebalanced": [60, 63]}}
    (folder / "metrics.json").write_text(json.dumps(told))
    return here


def test_models_lists_all_with_their_origin(measured: Path, photochrom: Run) -> None:
    write_model(catalog.SHIPPED / "photochrom", classifies=True)
    write_model(catalog.SHIPPED / "broken", format=1)
    ended = photochrom("models")
    assert (ended.status, ended.err) == (0, "")
    heading, _, *rows = ended.out.decode().splitlines()
    assert heading.split()[:2] == ["Model", "Origin"]
    assert [row.split()[:5] for row in rows[:3]] == [
        ["*", "guesser", "trained", "unet", "distribution"],
        ["painter", "trained", "unet", "colors", "32"],
        ["photochrom", "shipped", "unet", "distribution", "32"],
    ]
    assert "61.2" in rows[0]
    assert rows[3].startswith("broken cannot be used. ")
    assert rows[4].startswith("* is used when no --model is named.")


def test_models_in_json(measured: Path, photochrom: Run) -> None:
    write_model(catalog.SHIPPED / "broken", format=1)
    guesser, painter, broken = photochrom("models", "--json").json["models"]
    assert (guesser["name"], guesser["default"], guesser["measures"]) == (
        *("guesser", True, {"auc_rebalanced": 61.25}),
    )
    assert (painter["answer"], painter["size"], painter["default"], painter["problem"]) == (
        *("colors", 32, False, None),
    )
    assert broken["problem"].endswith("is of format 1, not 2: train it again.")


def test_no_model_at_all(here: Path, photochrom: Run) -> None:
    ended = photochrom("models")
    assert (ended.status, ended.out) == (0, b"There is no model: train one with `dvc repro`.\n")
    assert photochrom("models", "--json").json == {"models": []}
    ended = photochrom("info")
    assert ended.status == 1
    assert ended.err.startswith("There is no model here")


def test_a_dead_registry_is_one_line_and_the_rest_is_listed(
    models: Path, photochrom: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    ended = photochrom("models")
    assert ended.status == 0
    assert ended.lines == [
        "What is registered is left out. MLflow at http://127.0.0.1:9 does not answer."
    ]
    assert b"painter" in ended.out


def test_info_tells_all_of_a_model(measured: Path, photochrom: Run) -> None:
    run = {"epochs": 3, "seconds": 90.0, "record": {"dataset": {"name": "samples 64 px"}}}
    told = photochrom("info", "guesser", "--json").json
    weights = (measured / "models" / "guesser" / "weights.safetensors").read_bytes()
    assert told["weights"] == {
        "bytes": len(weights),
        "sha256": hashlib.sha256(weights).hexdigest(),
        "intact": None,
    }
    assert told["model"]["decoding"] == {"kind": "annealed_mean", "temperature": 0.38}
    assert (told["training"], told["measures"]["photographs"]) == (None, 12)
    assert "installation" not in told
    folder = write_model(measured / "own")
    (folder / "run.json").write_text(json.dumps(run))
    said = photochrom("info", "own/").out.decode()
    assert "  data    samples 64 px\n  epochs  3\n  time    2 min\n" in said
    said = photochrom("info", "guesser").out.decode()
    assert "AuC rebalanced    61.2\N{NO-BREAK SPACE}% (95\N{NO-BREAK SPACE}% interval" in said


def test_info_checks_and_shows_a_shipped_model(here: Path, photochrom: Run) -> None:
    folder = write_model(catalog.SHIPPED / "photochrom")
    digest = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    write_model(folder, sha256=digest)
    (folder / "MODEL_CARD.md").write_text("# The card\n")
    said = photochrom("info").out.decode()
    assert f"{digest} as it was packed" in said
    assert said.rstrip().endswith("# The card")
    told = photochrom("info", "--json").json
    assert told["installation"]["photochrom"] == __version__
    assert told["installation"]["MLflow"] == "no store here"
    write_model(folder, sha256="0" * 64)
    assert photochrom("info", "photochrom", "--json").json["weights"]["intact"] is False
    assert "NOT as it was packed" in photochrom("info").out.decode()


def test_info_of_an_unknown_model_is_refused(models: Path, photochrom: Run) -> None:
    ended = photochrom("info", "paintr")
    assert (ended.status, len(ended.lines)) == (1, 1)
    assert "Did you mean painter?" in ended.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("photochrom info gu", ["guesser"]),
        ("photochrom colorize a.jpg --model pa", ["painter"]),
        ("photochrom colorize a.jpg --format t", ["tiff"]),
    ],
)
def test_shells_complete_names(words: str, expected: list[str], models: Path) -> None:
    count = len(words.split()) - 1
    asked = {"_PHOTOCHROM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": f"{count}"}
    code = (
        "import sys\n"
        "from photochrom.cli import app\n"
        "try:\n"
        "    app(prog_name='photochrom')\n"
        "finally:\n"
        "    assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **asked}, capture_output=True, text=True
    )
    assert (done.stdout.split(), done.stderr) == (expected, "")
