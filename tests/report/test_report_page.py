"""The page and the files beside it: whole, self-contained, safe, the same every time."""

import base64
import dataclasses
import html
import io
import itertools
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from photochrom.measures import MEASURES
from photochrom.params import Params, load_params
from photochrom.report import build_report, embed, figures
from photochrom.report.collect import Results, Row, collect
from photochrom.report.page import described, render
from photochrom.tracking import Provenance

STAGE = Path(__file__).parents[2] / "stages" / "report.py"
ADDRESSES = ("src", "href", "xlink:href", "srcset", "action", "poster", "data", "background")
FILES = {
    "index.html",
    "comparison.csv",
    "comparison.md",
    "differences.csv",
    "sheet.jpg",
    "learning_curves.png",
    "tradeoff.png",
}


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, tag: str, attribute: str) -> list[str | None]:
        return [a[attribute] for name, a in self.elements if name == tag and attribute in a]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def page(report: Path) -> str:
    return (report / "index.html").read_text(encoding="utf-8")


def test_every_file_is_written_and_nothing_else(report: Path) -> None:
    assert {path.name for path in report.iterdir()} == FILES
    for name in ("sheet.jpg", "learning_curves.png", "tradeoff.png"):
        with Image.open(report / name) as image:
            image.load()


def test_the_sheet_has_a_row_for_gray_each_model_and_the_truth(report: Path) -> None:
    with Image.open(report / "sheet.jpg") as image:
        assert image.width // figures.SHEET_SIDE == 2
        assert image.height // figures.SHEET_SIDE == 4


def test_the_same_results_give_the_same_bytes(report: Path, params: Params, project: Path) -> None:
    build_report(params, project, project / "again")
    for name in FILES:
        assert (report / name).read_bytes() == (project / "again" / name).read_bytes(), name


