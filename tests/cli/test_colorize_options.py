"""``photochrom colorize``: how photographs are colored, and what is said of it."""

import re
from pathlib import Path

import numpy as np
import pytest
from cli_kit import Run, files, is_colored, write_model, write_photograph
from PIL import Image

from photochrom.colorizer import catalog
from photochrom.pictures.reading import MOST_MEGAPIXELS

PAINTER, GUESSER = ("--model", "painter"), ("--model", "guesser")
pytestmark = pytest.mark.usefixtures("models")


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.fixture
def scan(here: Path) -> Path:
    return write_photograph(here / "scan.png", (90, 60))


def colored(photochrom: Run, *arguments: str) -> np.ndarray:
    ended = photochrom("colorize", "scan.png", "--overwrite", *arguments)
    assert ended.status == 0, ended.err
    return pixels(Path("scan-color.png"))


def test_the_library_gives_the_same(scan: Path, photochrom: Run) -> None:
    made = colored(photochrom, *GUESSER)
    assert np.array_equal(made, np.asarray(catalog.load("guesser")(scan)))


def test_saturation_scales_the_colors(scan: Path, photochrom: Run) -> None:
    gray, usual, vivid = (
        np.ptp(colored(photochrom, *PAINTER, "--saturation", factor), axis=2).mean()
        for factor in ("0", "1", "2")
    )
    assert gray == 0.0
    assert 1.5 * usual < vivid < 2.5 * usual


def test_temperature_and_size_reach_the_model(scan: Path, photochrom: Run) -> None:
    usual = colored(photochrom, *GUESSER)
    assert np.array_equal(colored(photochrom, *GUESSER, "--temperature", "0.38"), usual)
    assert np.abs(colored(photochrom, *GUESSER, "--temperature", "3") - usual).max() > 3
    assert np.array_equal(colored(photochrom, *GUESSER, "--size", "32"), usual)
    assert np.abs(colored(photochrom, *GUESSER, "--size", "128") - usual).max() > 0


def test_guided_upsampling_is_another(here: Path, photochrom: Run) -> None:
    stripes = np.kron(np.indices((6, 9)).sum(0) % 2, np.ones((40, 40)))
    Image.fromarray((40 + 180 * stripes).astype(np.uint8)).save(here / "scan.png")
    usual = colored(photochrom, *GUESSER)
    assert np.abs(colored(photochrom, *GUESSER, "--upsampling", "guided") - usual).max() > 0


def test_variants_are_numbered_and_ranked(scan: Path, here: Path, photochrom: Run) -> None:
    ended = photochrom("colorize", "scan.png", *GUESSER, "--variants", "3", "--json")
    assert ended.status == 0, ended.err
    (told,) = ended.json["photographs"]
    count = len(told["outputs"])
    assert 1 <= count <= 3
    assert told["outputs"] == [f"scan-color-{i}.png" for i in range(1, count + 1)]
    assert told["shares"] == sorted(told["shares"], reverse=True)
    assert sum(told["shares"]) == pytest.approx(1.0, abs=1e-3)
    assert files(here) == sorted(["scan.png", *told["outputs"]])
    again = photochrom("colorize", ".", *GUESSER, "--variants", "3")
    assert "scan.png: Skipped. scan-color-1.png is there already." in again.lines


@pytest.mark.parametrize("asked", [("--temperature", "0.5"), ("--variants", "2")])
def test_a_model_without_a_distribution_says_so(
    asked: tuple[str, str], scan: Path, here: Path, photochrom: Run
) -> None:
    ended = photochrom("colorize", "scan.png", *PAINTER, *asked)
    assert (ended.status, len(ended.lines)) == (1, 1)
    assert f"painter predicts colors, no distribution: leave {asked[0]} out" in ended.err
    assert files(here) == ["scan.png"]


