"""Stage ``filter``: which photographs are kept, and in which split."""

from pathlib import Path

from photochrom.data.raw import RawError
from photochrom.data.selection import SelectionError, select, summary
from photochrom.data.selection_figures import draw_histogram, draw_selection
from photochrom.files import whole_file, write_json
from photochrom.params import load_params
from photochrom.progress import say

from _run import run


def main() -> None:
    """Judge data/raw and write data/filtered."""
    params, raw, out = load_params().filter, Path("data/raw"), Path("data/filtered")
    table = select(raw, params)
    draw_histogram(table, params, out / "histogram.png")
    draw_selection(table, raw, params, out / "sheet.jpg")
    with whole_file(out / "manifest.parquet") as path:
        table.to_parquet(path, index=False)
    numbers = summary(table)
    write_json(out / "summary.json", numbers)
    say(
        f"Kept {numbers['kept']} of {numbers['photographs']} photographs: {numbers['train']} to "
        f"train, {numbers['validation']} to validate, {numbers['test']} to test."
    )


if __name__ == "__main__":
    run(main, RawError, SelectionError)
