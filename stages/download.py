"""Stage ``download``: the photographs that section data of params.yaml names, as raw shards."""

from pathlib import Path

from photochrom.data.raw import write_raw
from photochrom.data.sources import SourceError, photographs
from photochrom.params import load_params
from photochrom.progress import say

from _run import run


def main() -> None:
    """Fetch, sample and write ``data/raw``."""
    params = load_params().data
    written = write_raw(photographs(params, Path("data/downloads")), Path("data/raw"))
    unreadable = f", {written.unreadable} of them unreadable" if written.unreadable else ""
    say(
        f"{params.source}: {written.photographs} photographs{unreadable}, "
        f"{written.bytes / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    run(main, SourceError)
