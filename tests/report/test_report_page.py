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
import pandas as pd
import pytest
from made_details import make_study, votes
from matplotlib.text import Text
from PIL import Image

from photochrom.measures import MEASURES
from photochrom.params import Params, load_params
from photochrom.report import build_report, figures
from photochrom.report.collect import Results, Row, collect
from photochrom.report.figures import sheets, style
from photochrom.report.page import render
from photochrom.report.sections.cards import described
from photochrom.report.tables import measured
from photochrom.tracking import Provenance

STAGE = Path(__file__).parents[2] / "stages" / "report.py"
ADDRESSES = ("src", "href", "xlink:href", "srcset", "action", "poster", "data", "background")
FILES = {
    "index.html",
    "comparison.csv",
    "comparison.md",
    "differences.csv",
    "hues.csv",
    "classes.csv",
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
        assert image.width // sheets.SHEET_SIDE == 2
        assert image.height // sheets.SHEET_SIDE == 4


def test_the_same_results_give_the_same_bytes(report: Path, params: Params, project: Path) -> None:
    make_study(project, votes())
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
    tiles, figures_of_data, planes, failures = 2 * 4, 3, 3, 2 * 2 * 2
    assert len(sources) == tiles + figures_of_data + planes + failures
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
    assert {link.removeprefix("#") for link in links} == {
        attributes["id"] for tag, attributes in parsed.elements if tag == "section"
    }
    for section in ("comparison", "plots", "samples", "failures", "strengths", "people"):
        assert ids.count(section) == 1


def test_the_table_has_every_measure_that_was_taken_with_its_definition(
    page: str, results: Results
) -> None:
    headings = {title for title in Page(page).values("th", "title") if title}
    assert headings == {measure.definition for measure in measured(results.rows)}


def test_what_was_not_measured_is_named_with_what_it_needs(page: str, results: Results) -> None:
    plain = html.unescape(re.sub(r"<[^>]+>", "", page))
    absent = [measure for measure in MEASURES if measure not in measured(results.rows)]
    assert len(absent) > 10
    (listed,) = re.findall(r"Not measured here: (.*?)</summary>", page)
    assert html.unescape(listed).split(", ") == [measure.title for measure in absent]
    for measure in absent:
        assert measure.needs.replace("`", "") in plain
    assert "<code>photochrom weights fetch alexnet</code>" in page


def test_each_measure_is_shown_by_its_group_and_the_main_ones_at_the_start(page: str) -> None:
    cells = Page(page).elements
    shown = [a["data-in"] for tag, a in cells if tag == "th" and "data-better" in a]
    assert shown[:2] == ["main color", "main color"]
    assert "pixels" in shown
    switches = re.findall(r'<button type="button" data-show="(\w+)"', page)
    assert switches[:5] == ["main", "color", "pixels", "failures", "cost"]
    assert switches[5] == "all"
    for key in switches[:5]:
        assert f'[data-show="{key}"] [data-in]:not([data-in~="{key}"])' in page


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
    made = Provenance(commit="1f2e3d", dirty=True, lab_md5="0a1b.dir", params_sha256="77aa")
    text = Page(render(dataclasses.replace(results, provenance=made))).text
    assert "Code commit 1f2e3d, with uncommitted changes Parameters sha256 77aa Data md5" in text
    assert "Prior not under DVC" in text
    assert "Hardware of training cpu, float32" in text
    assert "Time of training: 2 min 3 s in all, 2 models" in text


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


def test_hostile_labels_of_failures_stay_labels(results: Results) -> None:
    attack = '"><script>alert(1)</script>'
    details = results.details["classifier"]
    sheet = details.failures[0]
    failed = dataclasses.replace(sheet.photographs[0], id=attack, label=attack)
    hostile = dataclasses.replace(
        details, failures=(dataclasses.replace(sheet, photographs=(failed,)),)
    )
    changed = dataclasses.replace(results, details={**results.details, "classifier": hostile})
    parsed = Page(render(changed))
    assert [tag for tag, _ in parsed.elements].count("script") == 1
    assert attack in parsed.values("li", "title")


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
    assert style.INK not in svg
    assert "<style" not in svg
    assert "DejaVu" not in svg
    assert not re.search(r'<g id="', svg)


def test_one_model_alone_makes_a_report(project: Path, params: Params) -> None:
    alone = params.model_copy(update={"models": {"regressor": params.models["regressor"]}})
    build_report(alone, project, project / "out")
    text = (project / "out" / "index.html").read_text(encoding="utf-8")
    assert "regressor leads" in text
    assert ">classifier<" not in text


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


def test_a_long_training_is_thinned_to_what_a_line_can_show(results: Results) -> None:
    epochs = np.arange(1, 5001)
    values = {"epoch": epochs, "train/loss": 1 / epochs, "validation/loss": 2 / epochs}
    run = {**results.trainings[0].run, "kept_epoch": 4321}
    long = dataclasses.replace(results.trainings[0], history=pd.DataFrame(values), run=run)
    (axes,) = figures.learning_curve(long).axes
    drawn = axes.get_lines()[0].get_xdata()
    assert len(np.asarray(drawn)) <= 201
    assert {1, 4321, 5000} <= set(np.asarray(drawn).tolist())


def test_a_configuration_reads_as_words(params: Params) -> None:
    assert described(params.models["regressor"].decoding) == "direct"
    assert described(params.models["classifier"].objective) == (
        "classification: bins gamut313, neighbours 5, sigma 5, rebalance (prior), decoder none"
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
