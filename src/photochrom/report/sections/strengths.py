"""Where each model is good: by hue, and by class of photograph."""

from dataclasses import dataclass

from photochrom.report.classes import LEAST
from photochrom.report.collect import Results
from photochrom.report.hues import Hues
from photochrom.report.naming import class_name

KINDS = (("auc", "AuC %"), ("chroma_kept", "Color kept %"))
"""The tables by hue: the key of the number, and what the switch calls it."""


@dataclass(frozen=True)
class HueCell:
    """A number of a table by hue, with its ± and how it stands."""

    text: str
    spread: str
    standing: str


@dataclass(frozen=True)
class HueTable:
    """One number by hue; each line is a colorizer's name, whether trained, and its cells."""

    key: str
    title: str
    lines: tuple[tuple[str, bool, tuple[HueCell, ...]], ...]


@dataclass(frozen=True)
class ClassTable:
    """Some classes: a line each, with the number of pictures and the AuC of each model."""

    title: str
    lines: tuple[tuple[str, int, tuple[str, ...]], ...]


def hue_tables(results: Results) -> tuple[HueTable, ...]:
    """Return a table for each number: the models, best first, then gray."""
    names = [row.name for row in (*results.models, results.row("gray"))]
    return tuple(
        HueTable(
            key,
            title,
            tuple((name, name != "gray", _cells(results.hues, name, key)) for name in names),
        )
        for key, title in KINDS
    )


def class_tables(results: Results) -> tuple[ClassTable, ...]:
    """Return the easiest and the hardest classes; nothing where none has enough pictures."""
    easiest, hardest = results.classes.ends
    every = len(easiest) == len(results.classes.scores)
    alone = "All classes" if every else f"Classes of {LEAST} pictures or more"
    titles = ("Easiest classes", "Hardest classes") if hardest else (alone, "")
    return tuple(
        ClassTable(title, tuple(_class(results, label) for label in labels))
        for title, labels in zip(titles, (easiest, hardest), strict=True)
        if labels
    )


def class_note(results: Results) -> str:
    """Say what the classes show, and which of them, or why there are none."""
    classes, ends = results.classes, results.classes.ends
    if classes.scores.empty:
        return (
            "These photographs have no class labels. Sets that sort photographs into folders by "
            "class (cifar10, imagenette, imagenet, places365) are compared by class here."
        )
    if not ends[0]:
        return f"No class has {LEAST} test pictures: too few to compare. classes.csv has them all."
    few = sum(map(len, ends)) < len(classes.scores)
    only = f" Only classes of at least {LEAST} pictures are among these:" if few else ""
    return (
        "Mean AuC in percent of the test pictures of a class, the classes ordered by the mean over "
        f"all models.{only} classes.csv has every class, with intervals."
    )


def _cells(hues: Hues, name: str, key: str) -> tuple[HueCell, ...]:
    return tuple(_cell(hues, name, hue, key) for hue in hues.present)


def _cell(hues: Hues, name: str, hue: str, key: str) -> HueCell:
    estimate = hues.estimates[name, hue, key]
    if estimate.value != estimate.value:  # Nothing to divide by.
        return HueCell("–", "", "")
    low, high = estimate.interval or (0.0, 0.0)
    spread = f"± {(high - low) / 2:.1f}" if high > low else ""
    return HueCell(f"{estimate.value:.1f}", spread, _standing(hues, name, hue, key))


def _standing(hues: Hues, name: str, hue: str, key: str) -> str:
    mine, plain = (round(hues.estimates[one, hue, key].value, 1) for one in (name, "gray"))
    behind = name != "gray" and key == "auc" and mine <= plain
    words = (("best", name in hues.best[hue, key]), ("behind", behind))
    return " ".join(word for word, holds in words if holds)


def _class(results: Results, label: str) -> tuple[str, int, tuple[str, ...]]:
    scores = results.classes.scores.loc[label]
    numbers = tuple(f"{scores[row.name]:.1f}" for row in results.models)
    return class_name(label), int(results.classes.photographs[label]), numbers
