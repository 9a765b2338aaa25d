"""How each model was made, on a card."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from photochrom.params import Section
from photochrom.report import figures
from photochrom.report.collect import Training

KEPT = {"best": "best", "best_l1": "best by L1", "last": "last"}


@dataclass(frozen=True)
class Card:
    """How a model was made, as pairs of a word and what it says."""

    name: str
    study: str
    facts: tuple[tuple[str, str], ...]
    curve: Markup


def card(training: Training) -> Card:
    """Return the card of a model."""
    model, run, config = training.params, training.run, training.config
    crop = f", crops of {model.image.crop} px" if model.image.crop else ""
    crop += f", enlarged up to {1 / model.image.scale:.3g} times" if model.image.scale else ""
    facts = (
        ("Network", described(model.network)),
        ("Objective", described(model.objective)),
        ("Decoding", described(model.decoding)),
        ("Optimizer", described(model.optimizer)),
        (
            "Trained for",
            f"{run['epochs']} epochs, kept the {KEPT[model.keep]} ({run['kept_epoch']})",
        ),
        ("Batch", f"{model.batch_size} pictures of {config['image_size']} px{crop}"),
        (
            "Weights",
            f"moving average, decay {model.ema}" if model.ema else "as trained",
        ),
        ("Parameters", f"{config['parameters']:,}"),
        ("Time", f"{run['seconds']:,.0f} s, {run['images_per_second']:,.0f} pictures/s"),
        ("Hardware", f"{run['device']}, {run['precision']}, torch {run['torch']}"),
        *(("Warning", remark) for remark in run["remarks"][-1:]),
    )
    curve = Markup(figures.as_svg(figures.learning_curve(training)))
    return Card(training.name, model.study, facts, curve)


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
