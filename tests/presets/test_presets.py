"""Presets: each gives a good params.yaml, keeps its comments, and leaves nothing of the last."""

import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from preset_kit import (
    MODEL,
    NAMES,
    ROOT,
    SMALL,
    STUDIES,
    apply,
    comments,
    write,
)

from photochrom.params import ModelParams, ParamsError, edit_yaml, load_params, parse_yaml
from photochrom.presets import PresetError, list_presets, plan_preset
from photochrom.tracking import flatten

OURS = "photochrom"
OF_OURS = {OURS, "flagship-imagenet", "ablations"}
ON_ALL = [name for name in NAMES if name not in STUDIES | SMALL and name not in OF_OURS]


def test_the_promised_presets_are_there() -> None:
    sets = "cifar10 coco folder imagenet imagenette places365 samples tiny-imagenet"
    promised = [*sets.split(), "imagenet-mixed", "smoke"]
    assert {*promised, *STUDIES, *SMALL} <= set(NAMES)


@pytest.mark.parametrize("name", ON_ALL)
def test_a_preset_gives_a_good_params_yaml_with_all_comments(
    name: str, project: Path, default: str
) -> None:
    models = load_params(project / "params.yaml").models
    after = apply(name, project)
    params = load_params(project / "params.yaml")
    assert comments(after) == comments(default)
    assert set(params.models) == set(models)


def test_our_own_models_recipe_trains_it_alone(project: Path) -> None:
    whole = load_params(project / "params.yaml").models[OURS]
    apply(OURS, project)
    models = load_params(project / "params.yaml").models
    assert set(models) == {OURS}
    assert models[OURS].network == whole.network
    assert models[OURS].optimizer == whole.optimizer


def test_the_recipe_for_imagenet_trains_ours_at_photograph_size(project: Path) -> None:
    apply("flagship-imagenet", project)
    params = load_params(project / "params.yaml")
    assert set(params.models) == {OURS}
    assert params.data.limit is None
    assert params.lab.size == 256
    assert params.models[OURS].network.kind == "efficientnet"


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_introduces_itself(name: str) -> None:
    headline = list_presets(ROOT)[name]
    assert headline
    assert len(f"{name}  {headline}") < 110


def test_the_samples_are_the_default_that_is_committed() -> None:
    committed = (ROOT / "params.yaml").read_text(encoding="utf-8")
    changes = plan_preset("samples", [], ROOT).diff()
    assert committed == plan_preset("samples", [], ROOT).after, "\n".join(changes)


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_lead_back_from_any_preset(name: str, project: Path, default: str) -> None:
    apply(name, project)
    assert apply("samples", project) == default


@pytest.mark.parametrize(("first", "second"), [*pairwise([*NAMES, NAMES[0]])])
def test_a_preset_leaves_nothing_of_the_one_before(
    first: str, second: str, project: Path, default: str
) -> None:
    alone = apply(second, project)
    (project / "params.yaml").write_text(default, encoding="utf-8")
    apply(first, project)
    after = apply(second, project)
    assert settings_that_count(after) == settings_that_count(alone)
    assert names_aside(after) == names_aside(alone)


def names_aside(text: str) -> list[str]:
    return re.findall(r"^#~   \"?(\w+)\"?:(?: {})?$", text, re.MULTILINE)


def settings_that_count(text: str) -> dict[str, Any]:
    values = parse_yaml(text, "params.yaml")
    if values["lab"]["fit"] != "tiles":
        del values["lab"]["tiles"]
    return values


def test_smoke_runs_stay_out_of_the_experiment(project: Path) -> None:
    apply("smoke", project)
    assert load_params(project / "params.yaml").tracking.experiment == "photochrom-smoke"


def test_a_required_key_is_demanded_in_one_line(project: Path) -> None:
    with pytest.raises(PresetError, match=r"^Preset tiny-imagenet .* --set data.url=file:///\S+$"):
        plan_preset("tiny-imagenet", [], project)


def test_an_unknown_preset_suggests_the_closest(project: Path) -> None:
    with pytest.raises(PresetError, match=r"There is no preset cifar: did you mean cifar10\?"):
        plan_preset("cifar", [], project)
    with pytest.raises(
        PresetError, match=r"There is no preset zzz: there are ablations, cifar10, coco"
    ):
        plan_preset("zzz", [], project)
    with pytest.raises(PresetError, match=r"There is no preset \.\./params"):
        plan_preset("../params", [], project)


def test_a_folder_without_presets_says_where_to_run(tmp_path: Path) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    with pytest.raises(PresetError, match=r"run this from the project's root"):
        plan_preset("smoke", [], tmp_path)
    with pytest.raises(ParamsError, match=r"params\.yaml is not here"):
        plan_preset("smoke", [], tmp_path / "presets")


