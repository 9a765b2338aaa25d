"""Stage ``filter``: which photographs are kept, and in which split."""

import shutil
from pathlib import Path

from photochrom.data.raw import RawError
from photochrom.data.selection import SelectionError, select, summary
from photochrom.data.selection_figures import draw_histogram, draw_selection
from photochrom.files import write_json
from photochrom.params import load_params
from photochrom.progress import say

from _run import run

SCRATCH = Path(".checkpoints/filter")


def main() -> None:
    """Judge data/raw and write data/filtered."""
    params, raw, out = load_params().filter, Path("data/raw"), Path("data/filtered")
    manifest = out / "manifest.parquet"
    select(raw, manifest, params, SCRATCH)
    draw_histogram(manifest, params, out / "histogram.png")
    draw_selection(manifest, raw, params, out / "sheet.jpg")
    numbers = summary(manifest)
    write_json(out / "summary.json", numbers)
    shutil.rmtree(SCRATCH)
    say(
        f"Kept {numbers['kept']} of {numbers['photographs']} photographs: {numbers['train']} to "
        f"train, {numbers['validation']} to validate, {numbers['test']} to test."
    )


if __name__ == "__main__":
    run(main, RawError, SelectionError)
