"""Entries under models: what fits together is taken, what does not is refused by its key."""

from pathlib import Path
from typing import Any

import pytest

from params_kit import AUTOENCODER, COUNTS, DCGAN, RESIDUAL, UNET, as_text, changed, refusal
from photochrom.params import check_params

MISFITS = [
    (
        "models.bins.decoding",
        {"kind": "direct"},
        "models.bins: decoding direct does not fit objective classification; use argmax",
    ),
    (
        "models.gan.decoding",
        {"kind": "argmax"},
        "models.gan: decoding argmax does not fit objective adversarial; use direct",
    ),
    (
        "models.bins.network",
        UNET,
        "models.bins: network unet with output tanh does not fit objective classification",
    ),
    (
        "models.bins.objective.bins",
        "grid256",
        "models.bins.objective: rebalance kind prior takes the prior of bins gamut313, not of "
        "grid256",
    ),
    (
        "models.bins.network",
        {**RESIDUAL, "levels": 3},
        "models.bins: network residual with output tanh does not fit objective classification",
    ),
    (
        "models.bins.network",
        AUTOENCODER,
        "models.bins: network autoencoder with output tanh does not fit objective classification",
    ),
    (
        "models.gan.objective.pretraining_epochs",
        2,
        "models.gan: objective.pretraining_epochs 2 leaves none of the 2 epochs to the "
        "discriminator",
    ),
    ("models.gan.objective.pretraining_epochs", 3, "pretraining_epochs 3 leaves none of the 2"),
    (
        "models.gan.network",
        {**RESIDUAL, "levels": 7},
        "models.gan.network.levels: 7 halvings need a side that is a multiple of 128; photographs "
        "of side 64 take at most 6",
    ),
    ("models.gan.network.blocks", 1, "models.gan.network.blocks: unknown key"),
    ("models.gan.network.levels", 7, "models.gan.network.levels: 7 halvings need a side that"),
    ("models.gan.image.size", 32, "photographs of side 32 take at most 5"),
    ("models.gan.image.size", 128, "models.gan.image.size: 128 is more than what is stored"),
    ("models.gan.image.crop", 96, "models.gan.image.crop: 96 is more than the photographs' side"),
    ("models.bins.image.crop", 20, "models.bins.image: network vgg needs photographs whose side"),
    (
        "models.gan.objective.discriminator.layers",
        5,
        "models.gan.objective.discriminator.layers: 5 halvings leave too",
    ),
    (
        "models.gan.objective.discriminator",
        {**DCGAN, "layers": 5},
        "models.gan.objective.discriminator.layers: 5 halvings leave too little of colors of "
        "side 64",
    ),
    (
        "models.bins.decoding",
        {"kind": "learned", "temperature": 1},
        "models.bins: decoding learned needs an objective.decoder that learns it; give one, or",
    ),
    (
        "models.bins.objective.decoder",
        {"width": 8, "rarity": 1.5, "price": None},
        "models.bins.objective.decoder.rarity: must be less than or equal to 1, not 1.5",
    ),
    # Kinds within the objective
    (
        "models.bins.objective.rebalance",
        True,
        "models.bins.objective.rebalance: must be a section with keys of its own, not true",
    ),
    (
        "models.bins.objective.rebalance",
        {"kind": "count"},
        "models.bins.objective.rebalance.kind: must be one of 'prior', 'counts', not 'count'",
    ),
    (
        "models.bins.objective.rebalance",
        {"kind": "prior", "offset": 1e5},
        "models.bins.objective.rebalance.offset: unknown key; the keys here are kind",
    ),
    (
        "models.bins.objective.rebalance",
        {**COUNTS, "offset": 0},
        "models.bins.objective.rebalance.offset: must be greater than or equal to 1, not 0",
    ),
    (
        "models.bins.objective.rebalance",
        {**COUNTS, "power": 5},
        "models.bins.objective.rebalance.power: must be less than or equal to 4, not 5",
    ),
    (
        "models.gan.objective.discriminator.kind",
        "patch",
        "models.gan.objective.discriminator.kind: must be one of 'patchgan', 'dcgan', not 'patch'",
    ),
    ("models.gan.objective.loss", "wgan", "models.gan.objective.loss: must be 'lsgan', 'bce' or"),
    ("models.gan.objective.pixel_loss", "l3", "models.gan.objective.pixel_loss: must be 'l1' or"),
    ("models.gan.keep", "best_l2", "models.gan.keep: must be 'best', 'best_l1' or 'last'"),
]