def test_assignments_win_and_are_yaml(project: Path) -> None:
    model = next(iter(load_params(project / "params.yaml").models))
    optimizer = f"models.{model}.optimizer"
    apply("smoke", project, "data.limit=3", f"{optimizer}.lr=1e-5", f"{optimizer}.betas=[0.8, 0.9]")
    apply("folder", project, "data.path=my photographs: 2024 # all", "data.limit=null")
    params = load_params(project / "params.yaml")
    assert params.data.path == "my photographs: 2024 # all"
    assert params.data.limit is None
    assert params.models[model].optimizer.lr == 1e-5
    assert params.models[model].optimizer.betas == (0.8, 0.9)


@pytest.mark.parametrize("assignment", ["data.limit", "=3", "data..limit=3", ""])
def test_a_malformed_assignment_is_refused(assignment: str, project: Path) -> None:
    with pytest.raises(PresetError, match=r"write it as section\.key=value"):
        plan_preset("smoke", [assignment], project)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("data.limt=3", "data.limt: unknown key (did you mean limit?)"),
        ("data.limit=0", "data.limit: must be greater than 0, not 0"),
        ("lab.size=.nan", "lab.size: must be a whole number, not nan"),
        ("data=3", "data: must be a section with keys of its own, not 3"),
    ],
)
def test_a_merge_that_makes_params_bad_is_refused(
    assignment: str, expected: str, project: Path
) -> None:
    with pytest.raises(ParamsError) as caught:
        plan_preset("smoke", [assignment], project)
    assert str(caught.value) == f"params.yaml with preset smoke: {expected}"


def test_a_broken_preset_is_named(project: Path) -> None:
    write(project, "broken", "# Broken.\ndata: [1\n")
    with pytest.raises(ParamsError, match=r"^presets/broken\.yaml is not valid YAML, line"):
        plan_preset("broken", [], project)


def test_a_whole_model_is_added_after_the_others(project: Path, default: str) -> None:
    write(project, "add", f"# Adds a model.\nmodels:\n  mine:{MODEL}")
    after = apply("add", project)
    models = load_params(project / "params.yaml").models
    assert list(models)[-1] == "mine"
    assert models["mine"].network.kind == "vgg"
    assert comments(after) == comments(default)
    assert apply("add", project) == after


def test_each_ablation_is_ours_but_for_what_it_lacks(project: Path) -> None:
    apply("ablations", project)
    models = load_params(project / "params.yaml").models
    ours = flat(models.pop(OURS))
    lacks = {
        name: {key for key, value in flat(model).items() if value != ours.get(key, ...)}
        for name, model in models.items()
    }
    assert lacks == {
        "untrained_encoder": {"network.pretrained", "network.encoder_lr_scale"},
        "encoder_at_64": {"network.enlarge"},
        "one_learning_rate": {"network.encoder_lr_scale"},
        "narrow_decoder": {"network.width"},
        "without_price": {"objective.decoder.price"},
        "rebalanced": {
            "objective.rebalance.kind",
            "objective.decoder",
            "decoding.kind",
            "decoding.temperature",
        },
    }


def flat(model: ModelParams) -> dict[str, Any]:
    return {
        key: value
        for key, value in flatten(model.model_dump(mode="json")).items()
        if key != "study"
    }


def test_a_model_like_another_is_added_and_goes_with_the_preset(
    project: Path, default: str
) -> None:
    first, second, *_ = load_params(project / "params.yaml").models
    write(
        project,
        "copy",
        f"# Copies.\nmodels:\n  twin: {{like: {first}, batch_size: 3}}\n  {first}: {{epochs: 7}}\n"
        f"  {second}: {{like: {first}}}\n",
    )
    change = plan_preset("copy", [], project)
    (project / "params.yaml").write_text(change.after, encoding="utf-8")
    models = load_params(project / "params.yaml").models
    assert models["twin"] == models[first].model_copy(update={"batch_size": 3})
    assert models[second] == models[first]
    assert (models["twin"].epochs, list(models)[-1]) == (7, "twin")
    assert not any("twin" in note for note in change.notes)
    assert apply("copy", project) == change.after
    back = plan_preset("samples", [], project)
    assert back.after == default
    assert f"Removed, with any change of yours: the former preset's {second}, twin." in back.notes


def test_a_copy_can_be_asked_for_on_the_command_line(project: Path, default: str) -> None:
    model = next(iter(load_params(project / "params.yaml").models))
    apply("samples", project, f"models.mine.like={model}", "models.mine.optimizer.lr=1e-5")
    assert load_params(project / "params.yaml").models["mine"].optimizer.lr == 1e-5
    assert apply("samples", project) == default


