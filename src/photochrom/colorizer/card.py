"""The model card: what stands in a package beside the weights, made from files."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from photochrom import __version__
from photochrom.colorizer.agreement import Agreement
from photochrom.colorizer.card_measures import measured
from photochrom.colorizer.card_training import Origin, Rows, origin
from photochrom.colorizer.catalog import DECODING, Entry
from photochrom.colorizer.places import TRAINED
from photochrom.colorizer.stored import CONFIG, WEIGHTS, Config
from photochrom.params.models import AnnealedMeanParams, Decoding, LearnedParams
from photochrom.tracking.provenance import measured_decoding

CARD = "MODEL_CARD.md"
NO_NOTES = (
    "## Intended use\n\nNobody has written down what it is for, nor what is known of its biases."
)
WORDS = {"direct": "none: the output is the color", "argmax": "the likeliest", "mean": "the mean"}


@dataclass(frozen=True)
class Packed:
    """What a card tells of a package.

    Attributes
    ----------
    config : what its config.json says.
    sizes : of its files in bytes, by their names.
    rounding : how far its colors lie from those of the model that was trained.
    sample : on which photographs that was measured, in words.
    license : under which terms the weights may be used, a line.
    notes : Markdown on what no file knows: intended use, biases, limits.
    """

    config: Config
    sizes: dict[str, int]
    rounding: Agreement
    sample: str
    license: str
    notes: str


def card(entry: Entry, packed: Packed) -> str:
    """Write the card of a package.

    Parameters
    ----------
    entry : the model that was packed; what lies in its project tells of data and measures.
    packed : the package.

    Returns
    -------
    Markdown.
    """
    root = project_of(entry)
    was = _measured_decoding(entry, root)
    told = origin(entry, was, root) or Origin([], [], "", [])
    found = measured(root, entry.name) if root else None
    environment = Environment(
        loader=PackageLoader("photochrom.colorizer"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("model_card.md").render(
        name=entry.name,
        license=packed.license,
        notes=packed.notes.strip() or NO_NOTES,
        size=packed.config.image_size,
        predicts=_predicts(packed.config),
        model=_model(packed),
        data=told.data,
        training=told.training,
        recipe=told.recipe,
        commands=told.commands,
        measured=found,
        measured_with=_measured_with(was, entry.config.image_size, packed.config),
    )


def project_of(entry: Entry) -> Path | None:
    """Return the root of the project that a model was trained in, where it still lies there."""
    folder = entry.folder.resolve()
    known = entry.origin == "trained" and folder.parent.name == TRAINED
    return folder.parents[1] if known and folder.name == entry.name else None


def _measured_decoding(entry: Entry, root: Path | None) -> Decoding:
    """Return the decoding that the stage ``evaluate`` took, as far as dvc.lock knows it."""
    found = measured_decoding(root, entry.name) if root else None
    return DECODING.validate_python(found) if found else entry.config.decoding


def _predicts(config: Config) -> str:
    if config.bins is None:
        return "It gives each pixel one color."
    return (
        f"It predicts a distribution over {len(config.bins)} colors at each pixel, so that its "
        "temperature can be chosen and several colorings be had."
    )


def _model(packed: Packed) -> Rows:
    config, rounding = packed.config, packed.rounding
    parameters = "unknown" if config.parameters is None else f"{config.parameters:,}"
    network = config.network.model_dump()
    return [
        ("Version", f"Photochrom {__version__}"),
        ("License of the weights", packed.license),
        ("Network", _settings(network)),
        ("Parameters", parameters),
        ("Trained as", _settings({k: v for k, v in config.objective.items() if v is not None})),
        ("Decoding", decoding_in_words(config.decoding)),
        ("Working size", f"{config.image_size} px on the shorter side"),
        *((f"`{name}`", _bytes(name, size)) for name, size in packed.sizes.items()),
        (f"SHA-256 of `{WEIGHTS}`", f"`{config.sha256}`"),
        (
            "Rounding to float16",
            f"a and b change by {rounding.mean:.2g} on average and {rounding.largest:.2g} at most, "
            f"on {packed.sample}",
        ),
    ]


def _settings(values: dict[str, object]) -> str:
    rest = ", ".join(f"{key} {_plain(value)}" for key, value in values.items() if key != "kind")
    if "kind" not in values:
        return rest
    return f"`{values['kind']}`{': ' if rest else ''}{rest}"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return f"({_settings(value)})"
    return str(value).lower() if isinstance(value, bool) else str(value)


def decoding_in_words(decoding: Decoding) -> str:
    """Say how output becomes color."""
    if isinstance(decoding, AnnealedMeanParams):
        return f"the annealed mean at temperature {decoding.temperature:g} (Zhang et al. 2016)"
    if isinstance(decoding, LearnedParams):
        moved = "" if decoding.temperature == 1 else f" at temperature {decoding.temperature:g}"
        return f"what a small network has learned to show for a distribution{moved}"
    return WORDS[decoding.kind]


def _bytes(name: str, size: int) -> str:
    of = {WEIGHTS: ", float16", CONFIG: ""}.get(name, "")
    return f"{size:,} bytes{of}"


def _measured_with(decoding: Decoding, size: int, now: Config) -> str:
    """Say in what the package differs from what was measured; nothing where it does not."""
    differences = []
    if decoding != now.decoding:
        differences.append(f"decoding by {decoding_in_words(decoding)}")
    if size != now.image_size:
        differences.append(f"a working size of {size} px")
    return f", with {' and '.join(differences)}, unlike this package" if differences else ""
