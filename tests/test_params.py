"""params.yaml: the project's own is good, and every bad one is refused in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from params_kit import MODELS, ROOT, TEXT, VALUES, as_text, changed, refusal, without
from photochrom.params import Params, ParamsError, check_params, load_params, parse_yaml
from photochrom.params.base import explain


def test_the_projects_own_is_good() -> None:
    params = load_params(ROOT / "params.yaml")
    assert params.models


def test_the_values_of_these_tests_are_good(tmp_path: Path) -> None:
    params = check_params(as_text(VALUES, tmp_path))
    assert params.models["bins"].decoding.kind == "annealed_mean"
    assert params.models["bins"].optimizer.betas == (0.9, 0.99)


def test_every_section_and_first_key_has_a_comment_beside_it() -> None:
    lines = TEXT.splitlines()
    for place, line in enumerate(lines):
        top_level = line[:1].isalpha()
        if top_level:
            assert lines[place - 1].startswith("#"), f"{line} has no comment above it"


def test_params_are_frozen() -> None:
    params = load_params(ROOT / "params.yaml")
    with pytest.raises(ValueError, match="frozen"):
        params.train.seed = 1  # type: ignore[misc]


BAD_VALUES = [
    # Wrong types
    ("train.seed", "zero", "train.seed: must be a whole number, not 'zero'"),
    ("train.seed", 0.5, "train.seed: must be a whole number, not 0.5"),
    ("train.seed", True, "train.seed: must be a whole number, not true"),
    ("data.source", None, "data.source: must be 'samples', 'folder'"),
    ("report.title", 7, "report.title: must be text, not 7; put it in quotes"),
    ("models.gan.study", 1, "models.gan.study: must be text, not 1; put it in quotes"),
    ("models.gan.image.flip", "yes", "models.gan.image.flip: must be true or false, not 'yes'"),
    ("filter", 15, "filter: must be a section with keys of its own, not 15"),
    ("filter", None, "filter: must be a section with keys of its own, not null"),
    ("models", [], "models: must be a section with keys of its own"),
    ("models.gan", "unet", "models.gan: must be a section with keys of its own, not 'unet'"),
    ("models.gan.network", "unet", "models.gan.network: must be a section with keys"),
    ("models.gan.optimizer.betas", 0.5, "models.gan.optimizer.betas: must be a list"),
    ("models.gan.optimizer.betas", [0.5], "models.gan.optimizer.betas.1: this key is missing"),
    # Numbers that are text
    ("models.gan.optimizer.lr", "1e-4", "models.gan.optimizer.lr: must be a number, not "),
    ("models.bins.decoding.temperature", "0.4", "this is text, write it without quotes"),
    ("models.gan.epochs", "3", "models.gan.epochs: must be a whole number, not '3'; this is text"),
    ("models.gan.optimizer.betas", ["0.5", 0.9], "models.gan.optimizer.betas.0: must be a number"),
    ("models.gan.batch_size", 16.0, "must be a whole number, not 16.0; leave out the point"),
    # Out of range
    ("models.gan.epochs", 0, "models.gan.epochs: must be greater than 0, not 0"),
    ("models.gan.optimizer.lr", -1e-3, "models.gan.optimizer.lr: must be greater than 0"),
    ("models.gan.network.dropout", 1.0, "models.gan.network.dropout: must be less than 1"),
    ("models.regression.network.depth", 50, "models.regression.network.depth: must be 18 or 34"),
    ("prior.mix", 1.5, "prior.mix: must be less than or equal to 1, not 1.5"),
    ("filter.near_duplicate_bits", 9, "filter.near_duplicate_bits: must be less than or equal"),
    ("train.seed", 2**32, "train.seed: must be less than 4294967296"),
    ("tracking.experiment", "", "tracking.experiment: must have at least one character"),
    ("models", {}, "models: must have at least one entry"),
    # Not a number, not finite
    ("prior.sigma", float("nan"), "prior.sigma: must be a finite number, not nan"),
    ("models.gan.optimizer.lr", float("inf"), "models.gan.optimizer.lr: must be a finite number"),
    # Unknown kinds
    ("models.gan.network.kind", "unett", "models.gan.network.kind: must be one of 'resnet', 'vgg'"),
    ("models.gan.objective.kind", "gan", "models.gan.objective.kind: must be one of 'regression'"),
    ("models.gan.decoding.kind", "max", "models.gan.decoding.kind: must be one of 'direct'"),
    ("models.gan.optimizer.kind", "adamax", "models.gan.optimizer.kind: must be 'adamw', 'adam'"),
    # Unknown keys
    ("data.sead", 1, "data.sead: unknown key (did you mean seed?)"),
    ("models.gan.network.dropot", 0, "models.gan.network.dropot: unknown key (did you mean drop"),
    ("models.gan.epoch", 1, "models.gan.epoch: unknown key (did you mean epochs?)"),
    ("tracking.uri", "x", "tracking.uri: unknown key; the keys here are experiment"),
    ("modles", {}, "modles: unknown key (did you mean models?)"),
    # Incomplete sources, wrong checksums
    ("data.source", "archive", "data: source archive needs data.url"),
    ("data.source", "imagenet", "data: source imagenet needs data.path"),
    ("data.sha256", "ABC", "data.sha256: a SHA-256 is 64 digits of 0-9 and a-f"),
    ("filter.split.test", 0.95, "filter.split: validation + test must stay below 1"),
    # Names
    ("models.gray", MODELS["gan"], "models.gray: this name belongs to a baseline"),
    ("models.gold", MODELS["gan"], "models.gold: this name belongs to the obvious fakes"),
    ("models.Gan-2", MODELS["gan"], "models.Gan-2: a model's name is made of a-z, 0-9 and _"),
    ("models.3", MODELS["gan"], "models.3: a model's name is made of"),
]


@pytest.mark.parametrize(("key", "value", "expected"), BAD_VALUES)
def test_a_bad_value_is_refused_by_name(
    key: str, value: Any, expected: str, tmp_path: Path
) -> None:
    assert expected in refusal(as_text(changed(key, value), tmp_path))


@pytest.mark.parametrize("key", ["models", "data.seed", "models.gan.network.levels"])
def test_a_missing_key_is_named(key: str, tmp_path: Path) -> None:
    assert refusal(as_text(without(key), tmp_path)) == f"params.yaml: {key}: this key is missing"


def test_a_missing_kind_is_named(tmp_path: Path) -> None:
    message = refusal(as_text(without("models.gan.network.kind"), tmp_path))
    assert message == "params.yaml: models.gan.network.kind: this key is missing"


def test_a_model_named_by_a_number_is_refused() -> None:
    text = TEXT + "\n"
    message = refusal(text.replace("\nmodels:\n", "\nmodels:\n  7: {}\n"))
    assert "models.7: must be text, not 7" in message


def test_exponents_without_a_point_are_numbers() -> None:
    text = "\n".join(["models:", "  lr: 1e-4", "  quoted: '1e-4'"])
    assert parse_yaml(text, "x") == {"models": {"lr": 1e-4, "quoted": "1e-4"}}


def test_several_faults_make_one_line(tmp_path: Path) -> None:
    values = changed("data.seed", -1)
    values["tracking"]["experimnt"] = values["tracking"].pop("experiment")
    unknown, wrong, missing = refusal(as_text(values, tmp_path)).split("; ")
    assert "tracking.experimnt: unknown key (did you mean experiment?)" in unknown
    assert wrong.startswith("data.seed: must be greater")
    assert missing == "tracking.experiment: this key is missing"
    all_wrong = as_text(dict.fromkeys(VALUES), tmp_path)
    assert refusal(all_wrong).endswith("; and 7 more")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "params.yaml is empty"),
        ("# only a comment\n", "params.yaml is empty"),
        ("- a\n- b\n", "params.yaml must be made of sections"),
        ("just words\n", "params.yaml must be made of sections"),
        ("data: [1, 2\n", "params.yaml is not valid YAML, line "),
        ("data:\n\tseed: 1\n", "params.yaml is not valid YAML, line 2"),
        ("data:\n  seed: 1\n  seed: 2\n", 'line 3: found duplicate key "seed"'),
        ("data: !!python/object:os.system {}\n", "params.yaml is not valid YAML, line 1"),
        ("data: \x00\n", "params.yaml is not valid YAML"),
        ("data: 2001-13-45\n", "params.yaml"),
        (f"data: {'9' * 5000}\n", "params.yaml is not valid YAML"),
        (f"data: 0x{'f' * 5000}\n", "data: must be a section with keys of its own, not a number"),
        ("[" * 5000, "params.yaml is not valid YAML"),
        ('"new\\nline": 1\n', "new line: unknown key"),
    ],
)
def test_a_broken_document_is_refused(text: str, expected: str) -> None:
    assert expected in refusal(text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml is not here; run this from"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").mkdir()
    with pytest.raises(ParamsError, match=r"params\.yaml cannot be read"):
        load_params(tmp_path / "params.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9\n")
    with pytest.raises(ParamsError, match=r"latin\.yaml is not UTF-8 text: byte 10"):
        load_params(tmp_path / "latin.yaml")


def leaves(values: dict[str, Any], prefix: str = "") -> list[str]:
    """List the dotted keys of all values that are not sections."""
    found: list[str] = []
    for key, value in values.items():
        nested = isinstance(value, dict)
        found += leaves(value, f"{prefix}{key}.") if nested else [f"{prefix}{key}"]
    return found


def complaint(action: Callable[[], object]) -> str:
    """Return what the action refuses with, or nothing; other exceptions pass."""
    try:
        action()
    except ParamsError as error:
        return str(error)
    except ValidationError as error:
        return explain(error, Params)
    return ""


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**30, max_value=10**40),
    st.floats(),
    st.text(),
    st.sampled_from(["1e-4", "", "adam", "samples", "direct", "unet"]),
    st.dates(),
    st.lists(st.floats(), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@settings(max_examples=300, deadline=None)
@given(key=st.sampled_from(leaves(VALUES)), value=scalars)
def test_any_corrupted_value_is_good_or_refused_in_one_line(key: str, value: Any) -> None:
    message = complaint(lambda: Params.model_validate(changed(key, value)))
    assert "\n" not in message


@settings(max_examples=200, deadline=None)
@given(
    line=st.integers(0, TEXT.count("\n") - 1),
    junk=st.text(st.characters(codec="utf-8"), max_size=12),
)
def test_any_corrupted_text_is_good_or_refused_in_one_line(line: int, junk: str) -> None:
    lines = TEXT.splitlines()
    key, colon, _ = lines[line].partition(":")
    lines[line] = f"{key}{colon} {junk}"
    message = complaint(lambda: check_params("\n".join(lines)))
    assert "\n" not in message
    assert message.startswith("params.yaml") or not message


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("tracking.champion.measure", "beauty", "beauty is no measure; there are auc_rebalanced"),
        ("tracking.champion.direction", "best", "must be 'higher', 'lower' or 'closest to 0'"),
        ("tracking.champion.direction", "lower", "of auc_rebalanced higher is better"),
        ("study.models", ["nobody"], "study.models: there is no model nobody under models"),
        ("study.trials.preference", -1, "study.trials.preference: must be greater than"),
        ("study.exclude.gold", 1.5, "study.exclude.gold: must be less than or equal to 1"),
        ("study.exposure", 10, "study.exposure: must be greater than or equal to 100"),
    ],
)
def test_a_wrong_judge_or_champion_is_refused(
    key: str, value: Any, says: str, tmp_path: Path
) -> None:
    assert says in refusal(as_text(changed(key, value), tmp_path))


def test_a_study_without_any_trial_is_refused(tmp_path: Path) -> None:
    none = dict.fromkeys(VALUES["study"]["trials"], 0)
    message = refusal(as_text(changed("study.trials", none), tmp_path))
    assert "study.trials: at least one protocol needs trials" in message
