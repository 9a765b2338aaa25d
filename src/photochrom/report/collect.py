"""Everything the report shows, gathered from the files that the other stages wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from photochrom.measures import MEASURES
from photochrom.params import BASELINES, Params
from photochrom.params.models import ModelParams
from photochrom.report.classes import Classes, compared_by_class
from photochrom.report.details import Details, details_of
from photochrom.report.differences import SET_LEVEL, Differences, compared, resampled
from photochrom.report.hues import Hues, compared_by_hue
from photochrom.report.people import People, people_of
from photochrom.report.reading import ReportError, csv_of, found, json_of, parquet_of, stage_of
from photochrom.tracking import Provenance, provenance
from photochrom.uncertainty import WEIGHTS, Bootstrap

MEASURE_KEYS = frozenset(measure.key for measure in MEASURES)
METRIC_KEYS = ("photographs", "auc_rebalanced", "colorfulness", "colorfulness_delta", "interval")
COMPARED = ("gray", "mean_color")
"""The baselines that stand in the table of differences."""
RESULT_PARAMS = frozenset({"data", "filter", "lab", "prior", "train", "models", "evaluate"})
"""The sections of params.yaml on which the numbers depend."""
SPLITS = ("train", "validation", "test")
RUN_KEYS = (
    "device",
    "precision",
    "torch",
    "seconds",
    "images_per_second",
    "epochs",
    "kept_epoch",
    "remarks",
)


@dataclass(frozen=True)
class Row:
    """One colorizer in the comparison.

    Attributes
    ----------
    name : the model's key in params.yaml, or the baseline's name.
    study : where a model comes from; None for a baseline, which is not trained.
    photographs : how many test pictures were measured.
    metrics : its measures by key; a baseline may lack some.
    intervals : the 95 % intervals, low and high, of those that have one.
    """

    name: str
    study: str | None
    photographs: int
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]

    @property
    def trained(self) -> bool:
        """Whether this is a model, not a baseline."""
        return self.study is not None

    @property
    def title(self) -> str:
        """The name as it is printed: a model's key as it stands, a baseline's in words."""
        return self.name if self.trained else self.name.replace("_", " ")


@dataclass(frozen=True)
class Photograph:
    """A test picture with its renderings, by the name of the row, in the order they are shown."""

    id: str
    pictures: Mapping[str, Path]


@dataclass(frozen=True, eq=False)
class Training:
    """How a model was made.

    Attributes
    ----------
    params : its entry in params.yaml.
    config : its config.json: parameters, image size.
    run : its run.json: device, precision, seconds, kept epoch, remarks on its epochs.
    history : its history.csv, one row per epoch.
    """

    name: str
    params: ModelParams
    config: Mapping[str, Any]
    run: Mapping[str, Any]
    history: pd.DataFrame


@dataclass(frozen=True)
class Data:
    """What was learned from and measured on.

    Attributes
    ----------
    summary : the counts of the filter stage.
    lab : side, fit and counts of the stored squares.
    """

    summary: Mapping[str, float]
    lab: Mapping[str, Any]
    histogram: Path
    sheet: Path
    prior: Path


@dataclass(frozen=True)
class Results:
    """All that the report shows.

    Attributes
    ----------
    rows : models by falling rebalanced AuC, then the baselines.
    trainings : in the order of the models among the rows.
    scenes : groups among the test pictures.
    differences : between the models, plain gray and the mean color.
    details : of every row, by its name.
    hues, classes : how well each model does on each hue, and on each class of photograph.
    people : what people said.
    """

    params: Params
    rows: tuple[Row, ...]
    photographs: tuple[Photograph, ...]
    trainings: tuple[Training, ...]
    scenes: int
    differences: Differences
    details: Mapping[str, Details]
    hues: Hues
    classes: Classes
    people: People
    data: Data
    provenance: Provenance

    @property
    def models(self) -> tuple[Row, ...]:
        """The trained models, best rebalanced AuC first."""
        return tuple(row for row in self.rows if row.trained)

    @property
    def baselines(self) -> tuple[Row, ...]:
        """What needs no training: gray first, the truth last."""
        return tuple(row for row in self.rows if not row.trained)

    @property
    def shown(self) -> tuple[Row, ...]:
        """What pictures are shown of: gray, the models, the truth."""
        return (self.row("gray"), *self.models, self.row("truth"))

    @property
    def sample(self) -> str:
        """What the numbers are means over, in words: the scenes or, if each has one, pictures."""
        grouped = self.scenes < self.row("gray").photographs
        return f"{self.scenes:,} {'scene' if grouped else 'picture'}{'s' * (self.scenes != 1)}"

    def row(self, name: str) -> Row:
        """Return the row of this name."""
        return next(row for row in self.rows if row.name == name)


def collect(params: Params, root: Path) -> Results:
    """Read all that the report shows from the project at ``root``.

    Raises
    ------
    ReportError
        In one line that names the stage to run, when a file is missing or cannot be used.
    """
    rows = _rows(params, root)
    trainings = {name: _training(name, model, root) for name, model in params.models.items()}
    measured = _measured(root)
    details = {
        row.name: details_of(
            _results(root, row.name),
            stage_of(row.name),
            row.photographs,
            params.models.get(row.name),
        )
        for row in rows
    }
    return Results(
        params=params,
        rows=rows,
        photographs=_photographs(measured, rows, root, params.report.pictures),
        trainings=tuple(trainings[row.name] for row in rows if row.trained),
        scenes=int(measured["group"].nunique()),
        differences=compared(_resampled(params, rows, details, root)),
        details=details,
        hues=_hues(params, details, measured),
        classes=compared_by_class(
            _labelled(rows, root), params.evaluate.resamples, params.evaluate.seed
        ),
        people=people_of(root),
        data=_data(root),
        provenance=provenance(root, params.model_dump(mode="json", include=set(RESULT_PARAMS))),
    )


def _shown(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Return what pictures are shown of: gray, the models, the truth."""
    return ("gray", *(row.name for row in rows if row.trained), "truth")


