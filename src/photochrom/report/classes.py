"""How well each model does on each class of photograph, where the photographs are labelled."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

MEASURE = "auc"
ENDS = 10
"""So many of the easiest and of the hardest classes are shown."""


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of the test photographs.

    Attributes
    ----------
    scores : a class to a row, the easiest first: mean AuC in percent, a column for each model.
    photographs : how many test pictures each class has.
    """

    scores: pd.DataFrame
    photographs: pd.Series

    @property
    def ends(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The easiest and the hardest classes; all are among the easiest where they are few."""
        labels = tuple(str(label) for label in self.scores.index)
        return (labels, ()) if len(labels) <= 2 * ENDS else (labels[:ENDS], labels[-ENDS:])


def compared_by_class(tables: Mapping[str, pd.DataFrame]) -> Classes:
    """Return the AuC of each class by each model; no class where no photograph has a label.

    Parameters
    ----------
    tables : by model, with ``label`` and ``auc`` of each photograph.
    """
    labelled = {name: table.dropna(subset="label") for name, table in tables.items()}
    means = {name: table.groupby("label")[MEASURE].mean() for name, table in labelled.items()}
    scores = pd.DataFrame(means).sort_index()
    order = scores.mean(axis=1).sort_values(ascending=False, kind="stable").index
    counts = next(iter(labelled.values()))["label"].value_counts()
    return Classes(scores.loc[order], counts.reindex(order))


def classes_csv(classes: Classes) -> str:
    """Return every class by every model: ``label``, ``photographs``, ``model``, ``auc``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["label", "photographs", "model", MEASURE])
    for label, scores in classes.scores.iterrows():
        for name, score in scores.items():
            writer.writerow([label, classes.photographs[label], name, round(float(score), 6)])
    return text.getvalue()