def test_compare_draws_a_sheet_of_all_models(scan: Path, here: Path, photochrom: Run) -> None:
    ended = photochrom("colorize", "scan.png", "--compare", "--temperature", "1", "--json")
    assert ended.status == 0, ended.err
    assert ended.lines[0] == "Models: guesser, painter."
    assert ended.json["photographs"][0]["model"] == ["guesser", "painter"]
    assert files(here) == ["scan-compare.png", "scan.png"]
    sheet = pixels(here / "scan-compare.png")
    # Three cells of 90 x 60 pixels, each below its label, in two columns.
    assert sheet.shape[:2] == (2 * (60 + 26 + 8) + 8, 2 * 208 + 8)
    gray, guessed = sheet[8 + 26 : 8 + 26 + 60, 8:98], sheet[8 + 26 : 8 + 26 + 60, 216:306]
    assert np.array_equal(gray, pixels(scan))
    assert np.ptp(guessed, axis=2).max() > 5
    assert (sheet[8:34, 8:98] < 128).any()
    photochrom("colorize", "scan.png", "--compare", *PAINTER, "-o", "one.png")
    assert pixels(here / "one.png").shape[1] < sheet.shape[1] + 1


def test_many_at_once_are_as_one_after_the_other(here: Path, photochrom: Run) -> None:
    for place in range(12):
        write_photograph(here / "scans" / f"{place:02}.png", (40 + 7 * place, 30 + 5 * place))
    for jobs in ("1", "4"):
        ended = photochrom("colorize", "scans", "-o", f"out{jobs}", "--jobs", jobs, *PAINTER)
        assert ended.status == 0, ended.err
    for name in files(here / "out1"):
        assert (here / "out1" / name).read_bytes() == (here / "out4" / name).read_bytes()


def test_json_tells_all_in_the_order_of_the_arguments(here: Path, photochrom: Run) -> None:
    for name in ("c.png", "a.png"):
        write_photograph(here / name, (30, 20))
    (here / "b.png").write_bytes(b"no picture")
    write_photograph(here / "c-color.png")
    ended = photochrom("colorize", "c.png", "b.png", "a.png", "--json", "--quiet", *PAINTER)
    assert ended.status == 3
    told = ended.json
    assert told["models"] == [{"name": "painter", "origin": "trained here"}]
    assert [told[key] for key in ("colored", "skipped", "failed", "left")] == [1, 1, 1, 0]
    skipped, failed, made = told["photographs"]
    assert (skipped["input"], skipped["state"], skipped["outputs"], skipped["error"]) == (
        *("c.png", "skipped", ["c-color.png"], None),
    )
    assert (failed["input"], failed["state"], failed["outputs"], failed["model"]) == (
        *("b.png", "failed", [], None),
    )
    assert ended.lines == [f"b.png: {failed['error']}"]
    assert (made["input"], made["outputs"], made["model"], made["size"], made["error"]) == (
        *("a.png", ["a-color.png"], "painter", [30, 20], None),
    )
    assert made["milliseconds"] > 0


def test_what_was_not_taken_over_is_noted(here: Path, photochrom: Run) -> None:
    frames = [Image.new("L", (20, 20), level) for level in (40, 200)]
    frames[0].save(here / "two.tif", save_all=True, append_images=frames[1:])
    ended = photochrom("colorize", "two.tif", "--json", *PAINTER)
    notes = ended.json["photographs"][0]["notes"]
    assert len(notes) == 1
    assert f"two.tif: {notes[0]}" in ended.lines
    assert "two.tif" not in photochrom("colorize", "two.tif", "-q", "--overwrite", *PAINTER).err


def test_too_large_is_refused_unread(here: Path, photochrom: Run) -> None:
    write_photograph(here / "scan.png", (200, 100))
    ended = photochrom("colorize", "scan.png", "-q", *PAINTER, "--max-megapixels", "0.019")
    assert (ended.status, len(ended.lines)) == (3, 1)
    assert "200 x 100" in ended.err
    assert photochrom("colorize", "scan.png", *PAINTER, "--max-megapixels", "0.02").status == 0


