"""Stage ``lab``: kept photographs become shards of eight-bit Lab."""

from pathlib import Path

from photochrom.data.lab import write_lab
from photochrom.data.raw import RawError
from photochrom.data.shards import ShardError
from photochrom.params import load_params
from photochrom.progress import say

from _run import run


def main() -> None:
    """Convert the kept photographs of data/filtered and write data/lab."""
    params = load_params()
    about = write_lab(
        Path("data/filtered/manifest.parquet"),
        Path("data/raw"),
        Path("data/lab"),
        Path(".checkpoints/lab"),
        params.lab,
        params.filter.max_megapixels,
    )
    say(
        f"Stored {about['train']} squares of {about['size']} px to train, {about['validation']} "
        f"to validate, {about['test']} to test."
    )


if __name__ == "__main__":
    run(main, RawError, ShardError)
