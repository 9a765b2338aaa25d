"""Stage ``evaluate@``: a trained model on the test photographs."""

import sys
from pathlib import Path

from photochrom.colorizer.prediction import Predictor
from photochrom.colorizer.stored import ColorizerError
from photochrom.data.prior import Prior
from photochrom.data.shards import LabSet, ShardError
from photochrom.evaluation.evaluate import evaluate_model
from photochrom.evaluation.perception import Perception, PerceptionError
from photochrom.memory import keep_freed_memory
from photochrom.params import load_params
from photochrom.progress import say
from photochrom.tracking import record_evaluation

from _run import run


def main() -> None:
    """Measure the model named on the command line and write results/evaluate/NAME."""
    keep_freed_memory()
    name, params = sys.argv[1], load_params()
    decoding, out = params.models[name].decoding, Path("results/evaluate", name)
    colorizer = Predictor.load(Path("models", name), decoding)
    test, prior = LabSet.open(Path("data/lab"), "test"), Prior.load(Path("data/prior"))
    perception = Perception.open(test, Path("data/weights"), Path("results/evaluate/truth/details"))
    numbers = evaluate_model(colorizer, test, prior, params.evaluate, out, (perception,))
    say(
        f"{name}: rebalanced AuC {numbers['auc_rebalanced']:.1f} %, "
        f"colorfulness {numbers['colorfulness']:.1f}."
    )
    tags = {"decoding": " ".join(str(value) for value in decoding.model_dump().values())}
    record_evaluation(Path.cwd(), params.tracking.experiment, name, tags)


if __name__ == "__main__":
    run(main, ColorizerError, PerceptionError, ShardError)
