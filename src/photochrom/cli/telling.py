"""What is known of a model, told to people."""

from collections.abc import Iterator, Mapping
from typing import Any

from photochrom.measures import MEASURES
from photochrom.tracking.prose import told
from photochrom.tracking.record import flatten

Line = tuple[str, str]
INTACT = {True: "as it was packed", False: "NOT as it was packed: get it again", None: ""}
ANSWERS = {
    "distribution": "a distribution over colors: has a temperature, and variants",
    "colors": "one color for each pixel",
}


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print what :func:`photochrom.cli.about.about` returns."""
    sections = {
        f"Model {facts['model']['name']}": _model(facts["model"], facts["weights"]),
        "Training": _training(facts["training"] or {}),
        "Measures": _measures(facts["measures"] or {}),
        "Installation": _plain(facts.get("installation") or {}),
    }
    for heading, lines in sections.items():
        _print_section(heading, list(lines))
    if facts["card"]:
        print(facts["card"].strip())


def _print_section(heading: str, lines: list[Line]) -> None:
    if not lines:
        return
    print(heading)
    width = max(len(key) for key, _ in lines)
    for key, text in lines:
        print(f"  {key:{width}}  {text}")
    print()


def _model(model: Mapping[str, Any], weights: Mapping[str, Any]) -> Iterator[Line]:
    yield "origin", ", ".join(filter(None, (model["origin"], model["why"])))
    yield "folder", model["folder"]
    for part in ("network", "objective", "decoding"):
        yield part, _in_words(model[part])
    yield "answer", ANSWERS[model["answer"]]
    yield "working size", f"{model['size']} px"
    if model["parameters"]:
        yield "parameters", f"{model['parameters']:,}"
    yield "weights", f"{weights['bytes'] / 1e6:.1f} MB"
    yield "SHA-256", " ".join(filter(None, (weights["sha256"], INTACT[weights["intact"]])))


def _training(run: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what run.json tells; one that was written elsewhere may lack any of it."""
    record = run.get("record", {})
    data = record.get("dataset", {})
    if data:
        count = data.get("source", {}).get("train")
        yield "data", f"{data['name']}" + (f", {count:,} photographs" if count else "")
    for key in ("epochs", "kept_epoch", "started", "device", "precision", "torch"):
        if key in run:
            yield key.replace("_", " "), str(run[key])
    if "seconds" in run:
        yield "time", f"{run['seconds'] / 60:.0f} min"
    if commit := record.get("provenance", {}).get("commit"):
        yield "commit", commit
    for remark in run.get("remarks", ()):
        yield "remark", str(remark)


def _measures(metrics: Mapping[str, Any]) -> Iterator[Line]:
    if "photographs" in metrics:
        yield "test photographs", f"{metrics['photographs']:,}"
    for measure in MEASURES:
        if isinstance(metrics.get(measure.key), int | float):
            yield measure.title, told(measure.key, metrics)


def _plain(facts: Mapping[str, Any]) -> Iterator[Line]:
    for key, value in facts.items():
        yield key, str(value)


def _in_words(part: Mapping[str, Any]) -> str:
    """Return nested parameters on one line: ``unet; levels 5; width 32``."""
    flat = flatten(part)
    kind = flat.pop("kind", "")
    return "; ".join([str(kind), *(f"{key} {value}" for key, value in flat.items())])