@pytest.mark.parametrize(("key", "value", "expected"), MISFITS)
def test_what_does_not_fit_is_refused_by_name(
    key: str, value: Any, expected: str, tmp_path: Path
) -> None:
    assert expected in refusal(as_text(changed(key, value), tmp_path))


@pytest.mark.parametrize("side", [24, 40, 56])
def test_an_autoencoder_needs_multiples_of_sixteen(side: int, tmp_path: Path) -> None:
    values = changed("models.regression.network", AUTOENCODER)
    values["models"]["regression"]["image"]["crop"] = side
    expected = (
        "models.regression.image: network autoencoder needs photographs whose side is a multiple "
        f"of 16, not {side}; change lab.size, image.size or image.crop"
    )
    assert expected in refusal(as_text(values, tmp_path))


def test_a_discriminator_must_fit_what_a_coarse_network_answers(tmp_path: Path) -> None:
    values = changed("models.gan.network", {"kind": "vgg", "width": 0.05})
    values["models"]["gan"]["objective"]["discriminator"]["layers"] = 3
    expected = "discriminator.layers: 3 halvings leave too little of colors of side 16; they take "
    assert f"{expected}at most 2" in refusal(as_text(values, tmp_path))
    values["models"]["gan"]["objective"]["discriminator"]["layers"] = 2
    check_params(as_text(values, tmp_path))


def test_one_photograph_has_no_norm_at_a_single_pixel(tmp_path: Path) -> None:
    values = changed("models.gan.network", {**RESIDUAL, "levels": 6})
    values["models"]["gan"]["batch_size"] = 1
    expected = "models.gan.batch_size: 1 is too few for network residual with 6 levels"
    assert expected in refusal(as_text(values, tmp_path))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("pixel_weight", 0, "objective.pixel_weight 0 leaves pretraining nothing to learn from"),
        ("warmup", 0.1, "objective.discriminator_optimizer.warmup would pass while"),
    ],
)
def test_pretraining_must_make_sense(key: str, value: float, expected: str, tmp_path: Path) -> None:
    values = changed("models.gan.objective.pretraining_epochs", 1)
    objective = values["models"]["gan"]["objective"]
    objective["discriminator_optimizer"]["warmup"] = 0
    check_params(as_text(values, tmp_path))
    (objective if key in objective else objective["discriminator_optimizer"])[key] = value
    assert expected in refusal(as_text(values, tmp_path))


GOOD_VALUES = [
    ("models.regression.network", AUTOENCODER),
    ("models.bins.network", {**AUTOENCODER, "output": "linear"}),
    ("models.gan.network", RESIDUAL),
    ("models.gan.network", {**RESIDUAL, "levels": 6}),
    ("models.gan.objective.discriminator", DCGAN),
    ("models.gan.keep", "best_l1"),
    ("models.bins.objective.rebalance", None),
    ("models.bins.objective.rebalance", COUNTS),
]


@pytest.mark.parametrize(("key", "value"), GOOD_VALUES)
def test_what_fits_is_taken(key: str, value: Any, tmp_path: Path) -> None:
    params = check_params(as_text(changed(key, value), tmp_path))
    found: Any = params.model_dump()
    for part in key.split("."):
        found = found[part]
    assert found == value


def test_counts_rebalance_either_set_of_bins(tmp_path: Path) -> None:
    values = changed("models.bins.objective.rebalance", COUNTS)
    values["models"]["bins"]["objective"]["bins"] = "grid256"
    params = check_params(as_text(values, tmp_path))
    assert params.models["bins"].objective.kind == "classification"
