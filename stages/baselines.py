"""Stage ``baselines``: the untrained rows of the table."""

from pathlib import Path

from photochrom.data.prior import Prior
from photochrom.data.shards import ShardError
from photochrom.evaluation.baselines import evaluate_baselines
from photochrom.evaluation.perception import PerceptionError
from photochrom.memory import keep_freed_memory
from photochrom.params import BASELINES, load_params
from photochrom.tracking import record_evaluation

from _run import run


def main() -> None:
    """Measure gray, mean color, a random photograph's colors and the truth."""
    keep_freed_memory()
    params, out = load_params(), Path("results/evaluate")
    lab, prior, weights = Path("data/lab"), Prior.load(Path("data/prior")), Path("data/weights")
    evaluate_baselines(lab, prior, params.evaluate, out, weights)
    for name in BASELINES:
        record_evaluation(Path.cwd(), params.tracking.experiment, name)


if __name__ == "__main__":
    run(main, PerceptionError, ShardError)