def test_copies_can_be_made_of_copies_and_of_a_preset_below(project: Path, default: str) -> None:
    model = next(iter(load_params(project / "params.yaml").models))
    write(project, "below", f"# Below.\nmodels:\n  one: {{like: {model}, epochs: 7}}\n")
    entries = 'two: {like: one, batch_size: 3}\n  "null": {like: two}'
    write(project, "above", f"# Above.\nextends: below\nmodels:\n  {entries}\n")
    apply("above", project)
    models = load_params(project / "params.yaml").models
    assert models["two"] == models["one"].model_copy(update={"batch_size": 3})
    assert models["null"] == models["two"]
    assert apply("samples", project) == default


def test_dvc_may_write_params_yaml_anew_while_there_are_copies(project: Path) -> None:
    from dvc.utils.serialize import modify_yaml

    before = load_params(project / "params.yaml").models
    apply("samples", project, f"models.mine.like={next(iter(before))}")
    with modify_yaml(project / "params.yaml") as values:
        values["train"]["seed"] = 5
    apply("samples", project)
    assert load_params(project / "params.yaml").models == before


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        (
            "models.mine.like=nobody",
            "models.mine is to be like nobody, which is not there: there",
        ),
        ("models.mine.like=[a]", "models.mine.like: write the name of a model."),
        ("models.mine.like=", "models.mine.like: write the name of a model."),
        ("models.*.like=unet313", "models.*.like: a model is like one other; name it."),
    ],
)
def test_a_copy_of_nothing_is_refused(assignment: str, expected: str, project: Path) -> None:
    with pytest.raises(PresetError) as refused:
        plan_preset("samples", [assignment], project)
    assert str(refused.value).startswith(expected)


def test_keys_for_a_model_that_is_not_there_are_skipped_with_a_note(project: Path) -> None:
    write(project, "absent", "# For another.\nmodels:\n  nobody:\n    epochs: 1\n")
    change = plan_preset("absent", [], project)
    assert change.before == change.after
    assert change.notes == ("models.nobody is left out: params.yaml has no such model.",)


def test_the_asterisk_is_every_model_and_a_name_wins(project: Path) -> None:
    first, *others = load_params(project / "params.yaml").models
    write(project, "many", f"# Many.\nmodels:\n  {first}: {{epochs: 7}}\n  '*': {{epochs: 3}}\n")
    apply("many", project)
    models = load_params(project / "params.yaml").models
    assert [models[name].epochs for name in [first, *others]] == [7] + [3] * len(others)


def test_another_kind_replaces_the_section(project: Path) -> None:
    classifier = next(
        name
        for name, model in load_params(project / "params.yaml").models.items()
        if model.decoding.kind == "annealed_mean"
    )
    apply("samples", project, f"models.{classifier}.decoding.kind=mean")
    model = load_params(project / "params.yaml").models[classifier]
    assert model.decoding.model_dump() == {"kind": "mean"}


def test_the_diff_shows_only_what_changes(project: Path) -> None:
    lines = plan_preset("samples", ["train.seed=5"], project).diff()
    changed = [line for line in lines if line[0] in "+-"][2:]
    assert changed == ["-  seed: 0", "+  seed: 5"]
    assert plan_preset("samples", [], project).diff() == []


keys = st.sampled_from(["a", "b", "c", "d"])
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from(["null", "yes", "1e-4", "a: b", "x #y", "file:///a.zip", "'", "-", "~"]),
    st.lists(st.one_of(st.integers(), st.text(max_size=4), st.floats(0, 1)), max_size=3),
)
trees = st.recursive(
    st.dictionaries(keys, values, max_size=4),
    lambda below: st.dictionaries(keys, st.one_of(values, below), min_size=1, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@example(first={"a": {"a": 1}}, second={"a": {"b": 1}, "b": 1})
@given(first=trees.filter(bool), second=trees.filter(bool))
def test_edited_text_holds_exactly_the_target(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    text = edit_yaml("seed: 1 # kept\n", {"seed": 1}, {"seed": 1} | first)
    current = parse_yaml(text, "text")
    assert current == {"seed": 1} | first
    edited = edit_yaml(text, current, {"seed": 1} | second)
    assert parse_yaml(edited, "edited") == {"seed": 1} | second
    assert edited.startswith("seed: 1 # kept\n")


def test_a_key_that_goes_takes_its_comment_along() -> None:
    text = "# Stays.\n\n# Goes.\nseed: 1\n# Stays, too.\nlimit: 2\n"
    edited = edit_yaml(text, {"seed": 1, "limit": 2}, {"limit": 2})
    assert edited == "# Stays.\n\n# Stays, too.\nlimit: 2\n"


def test_a_preset_follows_on_what_dvc_has_respelled(project: Path) -> None:
    """``dvc exp run --set-param`` writes params.yaml anew: null as nothing, other quotes."""
    file = project / "params.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(": null\n", ":\n"), encoding="utf-8")
    before = load_params(file)
    apply("smoke", project, "data.path=here")
    assert load_params(file).data.path == "here"
    apply("samples", project)
    assert load_params(file) == before