def test_the_page_asks_for_nothing_from_outside(page: str) -> None:
    elements = Page(page).elements
    addresses = [a[name] or "" for _, a in elements for name in ADDRESSES if name in a]
    assert addresses
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert not re.search(r"@import|fetch\(|XMLHttpRequest|WebSocket|<iframe|<object", page)
    assert all(inner.startswith("#") for inner in re.findall(r"url\(([^)]*)\)", page))
    (policy,) = [
        attributes["content"]
        for _, attributes in elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_every_picture_in_the_page_decodes(page: str) -> None:
    sources = [source for source in Page(page).values("img", "src") if source]
    assert len(sources) == 2 * 4 + 3
    for source in sources:
        kind, data = source.split(";base64,")
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
            image.load()
            assert kind == f"data:image/{str(image.format).lower()}"


def test_every_link_leads_to_a_section(page: str) -> None:
    parsed = Page(page)
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    links = [link for link in parsed.values("a", "href") if link]
    assert {link.removeprefix("#") for link in links} <= set(ids)
    for section in ("comparison", "samples", "tradeoff", "methods", "data", "provenance"):
        assert ids.count(section) == 1


def test_the_table_has_every_measure_with_its_definition(page: str) -> None:
    headings = {title for title in Page(page).values("th", "title") if title}
    assert headings == {measure.definition for measure in MEASURES}


def test_best_and_no_better_than_gray_are_marked_on_models_alone(page: str) -> None:
    models, baselines = (
        re.search(f'<tbody class="{name}">(.*?)</tbody>', page, re.DOTALL)[1]  # type: ignore[index]
        for name in ("models", "baselines")
    )
    assert re.search(r'class="best" data-value="64.123456789">64.1 <small>± 1.0<', models)
    assert re.search(r'class="behind" data-value="9.25">9.25 <small>± 1.00<', models)
    assert not re.search(r'class="(best|behind)', baselines)


def test_the_page_tells_what_was_read(page: str) -> None:
    text = Page(page).text
    for words in (
        "classifier leads with a rebalanced AuC of 64.1",
        "Of 1,086 photographs from the source samples , 1,071 were kept",
        "Rejected: 11 near duplicate, 4 gray.",
        "Photographs 900 80 91 Pictures made of them 3,600 160 182",
        "annealed mean: temperature 0.38",
        "adamw: lr 0.003, betas 0.9 / 0.99, weight decay 0.01, schedule cosine, warmup 0.1, clip "
        "none",
        "3 epochs, kept the best (2)",
        "the discriminator wins",
        "Here 5 % of 255.",
    ):
        assert words in text


def test_what_made_the_results_is_told(results: Results) -> None:
    made = Provenance(commit="1f2e3d", dirty=True, lab_md5="0a1b.dir")
    text = Page(render(dataclasses.replace(results, provenance=made))).text
    assert "Code commit 1f2e3d, with uncommitted changes Data md5 0a1b.dir" in text
    assert "Prior not under DVC" in text
    assert "Hardware of training cpu, float32 Time of training 123 s in all, models: 2" in text


def test_hostile_words_stay_words(project: Path, params: Params) -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    model = params.models["regressor"].model_copy(update={"study": attack})
    hostile = params.model_copy(
        update={
            "report": params.report.model_copy(update={"title": attack}),
            "models": {**params.models, "regressor": model},
        }
    )
    build_report(hostile, project, project / "out")
    page = (project / "out" / "index.html").read_text(encoding="utf-8")
    assert attack not in page
    assert html.escape(attack, quote=False).replace('"', "&#34;") in page
    parsed = Page(page)
    assert [tag for tag, _ in parsed.elements].count("script") == 1
    assert not parsed.values("img", "onerror")


def test_hostile_photograph_names_stay_names(results: Results) -> None:
    attack = "a\"><script>alert('x')</script>.jpg"
    photo = dataclasses.replace(results.photographs[0], id=attack)
    parsed = Page(render(dataclasses.replace(results, photographs=(photo,))))
    assert [tag for tag, _ in parsed.elements].count("script") == 1
    assert f"{attack}, gray" in parsed.values("img", "alt")


def test_tiles_that_fit_are_the_files_themselves(results: Results) -> None:
    path = results.photographs[0].pictures["gray"]
    data = embed.tiles([path])[path].split(",")[1]
    assert base64.b64decode(data) == path.read_bytes()


def test_tiles_that_are_too_many_are_made_smaller(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.png" for i in range(40)]
    for path in paths:
        noise = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path, compress_level=1)
    assert sum(path.stat().st_size for path in paths) > embed.BUDGET
    tiles = embed.tiles(paths)
    assert sum(map(len, tiles.values())) < embed.BUDGET * 4 / 3 + 40 * 32
    with Image.open(io.BytesIO(base64.b64decode(tiles[paths[0]].split(",")[1]))) as image:
        assert image.format == "JPEG"
        assert image.width == 256


def test_names_in_a_crowded_plot_do_not_lie_on_one_another() -> None:
    rng = np.random.default_rng(0)
    rows = [
        _placed(f"some_longish_model_{i}", auc, color)
        for i, (auc, color) in enumerate(rng.uniform((57, 10), (66, 48), (14, 2)))
    ]
    gray, truth = _placed("gray", 58.0, 0.0), _placed("truth", 100.0, 50.0)
    figure = figures.tradeoff([*rows, gray, truth])
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    assert len(boxes) == 16
    for one, other in itertools.combinations(boxes, 2):
        assert not one.padded(-1).overlaps(other.padded(-1))
    for row in rows:
        spot = axes.transData.transform(
            (row.metrics["colorfulness"], row.metrics["auc_rebalanced"])
        )
        assert not any(box.contains(*spot) for box in boxes)


def test_intervals_are_drawn_as_bars() -> None:
    row = dataclasses.replace(
        _placed("model", 60.0, 20.0),
        intervals={"auc_rebalanced": (58.0, 61.0), "colorfulness": (19.0, 22.0)},
    )
    figure = figures.tradeoff([row, _placed("gray", 58.0, 0.0), _placed("truth", 100.0, 50.0)])
    bars = [bar for c in figure.axes[0].collections for bar in c.get_segments()]  # type: ignore[attr-defined]
    assert any(np.allclose(bar, [[19.0, 60.0], [22.0, 60.0]]) for bar in bars)
    assert any(np.allclose(bar, [[20.0, 58.0], [20.0, 61.0]]) for bar in bars)


def _placed(name: str, auc: float, colorfulness: float) -> Row:
    study = None if name in ("gray", "truth") else "000"
    return Row(name, study, 6, {"auc_rebalanced": auc, "colorfulness": colorfulness}, {})


def test_a_gan_has_all_its_losses_drawn_but_no_accuracy(results: Results) -> None:
    training = results.trainings[0]
    history = training.history.assign(
        **{
            "train/discriminator_loss": [0.3, 0.2, 0.1],
            "train/discriminator_accuracy_real": [0.5, 0.6, 0.7],
            "train/loss": [90.0, 50.0, 40.0],
        }
    )
    figure = figures.learning_curve(dataclasses.replace(training, history=history))
    (axes,) = figure.axes
    assert axes.get_legend_handles_labels()[1] == [
        "training loss",
        "training discriminator loss",
        "validation loss",
        "kept",
    ]
    assert axes.get_yscale() == "log"


def test_figures_on_the_page_take_its_color_and_style_nothing_else(results: Results) -> None:
    svg = figures.as_svg(figures.tradeoff(results.rows))
    assert svg.startswith("<svg")
    assert "currentColor" in svg
    assert figures.INK not in svg
    assert "<style" not in svg
    assert "DejaVu" not in svg
    assert not re.search(r'<g id="', svg)


def test_one_model_alone_makes_a_report(project: Path, params: Params) -> None:
    alone = params.model_copy(update={"models": {"regressor": params.models["regressor"]}})
    build_report(alone, project, project / "out")
    text = (project / "out" / "index.html").read_text(encoding="utf-8")
    assert "regressor leads" in text
    assert "classifier" not in text


def test_many_colorizers_have_a_row_each(project: Path, params: Params) -> None:
    names = [f"model_{n}" for n in range(6)]
    for folder, name in itertools.product(("models", "results/evaluate"), names):
        shutil.copytree(project / folder / "regressor", project / folder / name)
    models = dict.fromkeys(names, params.models["regressor"])
    few = Page(render(collect(params, project)))
    many = Page(render(collect(params.model_copy(update={"models": models}), project)))
    assert "sheet few" in few.values("div", "class")
    assert "sheet many" in many.values("div", "class")
    assert "--versions: 8" in many.values("div", "style")


def test_a_configuration_reads_as_words(params: Params) -> None:
    assert described(params.models["regressor"].decoding) == "direct"
    assert described(params.models["classifier"].objective) == (
        "classification: bins gamut313, neighbours 5, sigma 5, rebalance (prior)"
    )


def test_the_stage_writes_the_report_or_one_line(project: Path) -> None:
    assert load_params(project / "params.yaml")
    done = _stage(project)
    assert (done.returncode, done.stderr) == (0, "")
    assert (project / "results" / "report" / "index.html").exists()
    (project / "models" / "regressor" / "run.json").unlink()
    refused = _stage(project)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "models/regressor/run.json is missing: run `dvc repro train@regressor`" in refused.stderr


def _stage(project: Path) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-W", "error", str(STAGE))
    quiet = {**os.environ, "PHOTOCHROM_TRACKING": "off"}
    return subprocess.run(command, cwd=project, env=quiet, capture_output=True, text=True)
