"""Stage ``prior``: how often each color occurs in the training photographs."""

from pathlib import Path

from photochrom.data.counting import count_colors
from photochrom.data.prior import Prior
from photochrom.data.prior_figure import draw_prior
from photochrom.data.shards import LabSet, ShardError
from photochrom.params import load_params
from photochrom.progress import say

from _run import run

COMMON = 1e-4


def main() -> None:
    """Count the colors of data/lab and write data/prior."""
    params, out = load_params().prior, Path("data/prior")
    train = LabSet.open(Path("data/lab"), "train")
    histogram = count_colors(train)
    prior = Prior.from_histogram(histogram, train.index["id"].nunique(), params)
    prior.save(out)
    draw_prior(prior, out / "prior.png")
    common = int((prior.prior > COMMON).sum())
    say(f"Counted {histogram.sum():,} pixels; {common} of 313 bins hold over 0.01 % each.")


if __name__ == "__main__":
    run(main, ShardError)