def test_the_best_model_is_taken_and_named(scan: Path, here: Path, photochrom: Run) -> None:
    (here / "models").unlink()
    ended = photochrom("colorize", "scan.png")
    assert ended.status == 1
    assert ended.err.startswith("There is no model here: train one with `dvc repro`")
    write_model(catalog.SHIPPED / "photochrom", classifies=True)
    ended = photochrom("colorize", "scan.png")
    assert ended.lines[0] == (
        "Model: photochrom, comes with Photochrom (nothing that can be used was trained here)."
    )
    write_model(here / "models" / "own")
    ended = photochrom("colorize", "scan.png", "--overwrite")
    assert ended.lines[0] == "Model: own, trained here (the only one)."
    ended = photochrom("colorize", "scan.png", "--overwrite", "--model", "models/own")
    assert ended.lines[0] == "Model: own, trained here."
    write_model(here / "elsewhere" / "far")
    ended = photochrom("colorize", "scan.png", "--overwrite", "--model", "elsewhere/far")
    assert ended.lines[0] == "Model: far, of elsewhere/far."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--size", "3"], "--size is 3: set it from 16 to 1024 pixels."),
        (["--temperature", "0"], "--temperature is 0: set it from 0.05 to 10.0."),
        (["--saturation", "-1"], "--saturation is -1: set it from 0 to 4.0."),
        (["--upsampling", "x"], "--upsampling is 'x': set it to bicubic or guided."),
        (["--variants", "17"], "--variants 17: set it from 1 to 16."),
        (["--variants", "2", "--compare"], "--compare shows one coloring of each model"),
        (["--max-megapixels", "0"], "--max-megapixels must be above 0."),
        (["--max-megapixels", "nan"], "--max-megapixels must be above 0."),
        (["--model", "painter"], "Several models color the same photographs only with --compare."),
        (["--model", "paintr"], "Several models"),
    ],
)
def test_options_out_of_range_are_refused(
    arguments: list[str], said: str, scan: Path, photochrom: Run
) -> None:
    ended = photochrom("colorize", "scan.png", *GUESSER, *arguments)
    assert (ended.status, len(ended.lines)) == (1, 1)
    assert ended.err.startswith(said)


def test_an_unknown_model_is_refused_with_its_like(scan: Path, photochrom: Run) -> None:
    ended = photochrom("colorize", "scan.png", "--model", "paintr")
    assert (ended.status, ended.lines) == (
        1,
        ["There is no model paintr. Did you mean painter? There are guesser, painter."],
    )


def test_a_wrong_setting_is_refused(
    scan: Path, photochrom: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOCHROM_WORKERS", "many")
    ended = photochrom("colorize", "scan.png", *PAINTER)
    assert (ended.status, ended.lines) == (
        1,
        ["PHOTOCHROM_WORKERS is 'many': set it to a whole number of at least 1."],
    )
    monkeypatch.setenv("PHOTOCHROM_DEVICE", "abacus")
    ended = photochrom("colorize", "scan.png", *PAINTER, "--jobs", "1")
    assert (ended.status, len(ended.lines)) == (1, 1)
    assert ended.err.startswith("The device abacus cannot be used")


def test_wrong_usage_ends_with_2(photochrom: Run) -> None:
    assert photochrom("colorize").status == 2
    assert photochrom("colorize", "a.png", "--jobs", "0").status == 2


def test_the_help_tells_limits_and_exit_codes(photochrom: Run) -> None:
    said = re.sub(r"[\s│]+", " ", photochrom("colorize", "--help").out.decode())
    assert f"{MOST_MEGAPIXELS:g} by default" in said
    assert "Exit status: 0 all is colored" in said


def test_nothing_but_failures_is_told_when_quiet(scan: Path, here: Path, photochrom: Run) -> None:
    for _ in range(2):
        ended = photochrom("colorize", "scan.png", "--quiet", *PAINTER)
        assert (ended.status, ended.out, ended.err) == (0, b"", "")
    assert is_colored(here / "scan-color.png")


def test_progress_is_a_line_now_and_then(
    here: Path, photochrom: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photochrom.progress.LINE_SECONDS", 0.0)
    for name in ("a.png", "b.png"):
        write_photograph(here / name)
    ended = photochrom("colorize", ".", *PAINTER)
    assert re.fullmatch(r"Coloring: 1 of 2, \d+ s", ended.lines[1])
