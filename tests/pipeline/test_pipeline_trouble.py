"""What goes wrong with a pipeline, and what is kept then.

The tests go on from where test_pipeline_study.py left the pipeline, up to date.
"""

import socket
import subprocess
import time
from typing import Any

import pytest
import torch
from pipeline_clone import GAN, REGRESSION, Clone, kill_group
from pipeline_questions import digests

from photochrom.files import read_json

LONGER = {"epochs": 4, "batch_size": 1, "ema": 0.9, "keep": "best"}


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (f"models.{GAN}.optimizer.lrr", 1e-4, "{key}: unknown key (did you mean lr?)"),
        (f"models.{GAN}.optimizer.lr", "1e-4", "{key}: must be a number, not '1e-4'"),
        (f"models.{GAN}.epochs", ..., "'{key}' are missing from 'params.yaml'"),
        (f"models.{GAN}.network.levels", 7, "{key}: 7 halvings need a side that is a multiple"),
        (f"models.{REGRESSION}.decoding", {"kind": "argmax"}, "does not fit objective regression"),
        ("filter.split.test", 1.5, "{key}: must be less than or equal to 1, not 1.5"),
    ],
    ids=["unknown", "text", "missing", "too deep", "unfitting", "too much"],
)
def test_a_wrong_params_yaml_is_refused_in_one_line(
    clone: Clone, key: str, value: Any, reason: str
) -> None:
    with clone.restored():
        clone.set(key, value)
        refused = clone.dvc("repro", status=255)
    assert len(refused.ran) <= 1, refused.told
    assert len(refused.reasons) == 1, refused.told
    assert reason.format(key=key) in refused.reasons[0], refused.told


def test_what_was_refused_lost_nothing(clone: Clone) -> None:
    restored = clone.dvc("repro")
    assert restored.ran == [], restored.told


def test_a_killed_training_is_continued_to_the_same_weights(clone: Clone) -> None:
    clone.set(f"models.{GAN}", {**clone.get(f"models.{GAN}"), **LONGER})
    impatient = clone.having(PHOTOCHROM_CHECKPOINT_SECONDS="1")
    with impatient.started("python", "-m", "dvc", "repro", f"train@{GAN}") as process:
        step = wait_for_checkpoint(clone, process)
        kill_group(process)
    assert not (clone.root / "models" / GAN / "run.json").exists()
    continued = impatient.dvc("repro", f"train@{GAN}")
    assert f"Continuing after step {step} of" in continued.text, continued.told
    weights = digests(clone)[GAN]
    dead = f"http://127.0.0.1:{closed_port()}"
    whole = clone.having(PHOTOCHROM_TRACKING="on", MLFLOW_TRACKING_URI=dead).dvc(
        "repro", "--force", "--single-item", f"train@{GAN}"
    )
    assert "Continuing" not in whole.text
    assert f"MLflow at {dead} does not answer; the training goes on" in whole.text, whole.told
    assert digests(clone)[GAN] == weights


def wait_for_checkpoint(clone: Clone, process: subprocess.Popen[str]) -> int:
    """Wait for a checkpoint in the midst of an epoch; return the step it was made at.

    Where the machine is too fast for one, the end of an epoch that is not the last will do.
    """
    state = clone.root / ".checkpoints" / GAN / "state.pt"
    epoch = read_json(clone.root / "data/lab/lab.json")["train"] // LONGER["batch_size"]
    while process.poll() is None:
        step = torch.load(state, weights_only=True)["progress"]["step"] if state.is_file() else 0
        if step % epoch or 2 * epoch <= step < LONGER["epochs"] * epoch:
            return step
        time.sleep(0.02)
    pytest.fail(f"The training ended before it was killed: {process.communicate()[0]}")


def closed_port() -> int:
    """Return a port of this machine at which nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
