"""Stage ``baselines``: the untrained rows of the table."""

from pathlib import Path

from photochrom.data.prior import Prior
from photochrom.data.shards import ShardError
from photochrom.evaluation.baselines import evaluate_baselines
from photochrom.params import load_params

from _run import run


def main() -> None:
    """Measure gray, mean color, a random photograph's colors and the truth."""
    prior = Prior.load(Path("data/prior"))
    evaluate_baselines(Path("data/lab"), prior, load_params().evaluate, Path("results/evaluate"))


if __name__ == "__main__":
    run(main, ShardError)
