"""Stage ``train@``: one model of params.yaml, trained or continued where it stopped."""

import sys
from pathlib import Path

from photochrom.data.shards import ShardError, describe
from photochrom.networks import WeightsError
from photochrom.params import load_params
from photochrom.training.errors import TrainingError
from photochrom.training.launch import LaunchedError, launch, processes
from photochrom.training.train import Job, train_model

from _run import run


def main() -> None:
    """Train the model named on the command line and write models/NAME."""
    job = Job.of(sys.argv[1], load_params(), Path.cwd())
    count = processes(min(job.model.batch_size, int(describe(job.lab)["train"])))
    if count == 1:
        train_model(job)
        return
    try:
        launch(Path(__file__), sys.argv[1:], count)
    except LaunchedError:
        sys.exit(1)


if __name__ == "__main__":
    run(main, ShardError, TrainingError, WeightsError)