def _rows(params: Params, root: Path) -> tuple[Row, ...]:
    models = [_row(name, model.study, root) for name, model in params.models.items()]
    models.sort(key=lambda row: -row.metrics["auc_rebalanced"])
    baselines = [_row(name, None, root) for name in BASELINES]
    for row in models:
        _same_test_set(row, baselines[0])
    return (*models, *baselines)


def _row(name: str, study: str | None, root: Path) -> Row:
    values = json_of(_results(root, name) / "metrics.json", stage_of(name), METRIC_KEYS)
    metrics = {key: value for key, value in values.items() if key in MEASURE_KEYS}
    intervals = {key: (low, high) for key, (low, high) in values["interval"].items()}
    return Row(name, study, int(values["photographs"]), metrics, intervals)


def _same_test_set(row: Row, baseline: Row) -> None:
    if row.photographs != baseline.photographs:
        raise ReportError(
            f"{row.name} was measured on {row.photographs} pictures and {baseline.name} on "
            f"{baseline.photographs}: run `dvc repro {stage_of(row.name)} baselines`."
        )


def _resampled(
    params: Params, rows: tuple[Row, ...], details: Mapping[str, Details], root: Path
) -> dict[str, Bootstrap]:
    resamples, seed, truth = params.evaluate.resamples, params.evaluate.seed, details["truth"]
    drawn = {
        row.name: resampled(
            _table(row, root), row.intervals, (details[row.name], truth), resamples, seed
        )
        for row in rows
        if row.trained or row.name in COMPARED
    }
    for name, one in drawn.items():
        if not one.pairs_with(drawn["gray"]):
            raise ReportError(
                f"{name} and gray were measured on different pictures: run `dvc repro "
                f"{stage_of(name)} baselines`."
            )
    return drawn


def _table(row: Row, root: Path) -> pd.DataFrame:
    means = [key for key in row.intervals if key not in SET_LEVEL]
    weights = [WEIGHTS[key] for key in means if key in WEIGHTS]
    columns = ("id", "group", *means, *weights)
    return parquet_of(_results(root, row.name) / "per_image.parquet", stage_of(row.name), columns)


def _measured(root: Path) -> pd.DataFrame:
    path = _results(root, "gray") / "per_image.parquet"
    return parquet_of(path, stage_of("gray"), ("id", "group", "picture"))


def _hues(params: Params, details: Mapping[str, Details], measured: pd.DataFrame) -> Hues:
    tables = {name: details[name].hues for name in (*params.models, "gray")}
    groups = sorted(measured["group"].unique())
    evaluate = params.evaluate
    return compared_by_hue(tables, list(params.models), groups, evaluate.resamples, evaluate.seed)


def _labelled(rows: tuple[Row, ...], root: Path) -> dict[str, pd.DataFrame]:
    columns = ("id", "group", "label", "auc")
    return {
        row.name: parquet_of(
            _results(root, row.name) / "per_image.parquet", stage_of(row.name), columns
        )
        for row in rows
        if row.trained
    }


def _photographs(
    measured: pd.DataFrame, rows: tuple[Row, ...], root: Path, most: int
) -> tuple[Photograph, ...]:
    drawn = measured.dropna(subset="picture").sort_values("picture").head(most)
    return tuple(
        Photograph(str(id_), {name: _picture(root, name, str(stem)) for name in _shown(rows)})
        for id_, stem in zip(drawn["id"], drawn["picture"], strict=True)
    )


def _picture(root: Path, name: str, stem: str) -> Path:
    return found(_results(root, name) / "pictures" / f"{stem}.png", stage_of(name))


def _training(name: str, model: ModelParams, root: Path) -> Training:
    folder, stage = root / "models" / name, f"train@{name}"
    return Training(
        name=name,
        params=model,
        config=json_of(folder / "config.json", stage, ("image_size", "parameters")),
        run=json_of(folder / "run.json", stage, RUN_KEYS),
        history=csv_of(folder / "history.csv", stage, ("epoch", "validation/loss")),
    )


def _data(root: Path) -> Data:
    filtered = root / "data" / "filtered"
    return Data(
        summary=json_of(filtered / "summary.json", "filter", ("photographs", "kept")),
        lab=json_of(root / "data" / "lab" / "lab.json", "lab", ("size", "fit", *SPLITS)),
        histogram=found(filtered / "histogram.png", "filter"),
        sheet=found(filtered / "sheet.jpg", "filter"),
        prior=found(root / "data" / "prior" / "prior.png", "prior"),
    )


def _results(root: Path, name: str) -> Path:
    return root / "results" / "evaluate" / name
