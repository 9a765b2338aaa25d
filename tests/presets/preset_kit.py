"""What tests of presets share: a project of their own, and how a preset is applied to it."""

import shutil
from pathlib import Path

from photochrom.presets import plan_preset

ROOT = Path(__file__).parents[2]
NAMES = sorted(file.stem for file in (ROOT / "presets").glob("*.yaml"))
TINY_IMAGENET = ["data.url=file:///photographs/tiny-imagenet-20k.zip"]
REQUIRED = {
    "tiny-imagenet": TINY_IMAGENET,
    "ablations": TINY_IMAGENET,
    "imagenet-mixed": ["data.path=/photographs/imagenet"],
    "photochrom": ["data.path=/photographs/imagenet"],
    "imagenet": ["data.path=/photographs/ILSVRC"],
    "flagship-imagenet": ["data.path=/photographs/ILSVRC"],
    "study-000": ["data.path=/photographs/ILSVRC"],
    "study-003": ["data.path=/photographs/ILSVRC"],
}
STUDIES = {
    "study-000": ["resnet18_regression", "vgg313_classification", "resnet_gan"],
    "study-001": ["resnet18_grid256", "resnet34_regression", "unet6_gan"],
    "study-002": ["resnet18_upsample", "autoencoder", "resnet18_upsample_gan"],
    "study-003": ["resunet_gan", "resunet_gan_pretrained"],
    "study-004": ["unet313", "dcgan"],
}
SMALL = {f"{name}-cpu": models for name, models in STUDIES.items()}
MODEL = """
    study: ours
    network: {kind: vgg, width: 0.5}
    objective: {kind: regression, loss: l1}
    decoding: {kind: direct}
    optimizer: {kind: sgd, lr: 0.1, betas: [0.9, 0.99], weight_decay: 0, schedule: constant,
                warmup: 0, clip: null}
    epochs: 1
    batch_size: 2
    image: {size: null, crop: null, scale: null, flip: false}
    ema: null
    keep: last
"""


def default_text(folder: Path) -> str:
    """Return params.yaml as preset samples makes it, using ``folder``."""
    return plan_preset("samples", [], copy_project(folder)).after


def copy_project(folder: Path) -> Path:
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copytree(ROOT / "presets", folder / "presets")
    return folder


def apply(name: str, root: Path, *assignments: str) -> str:
    """Apply a preset, with the keys it requires, and return the new text."""
    change = plan_preset(name, [*REQUIRED.get(name, []), *assignments], root)
    (root / "params.yaml").write_text(change.after, encoding="utf-8")
    return change.after


def write(root: Path, name: str, text: str) -> None:
    """Write a preset of the test's own."""
    (root / "presets" / f"{name}.yaml").write_text(text, encoding="utf-8")


def comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.lstrip().startswith("#")]
