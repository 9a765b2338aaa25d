"""How well each model does on each class of photograph, where the photographs are labelled."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from photochrom.report.naming import class_name
from photochrom.uncertainty import bootstrap

MEASURE = "auc"
ENDS = 10
"""So many of the easiest and of the hardest classes are shown."""
LEAST = 5
"""Fewest test pictures of a class among them: the extremes of fewer are those of single pictures.
"""


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of the test photographs.

    Attributes
    ----------
    scores : a class to a row, the easiest first: mean AuC in percent, a column for each model.
    photographs : how many test pictures each class has.
    intervals : the 95 % interval of a score by class and model, where it can be told.
    """

    scores: pd.DataFrame
    photographs: pd.Series
    intervals: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    @property
    def ends(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The easiest and the hardest classes; all are among the easiest where they are few.

        Where they are many, only those of at least :data:`LEAST` pictures.
        """
        labels = tuple(str(label) for label in self.scores.index)
        if len(labels) <= 2 * ENDS:
            return labels, ()
        labels = tuple(label for label in labels if self.photographs[label] >= LEAST)
        return (labels, ()) if len(labels) <= 2 * ENDS else (labels[:ENDS], labels[-ENDS:])


def compared_by_class(tables: Mapping[str, pd.DataFrame], resamples: int, seed: int) -> Classes:
    """Return the AuC of each class by each model; no class where no photograph has a label.

    Parameters
    ----------
    tables : by model, with ``id``, ``group``, ``label`` and ``auc`` of each photograph, all in the
        same order.
    resamples, seed : of the bootstrap over the groups of each class.
    """
    first = next(iter(tables.values()))
    scored = first[["id", "group", "label"]].assign(**{n: t[MEASURE] for n, t in tables.items()})
    of_class = scored.dropna(subset="label").groupby("label")
    means = of_class[list(tables)].mean()
    order = means.mean(axis=1).sort_values(ascending=False, kind="stable").index
    intervals = {
        (str(label), name): bounds
        for label, table in of_class
        for name, bounds in bootstrap(table, list(tables), resamples, seed).intervals().items()
    }
    return Classes(means.loc[order], of_class.size().reindex(order), intervals)


def classes_csv(classes: Classes) -> str:
    """Return every class by every model.

    Columns: ``label``, ``name`` (in words), ``photographs``, ``model``, ``auc``, ``auc_low`` and
    ``auc_high`` (its 95 % interval; empty where all photographs of a class are of one group).
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    ends = (f"{MEASURE}_low", f"{MEASURE}_high")
    writer.writerow(["label", "name", "photographs", "model", MEASURE, *ends])
    for label, scores in classes.scores.iterrows():
        about = (label, class_name(str(label)), classes.photographs[label])
        for name, score in scores.items():
            low, high = classes.intervals.get((str(label), str(name)), (None, None))
            numbers = (number if number is None else round(number, 6) for number in (low, high))
            writer.writerow([*about, name, round(float(score), 6), *numbers])
    return text.getvalue()
