"""The page: one file that needs nothing else, neither a server nor a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from photochrom import __version__
from photochrom.measures import MEASURES, Measure
from photochrom.params import Section
from photochrom.report import embed, figures
from photochrom.report.collect import SPLITS, Results, Row, Training
from photochrom.report.standings import ARROWS, beats, certainty, leaders, printed, spread
from photochrom.report.verdict import verdict

FITS = {
    "resize": "each the whole photograph, squashed to a square",
    "crop": "each the central square of a photograph",
    "tiles": "random squares, several of each photograph",
}

KEPT = {"best": "best", "best_l1": "best by L1", "last": "last"}


@dataclass(frozen=True)
class Cell:
    """A number of the table: as printed, with its ± if any, as sorted, and how it stands."""

    text: str
    spread: str
    value: float | None
    standing: str


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    row: Row
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Tile:
    """A rendering of a test picture."""

    title: str
    address: str


@dataclass(frozen=True)
class Strip:
    """The renderings of one test picture."""

    id: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Card:
    """How a model was made, as pairs of a word and what it says."""

    name: str
    study: str
    facts: tuple[tuple[str, str], ...]
    curve: Markup


def render(results: Results) -> str:
    """Return the page as HTML."""
    headline, *rest = verdict(results)
    return (
        _environment()
        .get_template("index.html")
        .render(
            title=results.params.report.title,
            headline=headline,
            rest=rest,
            measures=MEASURES,
            arrows=ARROWS,
            certainty=certainty(results),
            models=_lines(results, results.models),
            baselines=_lines(results, results.baselines),
            titles=[row.title for row in shown(results)],
            strips=_strips(results),
            cards=[_card(training) for training in results.trainings],
            tradeoff=Markup(figures.as_svg(figures.tradeoff(results.rows))),
            data=_data(results),
            provenance=_provenance(results),
            threshold=results.params.evaluate.accuracy_threshold,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("photochrom.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(name: str) -> Markup:
    """Let a browser break a long name after its underscores."""
    return escape(name).replace("_", Markup("_<wbr>"))


def shown(results: Results) -> tuple[Row, ...]:
    """Return the columns of the sample sheet: gray, the models, the truth."""
    return (results.row("gray"), *results.models, results.row("truth"))


def _lines(results: Results, rows: Sequence[Row]) -> list[Line]:
    best = {m.key: leaders(results.rows, m, results.differences) for m in MEASURES}
    gray = results.row("gray")
    return [
        Line(row, tuple(_cell(row, gray, measure, best[measure.key]) for measure in MEASURES))
        for row in rows
    ]


def _cell(row: Row, gray: Row, measure: Measure, best: frozenset[str]) -> Cell:
    value = row.metrics.get(measure.key)
    behind = row.trained and measure.key != "milliseconds" and beats(row, gray, measure) is False
    standing = " ".join(
        word for word, holds in (("best", row.name in best), ("behind", behind)) if holds
    )
    return Cell(printed(measure, value), spread(row, measure), value, standing)


def _strips(results: Results) -> list[Strip]:
    rows = shown(results)
    paths = [path for photo in results.photographs for path in photo.pictures.values()]
    address = embed.tiles(paths)
    return [
        Strip(
            photo.id,
            tuple(Tile(row.title, address[photo.pictures[row.name]]) for row in rows),
        )
        for photo in results.photographs
    ]


def _card(training: Training) -> Card:
    params, run, config = training.params, training.run, training.config
    crop = f", crops of {params.image.crop} px" if params.image.crop else ""
    facts = (
        ("Network", described(params.network)),
        ("Objective", described(params.objective)),
        ("Decoding", described(params.decoding)),
        ("Optimizer", described(params.optimizer)),
        (
            "Trained for",
            f"{run['epochs']} epochs, kept the {KEPT[params.keep]} ({run['kept_epoch']})",
        ),
        ("Batch", f"{params.batch_size} pictures of {config['image_size']} px{crop}"),
        (
            "Weights",
            f"moving average, decay {params.ema}" if params.ema else "as trained",
        ),
        ("Parameters", f"{config['parameters']:,}"),
        ("Time", f"{run['seconds']:,.0f} s, {run['images_per_second']:,.0f} pictures/s"),
        ("Hardware", f"{run['device']}, {run['precision']}, torch {run['torch']}"),
        *(("Warning", remark) for remark in run["remarks"][-1:]),
    )
    curve = Markup(figures.as_svg(figures.learning_curve(training)))
    return Card(training.name, params.study, facts, curve)


def described(section: Section) -> str:
    """Return a section of params.yaml in words: its kind, then its settings."""
    values = [(key, getattr(section, key)) for key in type(section).model_fields]
    words = [f"{key.replace('_', ' ')} {_worded(value)}" for key, value in values if key != "kind"]
    kind = str(getattr(section, "kind", "")).replace("_", " ")
    return f"{kind}: {', '.join(words)}" if words else kind


def _worded(value: Any) -> str:
    if isinstance(value, Section):
        return f"({described(value)})"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, tuple):
        return " / ".join(map(_worded, value))
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def _data(results: Results) -> dict[str, Any]:
    data, params = results.data, results.params
    summary = data.summary
    return {
        "source": params.data.source,
        "photographs": summary["photographs"],
        "kept": summary["kept"],
        "rejected": _rejected(results),
        "splits": [(split, summary.get(split), data.lab[split]) for split in SPLITS],
        "own_split": params.filter.split.own,
        "lab": data.lab,
        "fit": FITS.get(data.lab["fit"], data.lab["fit"]),
        "minimum": f"{params.filter.min_colorfulness:g}",
        "histogram": embed.figure(data.histogram),
        "sheet": embed.figure(data.sheet),
        "prior": embed.figure(data.prior),
    }


def _rejected(results: Results) -> list[tuple[str, float]]:
    prefix = "rejected_"
    counts = [
        (key.removeprefix(prefix).replace("_", " "), count)
        for key, count in results.data.summary.items()
        if key.startswith(prefix) and count
    ]
    return sorted(counts, key=lambda pair: (-pair[1], pair[0]))


def _provenance(results: Results) -> list[tuple[str, str]]:
    made, params = results.provenance, results.params
    commit = f"commit {made.commit}{', with uncommitted changes' if made.dirty else ''}"
    runs = [training.run for training in results.trainings]
    hardware = dict.fromkeys(f"{run['device']}, {run['precision']}" for run in runs)
    seconds = sum(float(run["seconds"]) for run in runs)
    return [
        ("Code", commit if made.commit else "not under git"),
        ("Data", f"md5 {made.lab_md5}" if made.lab_md5 else "not under DVC"),
        ("Prior", f"md5 {made.prior_md5}" if made.prior_md5 else "not under DVC"),
        ("Source of photographs", f"{params.data.source}, seed {params.data.seed}"),
        ("Seed of training", str(params.train.seed)),
        ("Hardware of training", "; ".join(hardware)),
        ("Time of training", f"{seconds:,.0f} s in all, models: {len(runs)}"),
        ("Versions", f"photochrom {__version__}, torch {version('torch')}"),
    ]
